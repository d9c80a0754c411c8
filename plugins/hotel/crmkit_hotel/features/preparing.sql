-- How far a booking is prepared, and how its guest will be recognised.
WITH line AS (
    SELECT
        subject_id,
        as_of,
        count(*) AS lines,
        count_if(result = 'open') AS open_lines,
        count_if(result = 'unavailable') AS unavailable,
        count_if(required AND result NOT IN ('met', 'cancelled')) AS required_open
    FROM hotel_preparation
    GROUP BY subject_id, as_of
),
arrived AS (
    SELECT subject_id, as_of FROM hotel_check_in GROUP BY subject_id, as_of
    UNION
    SELECT subject_id, as_of FROM hotel_cancellation GROUP BY subject_id, as_of
),
born AS (
    -- The 29th of February is kept on the 28th.
    SELECT
        subject_id,
        as_of,
        month(birth_date) AS born_month,
        CASE WHEN month(birth_date) = 2 AND day(birth_date) = 29 THEN 28 ELSE day(birth_date) END AS born_day
    FROM hotel_customer
    WHERE birth_date IS NOT NULL AND coalesce(occasion_consent, false)
)
SELECT
    r.subject_id,
    r.as_of,
    a.subject_id IS NULL AND r.arrival_on > r.as_of_on AS hotel_to_come,
    coalesce(l.lines, 0) AS hotel_lines,
    coalesce(l.open_lines, 0) AS hotel_open_lines,
    coalesce(l.unavailable, 0) AS hotel_unavailable_lines,
    coalesce(l.required_open, 0) AS hotel_required_open,
    coalesce(r.repeat_guest, false) AND coalesce(r.previous_stays, 0) = 0 AS hotel_identity_unsure,
    CASE
        WHEN b.subject_id IS NOT NULL THEN
            least(
                abs(date_diff('day', make_date(year(r.arrival_on) - 1, b.born_month, b.born_day), r.arrival_on)),
                abs(date_diff('day', make_date(year(r.arrival_on), b.born_month, b.born_day), r.arrival_on)),
                abs(date_diff('day', make_date(year(r.arrival_on) + 1, b.born_month, b.born_day), r.arrival_on))
            )
    END AS hotel_days_from_birthday
FROM hotel_reservation r
LEFT JOIN line l ON l.subject_id = r.subject_id AND l.as_of = r.as_of
LEFT JOIN arrived a ON a.subject_id = r.subject_id AND a.as_of = r.as_of
LEFT JOIN born b ON b.subject_id = r.subject_id AND b.as_of = r.as_of
