-- The hand-over: the moment in which the goods were collected.
SELECT subject_id, min(event_at) AS moment
FROM delivery_scan
WHERE status = 'picked_up'
GROUP BY subject_id
