-- Shipments whose first attempt was made: how many were delivered by it, and whose reason the others had.
WITH tried AS (
    SELECT owner_id, as_of, min(event_at) AS first_at
    FROM accepted
    WHERE status IN ('delivered', 'attempt_failed')
    GROUP BY owner_id, as_of
),
outcome_of AS (
    SELECT
        CASE
            WHEN $by = 'depot' THEN coalesce(w.depot, 'unknown')
            WHEN $by = 'courier' THEN coalesce(s.courier, w.courier, 'unknown')
            WHEN $by = 'product' THEN coalesce(w.product, 'unknown')
            WHEN $by = 'region' THEN coalesce(w.region, 'unknown')
            ELSE 'all'
        END AS slice,
        CASE
            WHEN s.status = 'delivered' THEN 'delivered'
            ELSE coalesce(s.responsible, e.responsible, 'unknown')
        END AS result
    FROM tried t
    JOIN accepted s ON s.owner_id = t.owner_id AND s.as_of = t.as_of AND s.event_at = t.first_at
        AND s.status IN ('delivered', 'attempt_failed')
    JOIN delivery_waybill w ON w.id = t.owner_id AND w.as_of = t.as_of
    LEFT JOIN excuse e ON e.reason = s.reason
    WHERE $days = 0 OR date_diff('minute', t.first_at, t.as_of) < 1440 * $days
),
counted AS (
    SELECT
        slice,
        count(*) AS tried,
        count(*) FILTER (WHERE result = 'delivered') AS delivered,
        count(*) FILTER (WHERE result = 'consignee') AS consignee,
        count(*) FILTER (WHERE result = 'carrier') AS carrier,
        count(*) FILTER (WHERE result NOT IN ('delivered', 'consignee', 'carrier')) AS others
    FROM outcome_of
    GROUP BY slice
),
rates AS (
    SELECT *, delivered * 1.0 / tried AS rate
    FROM counted
)
SELECT
    slice,
    tried,
    delivered,
    consignee,
    carrier,
    others,
    rate AS success_rate,
    wilson_low(rate, tried) AS success_low,
    wilson_high(rate, tried) AS success_high
FROM rates
