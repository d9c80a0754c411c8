-- Collections that fell due within the days asked for, and whether they were made by the planned time.
-- What was never collected is in it, and late; cancelled and expired orders are not.
WITH planned AS (
    SELECT
        CASE
            WHEN $by = 'shipper' THEN coalesce(w.shipper_code, 'unknown')
            WHEN $by = 'zone' THEN coalesce(w.origin_zone, 'unknown')
            WHEN $by = 'depot' THEN coalesce(w.origin_depot, 'unknown')
            ELSE 'all'
        END AS slice,
        CASE WHEN c.picked_up_at IS NOT NULL THEN 1 ELSE 0 END AS collected,
        CASE WHEN c.picked_up_at <= w.pickup_to THEN 1 ELSE 0 END AS on_time
    FROM delivery_waybill w
    LEFT JOIN current c ON c.owner_id = w.id AND c.as_of = w.as_of
    WHERE w.pickup_to < w.as_of AND coalesce(c.status, 'ordered') NOT IN ('cancelled', 'expired')
        AND ($days = 0 OR date_diff('minute', w.pickup_to, w.as_of) < 1440 * $days)
),
counted AS (
    SELECT
        slice,
        count(*) AS due,
        CAST(sum(collected) AS BIGINT) AS collected,
        CAST(sum(on_time) AS BIGINT) AS on_time,
        sum(on_time) * 1.0 / count(*) AS rate
    FROM planned
    GROUP BY slice
)
SELECT
    slice,
    due,
    collected,
    on_time,
    rate AS on_time_rate,
    wilson_low(rate, due) AS on_time_low,
    wilson_high(rate, due) AS on_time_high
FROM counted
