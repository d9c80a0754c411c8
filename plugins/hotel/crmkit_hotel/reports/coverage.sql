-- How much is known of arriving guests: share with three fresh preferences or more, and their age.
WITH arrival AS (
    SELECT subject_id, property, count(*) AS bookings
    FROM hotel_reservation
    WHERE status IN ('confirmed', 'in_house', 'checked_out')
        AND date_diff('day', as_of_on, arrival_on) BETWEEN -$days AND 2
    GROUP BY subject_id, property
),
known AS (
    SELECT
        subject_id,
        count(*) FILTER (WHERE fresh_until IS NULL OR fresh_until >= as_of_on) AS fresh,
        avg(date_diff('day', last_confirmed_on, as_of_on)) AS age_days
    FROM hotel_preference
    WHERE status IN ('declared', 'learnt')
    GROUP BY subject_id
)
SELECT
    a.property,
    count(*) AS guests,
    count_if(coalesce(k.fresh, 0) >= 3) AS covered,
    count_if(coalesce(k.fresh, 0) >= 3) / count(*) AS coverage,
    avg(coalesce(k.fresh, 0)) AS mean_fresh,
    avg(k.age_days) AS mean_age_days
FROM arrival a
LEFT JOIN known k ON k.subject_id = a.subject_id
GROUP BY a.property
