-- How many customers stay after an assignment, by month, reason and new owner. A merge reassigns
-- nobody: the owner is that of one of the records already.
WITH passed AS (
    SELECT a.subject_id, a.id, a.assigned_on, a.to_agent, a.orphaned, a.days_before
    FROM assignment a
    WHERE a.line = 'all' AND a.to_agent IS NOT NULL AND a.rule NOT IN ('merge', 'reversal')
),
moved AS (
    SELECT s.subject_id, s.changed_on, s.to_stage, s.days_before, s.at, s.id
    FROM stage_change s
    WHERE s.lifecycle = 'core.customer'
),
-- The last stage by the day of the assignment, so that nobody is counted who had gone already.
stood AS (
    SELECT p.id, m.to_stage,
        row_number() OVER (PARTITION BY p.id ORDER BY m.at DESC, m.id DESC) AS from_last
    FROM passed p
    JOIN moved m ON m.subject_id = p.subject_id AND m.changed_on <= p.assigned_on
),
gone AS (
    SELECT s.id FROM stood s WHERE s.from_last = 1 AND s.to_stage = 'termination'
),
left_after AS (
    SELECT DISTINCT p.id
    FROM passed p
    JOIN moved m ON m.subject_id = p.subject_id
    WHERE m.to_stage = 'termination'
        AND m.changed_on > p.assigned_on
        AND p.days_before - m.days_before <= $days
),
judged AS (
    SELECT
        CAST(date_trunc('month', p.assigned_on) AS DATE) AS month_on,
        CASE WHEN p.orphaned THEN 'orphan' ELSE 'transfer' END AS why,
        p.to_agent,
        p.subject_id,
        p.days_before >= $days AS followed,
        l.id IS NOT NULL AS lost
    FROM passed p
    LEFT JOIN gone g ON g.id = p.id
    LEFT JOIN left_after l ON l.id = p.id
    WHERE g.id IS NULL
)
SELECT
    j.month_on,
    j.why,
    j.to_agent,
    count(DISTINCT j.subject_id) AS reassigned,
    count(DISTINCT CASE WHEN j.followed THEN j.subject_id END) AS followed,
    count(DISTINCT CASE WHEN j.followed AND NOT j.lost THEN j.subject_id END) AS stayed,
    CAST(count(DISTINCT CASE WHEN j.followed AND NOT j.lost THEN j.subject_id END) AS DOUBLE)
        / nullif(count(DISTINCT CASE WHEN j.followed THEN j.subject_id END), 0) AS retention
FROM judged j
GROUP BY j.month_on, j.why, j.to_agent
