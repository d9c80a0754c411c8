-- Bookings that are still to come as of the instant.
SELECT subject_id, as_of
FROM hotel_reservation
WHERE status IN ('option', 'confirmed', 'waitlisted') AND arrival_on > as_of_on
