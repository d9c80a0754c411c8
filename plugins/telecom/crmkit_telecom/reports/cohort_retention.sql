-- Lines by the month of their activation: the share that lasted so many months or longer.
-- A month is over on the same day of the next, or on its last day. A month is shown once every line of the cohort could have reached it.
WITH digit AS (
    SELECT d FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS v (d)
),
age AS (
    SELECT tens.d * 10 + ones.d AS months
    FROM digit tens
    CROSS JOIN digit ones
    WHERE tens.d * 10 + ones.d <= $months
),
line AS (
    SELECT
        CAST(date_trunc('month', activated_on) AS DATE) AS cohort_on,
        (year(as_of_on) - year(activated_on)) * 12 + month(as_of_on) - month(activated_on)
            - CASE WHEN day(as_of_on) < day(activated_on) AND month(as_of_on + 1) = month(as_of_on) THEN 1 ELSE 0 END
            AS watched,
        -- A line that runs has lasted as long as anybody asks.
        CASE WHEN ended_on <= as_of_on
            THEN (year(ended_on) - year(activated_on)) * 12 + month(ended_on) - month(activated_on)
                - CASE WHEN day(ended_on) < day(activated_on) AND month(ended_on + 1) = month(ended_on) THEN 1 ELSE 0 END
            ELSE 1000000 END AS lasted
    FROM telecom_subscription
    WHERE activated_on <= as_of_on AND date_diff('day', activated_on, as_of_on) < $days
),
cohort AS (
    SELECT cohort_on, count(*) AS size, min(watched) AS watched FROM line GROUP BY cohort_on
),
ending AS (
    SELECT cohort_on, lasted, count(*) AS lines FROM line GROUP BY cohort_on, lasted
)
SELECT
    c.cohort_on,
    CAST(a.months AS BIGINT) AS months_after,
    c.size,
    CAST(sum(CASE WHEN e.lasted >= a.months THEN e.lines ELSE 0 END) AS BIGINT) AS kept,
    sum(CASE WHEN e.lasted >= a.months THEN e.lines ELSE 0 END) / c.size AS retention
FROM cohort c
JOIN age a ON a.months <= c.watched
JOIN ending e ON e.cohort_on = c.cohort_on
GROUP BY c.cohort_on, c.size, a.months
