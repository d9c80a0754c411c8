-- After how long without a scan a shipment on its way is traced (D-R2).
WITH standing AS (
    SELECT w.subject_id, w.as_of, w.scope, l.p95_hours
    FROM delivery_waybill w
    JOIN current c ON c.owner_id = w.id AND c.as_of = w.as_of
    LEFT JOIN lane_leg l ON l.lane = w.lane AND l.as_of = w.as_of
)
SELECT
    subject_id,
    as_of,
    p95_hours AS delivery_lane_p95_hours,
    greatest(1.5 * coalesce(p95_hours, 0), CASE WHEN scope = 'same_city' THEN 4.0 ELSE 24.0 END)
        AS delivery_trace_after_hours
FROM standing
