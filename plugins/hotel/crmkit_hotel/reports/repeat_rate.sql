-- Of the guests whose first stay ended in a year, how many came again, and after how long.
WITH stay AS (
    SELECT
        subject_id,
        checked_in_on,
        checked_out_on,
        row_number() OVER (PARTITION BY subject_id ORDER BY checked_out_on, id) AS nth
    FROM hotel_stay
    WHERE checked_out_on IS NOT NULL AND checked_out_on <= as_of_on
),
pair AS (
    SELECT
        a.subject_id,
        year(a.checked_out_on) AS cohort,
        date_diff('day', a.checked_out_on, b.checked_in_on) AS gap
    FROM stay a
    LEFT JOIN stay b ON b.subject_id = a.subject_id AND b.nth = 2
    WHERE a.nth = 1
),
placed AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY cohort ORDER BY gap, subject_id) AS place,
        count(gap) OVER (PARTITION BY cohort) AS again
    FROM pair
)
SELECT
    cohort,
    count(*) AS guests,
    count(gap) AS again,
    count(gap) / count(*) AS repeat_rate,
    count(*) FILTER (WHERE gap <= 365) / count(*) AS within_year,
    -- The median, the lower of two in the middle.
    max(CASE WHEN place = (again + 1) // 2 AND again > 0 THEN gap END) AS median_gap
FROM placed
GROUP BY cohort
