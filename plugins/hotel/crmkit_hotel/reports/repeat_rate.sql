-- Of the guests whose first stay ended in a year, how many came again, and after how long.
WITH {visit},
pair AS (
    SELECT
        a.subject_id,
        year(a.checked_out_on) AS cohort,
        date_diff('day', a.checked_out_on, b.checked_in_on) AS gap
    FROM visit a
    LEFT JOIN visit b ON b.subject_id = a.subject_id AND b.as_of = a.as_of AND b.nth = 2
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
