-- Purchases by the last part of their kind: what was charged, not what was paid.
WITH traded AS (
    SELECT
        subject_id,
        as_of,
        days_before,
        kind LIKE '%.refund' AS refund,
        amount_minor,
        CASE WHEN kind LIKE '%.refund' THEN -amount_base_minor ELSE amount_base_minor END AS amount
    FROM interaction
    WHERE kind LIKE '%.order' OR kind LIKE '%.sale' OR kind LIKE '%.purchase'
        OR kind LIKE '%.bill' OR kind LIKE '%.invoice' OR kind LIKE '%.refund'
)
SELECT
    subject_id,
    as_of,
    count_if(days_before < 365 AND NOT refund) AS core_purchases_365d,
    min(CASE WHEN NOT refund THEN days_before END) AS core_days_since_last_purchase,
    max(CASE WHEN NOT refund THEN days_before END) AS core_days_since_first_purchase,
    -- Missing where some amount is in another currency: a part of the revenue is not the revenue.
    CASE WHEN count(CASE WHEN days_before < 365 THEN amount_minor END)
        = count(CASE WHEN days_before < 365 THEN amount END)
        THEN CAST(coalesce(sum(CASE WHEN days_before < 365 THEN amount END), 0) AS BIGINT)
    END AS core_revenue_365d_minor
FROM traded
GROUP BY subject_id, as_of
