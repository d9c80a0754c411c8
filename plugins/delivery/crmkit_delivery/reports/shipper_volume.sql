-- Volume of shippers by week, against what the twelve weeks before four let expect (D-R10). Of nine
-- expected and fewer, three standard deviations of a Poisson count reach below nothing: too few to say.
WITH week AS (
    SELECT
        customer_id,
        as_of,
        date_diff('minute', ordered_at, as_of) // 10080 AS weeks_ago,
        count(*) AS waybills
    FROM delivery_waybill
    WHERE date_diff('minute', ordered_at, as_of) < 161280
    GROUP BY customer_id, as_of, date_diff('minute', ordered_at, as_of) // 10080
),
summed AS (
    SELECT
        customer_id,
        CAST(sum(CASE WHEN weeks_ago = 0 THEN waybills ELSE 0 END) AS BIGINT) AS this_week,
        CAST(sum(CASE WHEN weeks_ago < 4 THEN waybills ELSE 0 END) AS BIGINT) AS four_weeks,
        sum(CASE WHEN weeks_ago >= 4 THEN waybills ELSE 0 END) / 3.0 AS expected
    FROM week
    GROUP BY customer_id
)
SELECT
    customer_id,
    this_week,
    four_weeks,
    expected,
    CASE WHEN expected > 9 THEN expected - 3 * sqrt(expected) END AS lower_limit,
    four_weeks * 1.0 / nullif(expected, 0) AS against_expected,
    CASE
        WHEN expected > 9 THEN four_weeks < 0.6 * expected AND four_weeks < expected - 3 * sqrt(expected)
    END AS alarm,
    CASE
        WHEN expected <= 9 THEN 'too few'
        WHEN four_weeks < 0.6 * expected AND four_weeks < expected - 3 * sqrt(expected) THEN 'drops'
        ELSE 'as expected'
    END AS verdict
FROM summed
