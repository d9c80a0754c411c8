-- Of the promises whose verdict is known at the date, how many were kept: late is one that ran out
-- before it was stopped, whether it still runs or not. Paused and cancelled clocks have none.
WITH verdict AS (
    SELECT
        CASE $by
            WHEN 'topic' THEN c.topic WHEN 'region' THEN c.region WHEN 'channel' THEN c.channel
            WHEN 'product' THEN c.product WHEN 'severity' THEN c.severity
            WHEN 'product-department'
                THEN coalesce(c.product, '') || ' / ' || coalesce(c.department, '')
            WHEN 'kind' THEN c.kind ELSE c.department
        END AS part,
        k.stopped_at IS NULL OR k.stopped_at >= k.as_of AS is_running,
        CASE
            WHEN k.state = 'cancelled' THEN NULL
            WHEN k.stopped_at < k.as_of THEN k.late
            WHEN k.due_at <= k.as_of THEN true
        END AS late,
        k.state = 'cancelled' AS is_cancelled
    FROM service_clock k
    JOIN service_case c ON c.id = k.owner_id
    WHERE k.clock = $clock AND k.started_at < k.as_of
)
SELECT
    coalesce(part, '') AS part,
    count(*) AS promises,
    count(*) FILTER (WHERE late IS NOT NULL) AS known,
    count(*) FILTER (WHERE NOT late) AS kept,
    count(*) FILTER (WHERE late AND is_running) AS broken_running,
    CAST(count(*) FILTER (WHERE NOT late) AS DOUBLE)
        / nullif(count(*) FILTER (WHERE late IS NOT NULL), 0) AS kept_share
FROM verdict
WHERE NOT is_cancelled
GROUP BY coalesce(part, '')
