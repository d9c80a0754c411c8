-- The newest device of the customer and what is still owed for all of them.
SELECT
    d.subject_id,
    d.as_of,
    CAST(min(
        (year(d.as_of_on) - year(d.acquired_on)) * 12 + month(d.as_of_on) - month(d.acquired_on)
            - CASE WHEN day(d.as_of_on) < day(d.acquired_on) AND month(d.as_of_on + 1) = month(d.as_of_on) THEN 1 ELSE 0 END
    ) AS BIGINT) AS telecom_device_age_months,
    count_if(d.instalment_balance_minor <> 0) = 0 AS telecom_instalments_paid
FROM telecom_device d
-- A device of the future shows its timeless day of purchase already.
WHERE d.acquired_on <= d.as_of_on
GROUP BY d.subject_id, d.as_of
