-- The order.
SELECT subject_id, ordered_at AS moment
FROM delivery_waybill
WHERE ordered_at IS NOT NULL
