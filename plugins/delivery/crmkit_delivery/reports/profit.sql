-- Revenue, cost and profit of shipments after claims (W3): billed, else quoted; cost as it was recorded;
-- claims as they were paid. Rows are in one currency each.
WITH billed AS (
    SELECT owner_id, as_of, CAST(sum(billed_minor) AS BIGINT) AS minor
    FROM delivery_invoice_line
    GROUP BY owner_id, as_of
),
claimed AS (
    SELECT owner_id, as_of, CAST(sum(paid_minor) AS BIGINT) AS minor
    FROM delivery_claim
    GROUP BY owner_id, as_of
),
line AS (
    SELECT
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
        coalesce(w.price_quoted_currency, 'unknown') AS currency,
        coalesce(b.minor, w.price_quoted_minor, 0) AS revenue,
        coalesce(w.cost_pickup_minor, 0) + coalesce(w.cost_linehaul_minor, 0)
            + coalesce(w.cost_sort_minor, 0) + coalesce(w.cost_lastmile_minor, 0) AS cost,
        coalesce(c.minor, 0) AS claims
    FROM delivery_waybill w
    LEFT JOIN billed b ON b.owner_id = w.id AND b.as_of = w.as_of
    LEFT JOIN claimed c ON c.owner_id = w.id AND c.as_of = w.as_of
    WHERE $days = 0 OR date_diff('minute', w.ordered_at, w.as_of) < 1440 * $days
)
SELECT
    slice,
    currency,
    count(*) AS waybills,
    CAST(sum(revenue) AS BIGINT) AS revenue_minor,
    CAST(sum(cost) AS BIGINT) AS cost_minor,
    CAST(sum(claims) AS BIGINT) AS claims_minor,
    CAST(sum(revenue - cost - claims) AS BIGINT) AS profit_minor,
    CAST(floor(sum(revenue - cost - claims) / count(*)) AS BIGINT) AS profit_each_minor,
    sum(revenue - cost - claims) * 1.0 / nullif(sum(revenue), 0) AS margin
FROM line
GROUP BY slice, currency
