-- Months are numbered year * 12 + month - 1, and those in which a customer bought are the bits of a
-- number for each five years: one row a customer, where one a customer and month would not fit into
-- a processor's memory.
WITH bought AS (
    SELECT
        subject_id,
        month_no // 60 AS years_no,
        min(month_no) AS month_no,
        bit_or(CAST(1 AS BIGINT) << (month_no % 60)) AS months
    FROM (
        SELECT
            subject_id,
            CAST(year(occurred_on) * 12 + month(occurred_on) - 1 AS INTEGER) AS month_no
        FROM interaction
        WHERE (kind LIKE '%.order' OR kind LIKE '%.sale' OR kind LIKE '%.purchase'
                OR kind LIKE '%.bill' OR kind LIKE '%.invoice')
            AND subject_id IS NOT NULL
            AND occurred_on < CAST(date_trunc('month', as_of) AS DATE)
    ) AS purchase
    GROUP BY subject_id, month_no // 60
),
first AS (
    SELECT subject_id, min(month_no) AS month_no FROM bought GROUP BY subject_id
),
size AS (
    SELECT month_no, count(*) AS size FROM first GROUP BY month_no
),
alike AS (
    SELECT f.month_no AS first_no, b.years_no, b.months, count(*) AS customers
    FROM bought b
    JOIN first f ON f.subject_id = b.subject_id
    GROUP BY f.month_no, b.years_no, b.months
),
place AS (
    SELECT y.years * 12 + m.months AS bit
    FROM (VALUES (0), (1), (2), (3), (4)) AS y(years)
    CROSS JOIN (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11)) AS m(months)
),
seen AS (
    SELECT a.first_no, a.years_no * 60 + p.bit AS month_no, sum(a.customers) AS active
    FROM alike a
    CROSS JOIN place p
    WHERE ((a.months >> p.bit) & 1) = 1
    GROUP BY a.first_no, a.years_no * 60 + p.bit
),
-- Months in which nobody of a cohort bought are rows too, up to the last month with any purchase.
months AS (
    SELECT DISTINCT month_no FROM seen
)
SELECT
    make_date(s.month_no // 12, s.month_no % 12 + 1, 1) AS cohort_on,
    m.month_no - s.month_no AS months_after,
    s.size,
    CAST(coalesce(a.active, 0) AS BIGINT) AS active,
    CAST(coalesce(a.active, 0) AS DOUBLE) / s.size AS retention
FROM size s
JOIN months m ON m.month_no >= s.month_no
LEFT JOIN seen a ON a.first_no = s.month_no AND a.month_no = m.month_no
WHERE m.month_no - s.month_no <= $months
