-- Revenue, cost and profit of shipments after claims (W3): billed, else quoted; cost as it was recorded;
-- claims as they were paid. Rows are in one currency each: what a shipment brought or cost in another
-- stands in the row of that.
WITH sent AS (
    SELECT
        w.*,
        CASE
            WHEN $by = 'shipper' THEN coalesce(w.shipper_code, 'unknown')
            WHEN $by = 'lane' THEN coalesce(w.lane, 'unknown')
            WHEN $by = 'product' THEN coalesce(w.product, 'unknown')
            WHEN $by = 'route' THEN coalesce(w.route, 'unknown')
            WHEN $by = 'depot' THEN coalesce(w.depot, 'unknown')
            WHEN $by = 'department' THEN coalesce(w.department, 'unknown')
            WHEN $by = 'month' THEN coalesce(substring(CAST(w.promise_on AS VARCHAR), 1, 7), 'unknown')
            WHEN $by = 'region' THEN coalesce(w.region, 'unknown')
            ELSE 'all'
        END AS slice,
        coalesce(w.price_quoted_currency, 'unknown') AS currency
    FROM delivery_waybill w
    WHERE $days = 0 OR date_diff('minute', w.ordered_at, w.as_of) < 1440 * $days
),
billed AS (
    SELECT owner_id, as_of, billed_currency AS currency, CAST(sum(billed_minor) AS BIGINT) AS minor
    FROM delivery_invoice_line
    GROUP BY owner_id, as_of, billed_currency
),
entry AS (
    SELECT
        s.id,
        s.slice,
        coalesce(b.currency, s.currency) AS currency,
        coalesce(b.minor, s.price_quoted_minor, 0) AS revenue,
        0 AS cost,
        0 AS claims
    FROM sent s
    LEFT JOIN billed b ON b.owner_id = s.id AND b.as_of = s.as_of
    UNION ALL
    SELECT id, slice, coalesce(cost_pickup_currency, currency), 0, cost_pickup_minor, 0
    FROM sent
    WHERE cost_pickup_minor IS NOT NULL
    UNION ALL
    SELECT id, slice, coalesce(cost_linehaul_currency, currency), 0, cost_linehaul_minor, 0
    FROM sent
    WHERE cost_linehaul_minor IS NOT NULL
    UNION ALL
    SELECT id, slice, coalesce(cost_sort_currency, currency), 0, cost_sort_minor, 0
    FROM sent
    WHERE cost_sort_minor IS NOT NULL
    UNION ALL
    SELECT id, slice, coalesce(cost_lastmile_currency, currency), 0, cost_lastmile_minor, 0
    FROM sent
    WHERE cost_lastmile_minor IS NOT NULL
    UNION ALL
    SELECT s.id, s.slice, coalesce(c.paid_currency, s.currency), 0, 0, c.paid_minor
    FROM sent s
    JOIN delivery_claim c ON c.owner_id = s.id AND c.as_of = s.as_of
    WHERE c.paid_minor IS NOT NULL
)
SELECT
    slice,
    currency,
    count(DISTINCT id) AS waybills,
    CAST(sum(revenue) AS BIGINT) AS revenue_minor,
    CAST(sum(cost) AS BIGINT) AS cost_minor,
    CAST(sum(claims) AS BIGINT) AS claims_minor,
    CAST(sum(revenue - cost - claims) AS BIGINT) AS profit_minor,
    CAST(floor(sum(revenue - cost - claims) / count(DISTINCT id)) AS BIGINT) AS profit_each_minor,
    sum(revenue - cost - claims) * 1.0 / nullif(sum(revenue), 0) AS margin
FROM entry
GROUP BY slice, currency
