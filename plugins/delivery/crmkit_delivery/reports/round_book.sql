-- Starts, pauses and endings of each round by month.
WITH event AS (
    SELECT round, CAST(date_trunc('month', started_on) AS DATE) AS month_on, 1 AS started, 0 AS ended, as_of_on
    FROM delivery_subscription
    WHERE started_on <= as_of_on
    UNION ALL
    SELECT round, CAST(date_trunc('month', ended_on) AS DATE), 0, 1, as_of_on
    FROM delivery_subscription
    WHERE ended_on <= as_of_on
),
paused AS (
    SELECT round, CAST(date_trunc('month', occurred_on) AS DATE) AS month_on, count(*) AS pauses
    FROM delivery_pause
    GROUP BY round, CAST(date_trunc('month', occurred_on) AS DATE)
),
monthly AS (
    SELECT round, month_on, CAST(sum(started) AS BIGINT) AS started, CAST(sum(ended) AS BIGINT) AS ended
    FROM event
    WHERE (year(as_of_on) - year(month_on)) * 12 + month(as_of_on) - month(month_on) < $months
    GROUP BY round, month_on
)
SELECT
    coalesce(m.round, 'none') AS round,
    m.month_on,
    m.started,
    m.ended,
    coalesce(p.pauses, 0) AS pauses
FROM monthly m
LEFT JOIN paused p ON p.round = m.round AND p.month_on = m.month_on
