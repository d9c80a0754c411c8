-- A booking is looked at when its day of arrival begins, by what was known when it was made; later
-- arrivals test what earlier ones taught.
SELECT subject_id, greatest(valid_from, CAST(arrival_on AS TIMESTAMP)) AS moment
FROM hotel_reservation
WHERE arrival_on IS NOT NULL
