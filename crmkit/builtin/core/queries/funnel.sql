-- Who is in each of the five stages now, who ever reached it, and how long ended stays lasted.
WITH named AS (
    SELECT 1 AS position, 'prospect' AS stage
    UNION ALL SELECT 2, 'development'
    UNION ALL SELECT 3, 'growth'
    UNION ALL SELECT 4, 'maturity'
    UNION ALL SELECT 5, 'termination'
),
stay AS (
    SELECT
        c.subject_id,
        c.to_stage AS stage,
        c.days_before - lead(c.days_before) OVER (
            PARTITION BY c.subject_id ORDER BY c.at, c.id
        ) AS days,
        row_number() OVER (PARTITION BY c.subject_id ORDER BY c.at DESC, c.id DESC) AS from_last
    FROM stage_change c
    WHERE c.lifecycle = 'core.customer'
),
deepest AS (
    SELECT
        s.subject_id,
        max(CASE WHEN n.position < 5 THEN n.position END) AS position,
        bool_or(n.position = 5) AS ended
    FROM stay s
    JOIN named n ON n.stage = s.stage
    GROUP BY s.subject_id
),
reach AS (
    SELECT
        n.position,
        n.stage,
        count(*) FILTER (
            WHERE CASE WHEN n.position = 5 THEN d.ended ELSE d.position >= n.position END
        ) AS reached
    FROM named n
    LEFT JOIN deepest d ON true
    GROUP BY n.position, n.stage
),
here AS (
    SELECT stage, count(*) AS customers FROM stay WHERE from_last = 1 GROUP BY stage
),
ranked AS (
    SELECT
        stage,
        days,
        row_number() OVER (PARTITION BY stage ORDER BY days, subject_id) AS place,
        count(*) OVER (PARTITION BY stage) AS stays
    FROM stay
    WHERE days IS NOT NULL
),
middle AS (
    SELECT stage, min(days) AS median_days FROM ranked WHERE place * 2 >= stays GROUP BY stage
)
SELECT
    r.position,
    r.stage,
    coalesce(h.customers, 0) AS customers,
    r.reached,
    CAST(r.reached AS DOUBLE) / nullif(b.reached, 0) AS conversion,
    m.median_days
FROM reach r
LEFT JOIN reach b ON b.position = CASE WHEN r.position = 5 THEN 2 ELSE r.position - 1 END
LEFT JOIN here h ON h.stage = r.stage
LEFT JOIN middle m ON m.stage = r.stage
