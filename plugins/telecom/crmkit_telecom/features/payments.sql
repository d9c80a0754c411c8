-- How many bills were paid after their due date. Parts of one bill count once; what was paid late and
-- reversed was not paid.
WITH bill AS (
    SELECT subject_id, as_of, coalesce(record_id, 0) AS line, due_on, currency
    FROM telecom_payment
    WHERE days_before < 365 AND occurred_on > due_on
    GROUP BY subject_id, as_of, coalesce(record_id, 0), due_on, currency
    -- A payment without an amount is late all the same.
    HAVING coalesce(sum(amount_minor), 1) > 0
)
SELECT subject_id, as_of, count(*) AS telecom_late_payments_12m
FROM bill
GROUP BY subject_id, as_of
