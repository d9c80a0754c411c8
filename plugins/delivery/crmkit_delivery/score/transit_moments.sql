-- The first scan after the hand-over.
SELECT s.subject_id, min(s.event_at) AS moment
FROM delivery_scan s
WHERE s.status IN ('at_hub', 'in_transit')
GROUP BY s.subject_id
