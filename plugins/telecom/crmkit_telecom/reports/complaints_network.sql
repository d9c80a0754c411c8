-- Complaints by city and topic, now against the period before, beside what the network gave.
WITH base AS (
    SELECT
        t.subject_id,
        coalesce(t.city, 'unknown') AS city,
        f.telecom_dropped_call_rate AS dropped,
        f.telecom_outage_minutes_3m AS outage
    FROM telecom_customer t
    JOIN feature f ON f.subject_id = t.subject_id
    WHERE f.telecom_subscriptions >= 1
),
city AS (
    SELECT city, count(*) AS customers, avg(dropped) AS dropped, avg(outage) AS outage
    FROM base
    GROUP BY city
),
topic AS (
    SELECT
        b.city,
        c.topic,
        count_if(c.days_before < $days) AS recent,
        count_if(c.days_before >= $days) AS earlier
    FROM base b
    JOIN telecom_complaint c ON c.subject_id = b.subject_id
    WHERE c.days_before < 2 * $days AND c.topic IS NOT NULL
    GROUP BY b.city, c.topic
)
SELECT
    t.city,
    t.topic,
    y.customers,
    t.recent,
    t.earlier,
    1000.0 * t.recent / y.customers AS per_1000,
    t.recent / nullif(t.earlier, 0) AS ratio,
    -- A Poisson count exceeds another by chance: flagged when the rise is over two standard errors.
    t.recent - t.earlier > 2 * sqrt(t.recent + t.earlier) AS unusual,
    y.dropped AS mean_dropped_call_rate,
    y.outage AS mean_outage_minutes
FROM topic t
JOIN city y ON y.city = t.city
