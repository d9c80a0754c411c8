-- Purchases by the last part of their kind: what was charged, not what was paid.
WITH traded AS (
    SELECT
        subject_id,
        as_of,
        currency,
        days_before,
        kind LIKE '%.refund' AS refund,
        CASE WHEN kind LIKE '%.refund' THEN -amount_minor ELSE amount_minor END AS amount_minor
    FROM interaction
    WHERE kind LIKE '%.order' OR kind LIKE '%.sale' OR kind LIKE '%.purchase'
        OR kind LIKE '%.bill' OR kind LIKE '%.invoice' OR kind LIKE '%.refund'
),
by_currency AS (
    SELECT
        subject_id,
        as_of,
        count_if(days_before < 365 AND NOT refund) AS purchases,
        min(CASE WHEN NOT refund THEN days_before END) AS last_days,
        max(CASE WHEN NOT refund THEN days_before END) AS first_days,
        sum(CASE WHEN days_before < 365 THEN amount_minor END) AS revenue
    FROM traded
    GROUP BY subject_id, as_of, currency
)
SELECT
    subject_id,
    as_of,
    CAST(sum(purchases) AS BIGINT) AS core_purchases_365d,
    min(last_days) AS core_days_since_last_purchase,
    max(first_days) AS core_days_since_first_purchase,
    -- Sums across currencies mean nothing: where there are two, there is no revenue to show.
    CASE WHEN count(revenue) < 2 THEN CAST(coalesce(sum(revenue), 0) AS BIGINT) END
        AS core_revenue_365d_minor
FROM by_currency
GROUP BY subject_id, as_of
