-- Ordered, promised and not collected yet, as long as the promise has not passed.
WITH begun AS (
    SELECT owner_id, as_of, status
    FROM current
)
SELECT w.subject_id, w.as_of
FROM delivery_waybill w
LEFT JOIN begun b ON b.owner_id = w.id AND b.as_of = w.as_of
WHERE w.late_after_at >= w.as_of AND coalesce(b.status, 'ordered') IN ('ordered', 'pickup_booked', 'pickup_failed')
