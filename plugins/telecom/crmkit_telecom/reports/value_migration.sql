-- Who moved between low, middle and high revenue from the quarter before last to the last one.
-- The bounds are the thirds of the earlier quarter, so that a movement is the customer's own.
WITH paid AS (
    SELECT subject_id, days_before, amount_base_minor FROM telecom_bill WHERE days_before < 182
    UNION ALL
    SELECT subject_id, days_before, amount_base_minor FROM telecom_topup WHERE days_before < 182
),
revenue AS (
    SELECT
        subject_id,
        sum(CASE WHEN days_before >= 91 THEN amount_base_minor ELSE 0 END) AS earlier,
        sum(CASE WHEN days_before < 91 THEN amount_base_minor ELSE 0 END) AS latest
    FROM paid
    GROUP BY subject_id
),
running AS (
    SELECT
        subject_id,
        max(CASE WHEN status IN ('terminated', 'ported_out') THEN 0 ELSE 1 END) AS stays
    FROM telecom_subscription
    WHERE status IS NOT NULL
    GROUP BY subject_id
),
ranked AS (
    SELECT subject_id, earlier, ntile(3) OVER (ORDER BY earlier, subject_id) AS third
    FROM revenue
    WHERE earlier > 0
),
bound AS (
    SELECT
        max(CASE WHEN third = 1 THEN earlier END) AS low,
        max(CASE WHEN third <= 2 THEN earlier END) AS middle
    FROM ranked
),
placed AS (
    SELECT
        CASE
            WHEN r.earlier <= 0 THEN '0 new'
            WHEN r.earlier <= b.low THEN '1 low'
            WHEN r.earlier <= b.middle THEN '2 middle'
            ELSE '3 high'
        END AS from_level,
        CASE
            WHEN coalesce(u.stays, 1) = 0 THEN '0 left'
            WHEN r.latest <= coalesce(b.low, 0) THEN '1 low'
            WHEN r.latest <= coalesce(b.middle, 0) THEN '2 middle'
            ELSE '3 high'
        END AS to_level,
        r.earlier,
        r.latest
    FROM revenue r
    CROSS JOIN bound b
    LEFT JOIN running u ON u.subject_id = r.subject_id
)
SELECT
    from_level,
    to_level,
    count(*) AS customers,
    count(*) / sum(count(*)) OVER (PARTITION BY from_level) AS share,
    CAST(sum(earlier) AS BIGINT) AS earlier_revenue_minor,
    CAST(sum(latest) AS BIGINT) AS latest_revenue_minor,
    CAST(sum(latest) - sum(earlier) AS BIGINT) AS change_minor
FROM placed
GROUP BY from_level, to_level
