-- Months are counted as year * 12 + month, which every engine agrees upon.
WITH bought AS (
    SELECT DISTINCT
        i.subject_id,
        year(i.occurred_on) * 12 + month(i.occurred_on) - 1 AS month_no,
        CAST(date_trunc('month', i.occurred_on) AS DATE) AS month_on
    FROM interaction i
    WHERE (i.kind LIKE '%.order' OR i.kind LIKE '%.sale' OR i.kind LIKE '%.purchase'
            OR i.kind LIKE '%.bill' OR i.kind LIKE '%.invoice')
        AND i.subject_id IS NOT NULL
        AND year(i.occurred_on) * 12 + month(i.occurred_on)
            < year(i.as_of) * 12 + month(i.as_of)
),
first AS (
    SELECT subject_id, min(month_no) AS month_no, min(month_on) AS cohort_on
    FROM bought
    GROUP BY subject_id
),
size AS (
    SELECT cohort_on, count(*) AS size FROM first GROUP BY cohort_on
),
seen AS (
    SELECT f.cohort_on, b.month_no - f.month_no AS months_after, count(*) AS active
    FROM bought b
    JOIN first f ON f.subject_id = b.subject_id
    GROUP BY f.cohort_on, b.month_no - f.month_no
),
-- Months in which nobody of a cohort bought are rows too, up to the last month with any purchase.
months AS (
    SELECT DISTINCT month_no FROM bought
),
grid AS (
    SELECT
        s.cohort_on,
        s.size,
        m.month_no - (year(s.cohort_on) * 12 + month(s.cohort_on) - 1) AS months_after
    FROM size s
    JOIN months m ON m.month_no >= year(s.cohort_on) * 12 + month(s.cohort_on) - 1
)
SELECT
    g.cohort_on,
    g.months_after,
    g.size,
    coalesce(s.active, 0) AS active,
    CAST(coalesce(s.active, 0) AS DOUBLE) / g.size AS retention
FROM grid g
LEFT JOIN seen s ON s.cohort_on = g.cohort_on AND s.months_after = g.months_after
WHERE g.months_after <= $months
