-- From the grade of a customer's application to that of the next one.
WITH scored AS (
    SELECT
        subject_id,
        owner_id,
        grade,
        decided_at,
        row_number() OVER (PARTITION BY owner_id ORDER BY decided_at DESC, id DESC) AS place
    FROM banking_decision
    WHERE role = 'champion'
),
moved AS (
    SELECT
        grade AS to_grade,
        lag(grade) OVER (PARTITION BY subject_id ORDER BY decided_at, owner_id) AS from_grade
    FROM scored
    WHERE place = 1
)
SELECT
    from_grade,
    to_grade,
    count(*) AS moves,
    count(*) / sum(count(*)) OVER (PARTITION BY from_grade) AS share
FROM moved
WHERE from_grade IS NOT NULL
GROUP BY from_grade, to_grade
