-- Shipments that were delivered, and how many of them have every scan that a delivery needs: the
-- collection, the departure for delivery, the delivery, and between zones a hub.
WITH way AS (
    SELECT
        owner_id,
        as_of,
        max(CASE WHEN status = 'picked_up' THEN 1 ELSE 0 END) AS picked,
        max(CASE WHEN status = 'at_hub' THEN 1 ELSE 0 END) AS hub,
        max(CASE WHEN status = 'out_for_delivery' THEN 1 ELSE 0 END) AS leaves,
        max(CASE WHEN status = 'delivered' THEN 1 ELSE 0 END) AS came,
        max(CASE WHEN status = 'delivered' THEN event_at END) AS came_at,
        max(CASE WHEN recorded_at IS NOT NULL AND date_diff('minute', event_at, recorded_at) > 60 THEN 1 ELSE 0 END)
            AS tardy,
        count(*) FILTER (WHERE anomaly IS NOT NULL) AS anomalies
    FROM seen
    GROUP BY owner_id, as_of
),
judged AS (
    SELECT
        coalesce(w.depot, 'unknown') AS depot,
        CASE
            WHEN y.picked = 1 AND y.leaves = 1 AND (y.hub = 1 OR w.scope = 'same_city') THEN 1
            ELSE 0
        END AS complete,
        y.tardy,
        y.anomalies
    FROM way y
    JOIN delivery_waybill w ON w.id = y.owner_id AND w.as_of = y.as_of
    WHERE y.came = 1 AND ($days = 0 OR date_diff('minute', y.came_at, y.as_of) < 1440 * $days)
),
counted AS (
    SELECT
        depot,
        count(*) AS delivered,
        CAST(sum(complete) AS BIGINT) AS complete,
        CAST(sum(tardy) AS BIGINT) AS tardy,
        CAST(sum(anomalies) AS BIGINT) AS anomalies
    FROM judged
    GROUP BY depot
),
rates AS (
    SELECT *, complete * 1.0 / delivered AS rate
    FROM counted
)
SELECT
    depot,
    delivered,
    complete,
    tardy,
    anomalies,
    rate AS complete_rate,
    wilson_low(rate, delivered) AS complete_low,
    wilson_high(rate, delivered) AS complete_high
FROM rates
