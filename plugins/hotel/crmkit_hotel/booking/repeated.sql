-- Whether the booking is one of a guest who has stayed before, as the booking system states it.
SELECT
    subject_id,
    as_of,
    CASE WHEN repeat_guest THEN 1 WHEN NOT repeat_guest THEN 0 END AS label
FROM hotel_reservation
