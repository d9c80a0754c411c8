-- Days from the collection to the first delivery: the 50 % and 95 % points by nearest rank. Shipments
-- that have not come are counted beside them, as leaving them out flatters the slow.
WITH way AS (
    SELECT
        CASE
            WHEN $by = 'lane' THEN coalesce(w.lane, 'unknown')
            WHEN $by = 'product' THEN coalesce(w.product, 'unknown')
            WHEN $by = 'depot' THEN coalesce(w.depot, 'unknown')
            WHEN $by = 'region' THEN coalesce(w.region, 'unknown')
            ELSE 'all'
        END AS slice,
        date_diff('minute', c.picked_up_at, c.delivered_at) AS minutes,
        w.id
    FROM delivery_waybill w
    JOIN current c ON c.owner_id = w.id AND c.as_of = w.as_of
    WHERE c.picked_up_at IS NOT NULL
        AND ($days = 0 OR date_diff('minute', c.picked_up_at, w.as_of) < 1440 * $days)
),
ranked AS (
    SELECT
        slice,
        minutes,
        row_number() OVER (PARTITION BY slice ORDER BY minutes, id) AS place,
        count(minutes) OVER (PARTITION BY slice) AS known,
        count(*) OVER (PARTITION BY slice) AS collected
    FROM way
)
SELECT
    slice,
    max(collected) AS collected,
    max(known) AS delivered,
    max(collected) - max(known) AS underway,
    min(CASE WHEN place >= 0.5 * known THEN minutes END) / 1440.0 AS p50_days,
    min(CASE WHEN place >= 0.95 * known THEN minutes END) / 1440.0 AS p95_days
FROM ranked
GROUP BY slice
