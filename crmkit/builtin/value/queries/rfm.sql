-- Fifths of those who bought in the period: 5 is the most recent, the most frequent, the most money.
-- Ties are parted by the customer's id, so that the fifths are equally large and always the same.
, placed AS (
    SELECT
        subject_id,
        recency_days,
        purchases,
        revenue,
        ntile(5) OVER (ORDER BY recency_days DESC, subject_id) AS recency,
        ntile(5) OVER (ORDER BY purchases, subject_id) AS frequency,
        ntile(5) OVER (ORDER BY coalesce(revenue, 0), subject_id) AS monetary
    FROM own
    WHERE purchases > 0
)
SELECT
    subject_id AS customer_id,
    recency_days,
    purchases,
    revenue AS revenue_minor,
    recency,
    frequency,
    monetary,
    CAST(recency AS VARCHAR) || CAST(frequency AS VARCHAR) || CAST(monetary AS VARCHAR) AS cell
FROM placed
