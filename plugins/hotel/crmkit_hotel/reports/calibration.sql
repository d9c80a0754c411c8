-- The cancellation score of the last run against how the bookings of each tenth ended.
WITH ended AS (
    SELECT subject_id, max(CASE WHEN status IN ('cancelled', 'no_show') THEN 1
        WHEN status IN ('in_house', 'checked_out') THEN 0 END) AS lost, min(hotel_adr) AS adr
    FROM hotel_reservation r
    JOIN (SELECT subject_id AS feature_id, hotel_adr FROM feature) f ON f.feature_id = r.subject_id
    GROUP BY subject_id
),
last AS (
    SELECT
        subject_id, value, band,
        row_number() OVER (PARTITION BY subject_id ORDER BY days_before) AS place
    FROM outcome
    WHERE name = 'hotel.cancellation' AND kind = 'score'
)
SELECT
    l.band,
    count(*) AS bookings,
    avg(l.value) AS expected,
    avg(e.lost) AS observed,
    count(e.lost) AS ended
FROM last l
JOIN ended e ON e.subject_id = l.subject_id
WHERE l.place = 1
GROUP BY l.band
