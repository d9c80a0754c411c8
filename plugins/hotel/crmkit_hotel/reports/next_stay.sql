-- When each guest is next expected: the last departure and the quartiles of their own gaps.
WITH {visit},
stay AS (
    SELECT
        v.subject_id,
        v.checked_out_on,
        date_diff('day', b.checked_out_on, v.checked_in_on) AS gap,
        v.id
    FROM visit v
    LEFT JOIN visit b ON b.subject_id = v.subject_id AND b.as_of = v.as_of AND b.nth = v.nth - 1
),
ranked AS (
    SELECT
        subject_id,
        gap,
        row_number() OVER (PARTITION BY subject_id ORDER BY gap, id) AS place,
        count(*) OVER (PARTITION BY subject_id) AS gaps
    FROM stay
    WHERE gap IS NOT NULL
),
usual AS (
    -- Quartiles by rank: the gap at the place ceil(p * n).
    SELECT
        subject_id,
        max(gaps) AS gaps,
        CAST(max(CASE WHEN place = CAST(ceil(0.25 * gaps) AS BIGINT) THEN gap END) AS INTEGER) AS low,
        CAST(max(CASE WHEN place = CAST(ceil(0.5 * gaps) AS BIGINT) THEN gap END) AS INTEGER) AS middle,
        CAST(max(CASE WHEN place = CAST(ceil(0.75 * gaps) AS BIGINT) THEN gap END) AS INTEGER) AS high
    FROM ranked
    GROUP BY subject_id
),
last AS (
    SELECT s.subject_id, max(s.checked_out_on) AS last_on, max(p.as_of_on) AS today
    FROM stay s
    JOIN population p ON p.subject_id = s.subject_id
    GROUP BY s.subject_id
)
SELECT
    u.subject_id AS customer_id,
    u.gaps,
    l.last_on,
    l.last_on + u.low AS from_on,
    l.last_on + u.middle AS expected_on,
    l.last_on + u.high AS until_on,
    date_diff('day', l.last_on + u.high, l.today) AS overdue_days
FROM usual u
JOIN last l ON l.subject_id = u.subject_id
WHERE u.gaps >= $gaps
