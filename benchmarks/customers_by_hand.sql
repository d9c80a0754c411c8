-- Customers with recency, frequency and value as an analyst would write it, straight on the Parquet files.
WITH seen AS (
    SELECT customer_id, occurred_on FROM read_parquet($payments) WHERE occurred_at < $instant
    UNION ALL
    SELECT customer_id, occurred_on FROM read_parquet($bills) WHERE occurred_at < $instant
),
contact AS (
    SELECT
        customer_id,
        date_diff('day', max(occurred_on), $day) AS silent_days,
        count(*) FILTER (WHERE date_diff('day', occurred_on, $day) < 90) AS interactions_90d
    FROM seen
    GROUP BY customer_id
),
purchase AS (
    SELECT customer_id, count(*) AS purchases_365d, sum(amount_minor) AS revenue_365d_minor
    FROM read_parquet($bills)
    WHERE occurred_at < $instant AND date_diff('day', occurred_on, $day) < 365
    GROUP BY customer_id
)
SELECT
    c.id AS customer_id,
    s.silent_days,
    coalesce(s.interactions_90d, 0) AS interactions_90d,
    coalesce(p.purchases_365d, 0) AS purchases_365d,
    CAST(coalesce(p.revenue_365d_minor, 0) AS BIGINT) AS revenue_365d_minor
FROM read_parquet($customers) c
LEFT JOIN contact s ON s.customer_id = c.id
LEFT JOIN purchase p ON p.customer_id = c.id
ORDER BY revenue_365d_minor DESC, customer_id
