-- Every promise that was broken by the date, those that still run first.
SELECT
    k.id AS clock_id,
    c.customer_id,
    c.kind,
    c.topic,
    c.department,
    c.severity,
    k.clock,
    k.target,
    k.started_at,
    k.due_at,
    CASE WHEN k.stopped_at < k.as_of THEN k.stopped_at END AS stopped_at,
    CASE WHEN k.stopped_at < k.as_of THEN 0 ELSE 1 END AS still_running
FROM service_clock k
JOIN service_case c ON c.id = k.owner_id
WHERE k.state <> 'cancelled'
    AND k.started_at < k.as_of
    AND CASE WHEN k.stopped_at < k.as_of THEN k.late ELSE k.due_at <= k.as_of END
    AND ($clock IS NULL OR k.clock = $clock)
