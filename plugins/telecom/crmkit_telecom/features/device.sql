-- The newest device of the customer and what is still owed for all of them.
SELECT
    d.subject_id,
    d.as_of,
    CAST(floor(min(date_diff('day', d.acquired_on, d.as_of_on)) / 30.4375) AS BIGINT)
        AS telecom_device_age_months,
    coalesce(sum(d.instalment_balance_minor), 0) = 0 AS telecom_instalments_paid
FROM telecom_device d
-- A device of the future shows its timeless day of purchase already.
WHERE d.acquired_on <= d.as_of_on
GROUP BY d.subject_id, d.as_of
