-- Shared part: every waybill whose promise fell due, and whether it was kept, gross and net.
-- Open and lost shipments are in it, and late. Cancelled and expired ones are not: nothing was owed.
-- Net leaves out the time in which the clock stood: an incident stops it only with a reason that
-- excuses, a responsible party, evidence and an end (D-R7).
stop AS (
    SELECT
        i.owner_id,
        i.as_of,
        CAST(sum(date_diff('minute', i.opened_at, i.ended_at)) AS BIGINT) AS minutes
    FROM delivery_incident i
    JOIN excuse e ON e.reason = i.reason
    WHERE e.excused AND i.responsible IS NOT NULL AND i.evidence IS NOT NULL
        AND i.ended_at > i.opened_at AND i.ended_at < i.as_of
    GROUP BY i.owner_id, i.as_of
),
owed AS (
    SELECT
        w.*,
        coalesce(c.status, 'ordered') AS status,
        c.picked_up_at, c.delivered_at, c.first_attempt_at, c.attempts, c.scans, c.damaged_at,
        CASE
            WHEN w.on_time_basis = 'attempt' AND c.first_attempt_at < c.delivered_at
                THEN c.first_attempt_at
            WHEN w.on_time_basis = 'attempt' THEN coalesce(c.delivered_at, c.first_attempt_at)
            ELSE c.delivered_at
        END AS met_at,
        coalesce(s.minutes, 0) AS stopped_minutes
    FROM delivery_waybill w
    LEFT JOIN current c ON c.owner_id = w.id AND c.as_of = w.as_of
    LEFT JOIN stop s ON s.owner_id = w.id AND s.as_of = w.as_of
    WHERE w.late_after_at < w.as_of AND coalesce(c.status, 'ordered') NOT IN ('cancelled', 'expired')
),
due AS (
    SELECT
        *,
        CASE WHEN met_at <= late_after_at THEN 1 ELSE 0 END AS on_time,
        CASE
            WHEN met_at <= late_after_at THEN 1
            WHEN stopped_minutes > 0
                AND date_diff('minute', late_after_at, coalesce(met_at, as_of)) <= stopped_minutes THEN 1
            ELSE 0
        END AS on_time_net
    FROM owed
)
