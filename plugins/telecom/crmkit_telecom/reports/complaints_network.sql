-- Complaints by place and topic, now against the period before, beside what the network gave.
WITH home AS (
    -- The cell that the customer used most, as of the latest summary that names one.
    SELECT
        subject_id,
        cell,
        row_number() OVER (PARTITION BY subject_id ORDER BY occurred_at DESC, id DESC) AS place
    FROM telecom_usage
    WHERE cell IS NOT NULL
),
base AS (
    SELECT
        t.subject_id,
        coalesce(CASE
            WHEN $by = 'cell' THEN h.cell
            WHEN $by = 'region' THEN c.region
            ELSE t.city
        END, 'unknown') AS area,
        f.telecom_dropped_call_rate AS dropped,
        f.telecom_outage_minutes_3m AS outage
    FROM telecom_customer t
    JOIN feature f ON f.subject_id = t.subject_id
    LEFT JOIN home h ON h.subject_id = t.subject_id AND h.place = 1
    LEFT JOIN customer c ON c.subject_id = t.subject_id
    WHERE f.telecom_subscriptions >= 1
),
area AS (
    SELECT area, count(*) AS customers, avg(dropped) AS dropped, avg(outage) AS outage
    FROM base
    GROUP BY area
),
topic AS (
    SELECT
        b.area,
        c.topic,
        count_if(c.days_before < $days) AS recent,
        count_if(c.days_before >= $days) AS earlier
    FROM base b
    JOIN telecom_complaint c ON c.subject_id = b.subject_id
    WHERE c.days_before < 2 * $days AND c.topic IS NOT NULL
    GROUP BY b.area, c.topic
)
SELECT
    t.area,
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
JOIN area y ON y.area = t.area
