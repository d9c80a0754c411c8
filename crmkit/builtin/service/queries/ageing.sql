-- How old the open cases are, in whole local days.
WITH aged AS (
    SELECT
        coalesce(c.department, '') AS department,
        c.severity,
        date_diff('day', c.opened_on, c.as_of_on) AS age
    FROM service_case c
    WHERE c.is_open AND c.opened_at < c.as_of
)
SELECT
    department,
    count(*) AS cases,
    count(*) FILTER (WHERE age <= 1) AS days_0_1,
    count(*) FILTER (WHERE age BETWEEN 2 AND 7) AS days_2_7,
    count(*) FILTER (WHERE age BETWEEN 8 AND 30) AS days_8_30,
    count(*) FILTER (WHERE age > 30) AS days_over_30,
    max(age) AS oldest_days
FROM aged
GROUP BY department
