-- Money that is owed to us or held for others: receivables of shippers by age, and cash on delivery
-- that was collected and not remitted.
WITH cod AS (
    SELECT
        w.customer_id,
        coalesce(w.cod_amount_currency, 'unknown') AS currency,
        w.cod_amount_minor AS minor,
        date_diff('minute', c.delivered_at, w.as_of) / 1440.0 AS age
    FROM delivery_waybill w
    JOIN current c ON c.owner_id = w.id AND c.as_of = w.as_of
    WHERE w.cod_amount_minor > 0 AND c.delivered_at IS NOT NULL
        AND (w.cod_remitted_at IS NULL OR w.cod_remitted_at >= w.as_of)
),
owed AS (
    SELECT
        customer_id, 'receivable' AS kind, coalesce(receivable_currency, 'unknown') AS currency,
        receivable_minor AS minor, days_overdue * 1.0 AS age
    FROM delivery_shipper_account
    WHERE receivable_minor > 0
    UNION ALL
    SELECT customer_id, 'cod', currency, minor, age
    FROM cod
)
SELECT
    kind,
    currency,
    CASE
        WHEN coalesce(age, 0) <= 0 THEN '0 not overdue'
        WHEN age <= 30 THEN '1 to 30 days'
        WHEN age <= 60 THEN '31 to 60 days'
        ELSE '61 days and more'
    END AS age_band,
    count(*) AS items,
    CAST(sum(minor) AS BIGINT) AS amount_minor
FROM owed
GROUP BY kind, currency, CASE
    WHEN coalesce(age, 0) <= 0 THEN '0 not overdue'
    WHEN age <= 30 THEN '1 to 30 days'
    WHEN age <= 60 THEN '31 to 60 days'
    ELSE '61 days and more'
END
