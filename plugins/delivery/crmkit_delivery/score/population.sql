-- Collected, promised and on their way, as long as the promise has not passed: what is late already is
-- not likely or unlikely to be.
WITH open AS (
    SELECT owner_id, as_of
    FROM current
    WHERE status IN ('picked_up', 'at_hub', 'in_transit', 'customs', 'held', 'out_for_delivery', 'attempt_failed')
)
SELECT w.subject_id, w.as_of
FROM delivery_waybill w
JOIN open o ON o.owner_id = w.id AND o.as_of = w.as_of
WHERE w.late_after_at >= w.as_of
