-- Customers with an account who consent to offers.
SELECT c.subject_id, c.as_of
FROM banking_customer c
JOIN (
    SELECT subject_id, as_of FROM banking_account
    WHERE coalesce(status, 'open') <> 'closed' AND (opened_on IS NULL OR opened_on <= as_of_on)
    GROUP BY subject_id, as_of
) a ON a.subject_id = c.subject_id AND a.as_of = c.as_of
JOIN consented e ON e.subject_id = c.subject_id AND e.as_of = c.as_of
