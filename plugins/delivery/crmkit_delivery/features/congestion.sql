-- What slows a waybill's way beside what it is itself (D-R17): how its lane kept promises this week, how
-- many wait at the same hub, and open incidents of weather on the lane.
WITH lane_week AS (
    SELECT lane, as_of, count(*) AS fell_due, sum(1 - on_time) * 1.0 / count(*) AS late
    FROM due
    WHERE lane IS NOT NULL AND date_diff('minute', late_after_at, as_of) <= 10080
    GROUP BY lane, as_of
),
waiting AS (
    SELECT place, as_of, count(*) AS shipments
    FROM current
    WHERE status = 'at_hub' AND place IS NOT NULL
    GROUP BY place, as_of
),
weather AS (
    SELECT w.lane, i.as_of, count(*) AS incidents
    FROM delivery_incident i
    JOIN delivery_waybill w ON w.id = i.owner_id AND w.as_of = i.as_of
    WHERE i.responsible = 'weather' AND i.opened_at < i.as_of
        AND (i.ended_at IS NULL OR i.ended_at >= i.as_of) AND w.lane IS NOT NULL
    GROUP BY w.lane, i.as_of
)
SELECT
    w.subject_id,
    w.as_of,
    l.late AS delivery_lane_late_7d,
    CASE WHEN c.status = 'at_hub' THEN h.shipments - 1 END AS delivery_hub_waiting,
    coalesce(s.incidents, 0) AS delivery_lane_weather
FROM delivery_waybill w
LEFT JOIN current c ON c.owner_id = w.id AND c.as_of = w.as_of
LEFT JOIN lane_week l ON l.lane = w.lane AND l.as_of = w.as_of
LEFT JOIN waiting h ON h.place = c.place AND h.as_of = w.as_of
LEFT JOIN weather s ON s.lane = w.lane AND s.as_of = w.as_of
