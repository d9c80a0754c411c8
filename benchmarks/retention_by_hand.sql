-- Retention by month of first bill as an analyst would write it for one date, straight on the Parquet files.
WITH bought AS (
    SELECT DISTINCT customer_id, year(occurred_on) * 12 + month(occurred_on) - 1 AS month_no
    FROM read_parquet($bills)
    WHERE occurred_at < $instant AND occurred_on < date_trunc('month', $day)
),
first AS (
    SELECT customer_id, min(month_no) AS first_no FROM bought GROUP BY customer_id
),
size AS (
    SELECT first_no, count(*) AS size FROM first GROUP BY first_no
),
seen AS (
    SELECT first_no, month_no, count(*) AS active
    FROM bought JOIN first USING (customer_id)
    GROUP BY first_no, month_no
)
SELECT
    make_date(z.first_no // 12, z.first_no % 12 + 1, 1) AS cohort_on,
    m.month_no - z.first_no AS months_after,
    z.size,
    coalesce(s.active, 0) AS active
FROM size z
JOIN (SELECT DISTINCT month_no FROM bought) m ON m.month_no >= z.first_no
LEFT JOIN seen s ON s.first_no = z.first_no AND s.month_no = m.month_no
WHERE m.month_no - z.first_no <= 24
ORDER BY cohort_on, months_after
