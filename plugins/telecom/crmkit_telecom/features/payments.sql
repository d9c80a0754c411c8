-- How many bills were paid after their due date. Parts of one bill count once; what was paid late and
-- reversed was not paid.
WITH bill AS (
    SELECT subject_id, as_of, record_id, due_on, currency
    FROM telecom_payment
    WHERE days_before < 365 AND occurred_on > due_on
    GROUP BY subject_id, as_of, record_id, due_on, currency
    -- A payment without an amount is late all the same.
    HAVING sum(amount_minor) IS NULL OR sum(amount_minor) > 0
)
SELECT subject_id, as_of, count(*) AS telecom_late_payments_12m
FROM bill
GROUP BY subject_id, as_of
