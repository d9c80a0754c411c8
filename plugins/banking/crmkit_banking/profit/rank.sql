-- The place of each customer among those who have an account or a loan, the best first: 0.05 is among
-- the first twentieth.
, active AS (
    SELECT subject_id, as_of FROM banking_account
    WHERE coalesce(status, 'open') <> 'closed' AND (opened_on IS NULL OR opened_on <= as_of_on)
    UNION
    SELECT subject_id, as_of FROM own WHERE owed > 0
)
SELECT
    o.subject_id,
    o.as_of,
    row_number() OVER (
        PARTITION BY o.as_of
        ORDER BY o.deposit_interest + o.loan_interest + o.fees - o.cost - o.expected_loss DESC, o.subject_id
    ) / count(*) OVER (PARTITION BY o.as_of) AS banking_contribution_place
FROM own o
JOIN active a ON a.subject_id = o.subject_id AND a.as_of = o.as_of
