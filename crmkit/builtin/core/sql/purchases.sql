-- Purchases by the last part of their kind: what was charged, not what was paid.
WITH traded AS (
    SELECT
        subject_id,
        as_of,
        days_before,
        kind LIKE '%.refund' AS refund,
        amount_minor,
        currency
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
    -- Sums across currencies mean nothing: where there are two, there is no revenue to show.
    CASE
        WHEN max(CASE WHEN days_before < 365 AND amount_minor IS NOT NULL THEN currency END)
            = min(CASE WHEN days_before < 365 AND amount_minor IS NOT NULL THEN currency END)
            THEN CAST(sum(
                CASE WHEN days_before < 365 AND refund THEN -amount_minor
                     WHEN days_before < 365 THEN amount_minor END
            ) AS BIGINT)
        WHEN count_if(days_before < 365 AND amount_minor IS NOT NULL) = 0 THEN 0
    END AS core_revenue_365d_minor
FROM traded
GROUP BY subject_id, as_of
