-- Shared part: every waybill whose promise fell due, and whether it was kept, gross and net.
-- Open and lost shipments are in it, and late. Cancelled and expired ones are not: nothing was owed.
-- Net leaves out the time in which the clock stood: an incident stops it only with a reason that
-- excuses, a responsible party, evidence and an end (D-R7).
stopped AS (
    SELECT
        i.owner_id,
        i.as_of,
        i.opened_at,
        i.ended_at,
        -- Until when the clock stood already: of stops that overlap the common time counts once.
        max(i.ended_at) OVER (
            PARTITION BY i.owner_id, i.as_of ORDER BY i.opened_at, i.ended_at, i.id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS stood_until
    FROM delivery_incident i
    JOIN excuse e ON e.reason = i.reason
    WHERE e.excused AND i.responsible IS NOT NULL AND i.evidence IS NOT NULL
        AND i.ended_at > i.opened_at AND i.ended_at < i.as_of
),
stop AS (
    SELECT
        owner_id,
        as_of,
        CAST(sum(greatest(date_diff('minute', greatest(opened_at, stood_until), ended_at), 0)) AS BIGINT) AS minutes
    FROM stopped
    GROUP BY owner_id, as_of
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
