-- Hours of each leg, from one scan to the next that follows it on the way, by lane: the 50 % and 95 %
-- points by nearest rank. Time in which a shipment was held is no leg.
WITH leg AS (
    SELECT
        CASE WHEN $by = 'lane' THEN coalesce(w.lane, 'unknown') ELSE 'all' END AS slice,
        s.status_before || ' to ' || s.status AS leg,
        date_diff('minute', s.event_before, s.event_at) AS minutes
    FROM stands s
    JOIN delivery_waybill w ON w.id = s.owner_id AND w.as_of = s.as_of
    WHERE s.status IN ('at_hub', 'in_transit', 'out_for_delivery', 'delivered', 'attempt_failed')
        AND s.status_before IN ('picked_up', 'at_hub', 'in_transit', 'out_for_delivery')
        AND ($days = 0 OR s.days_before < $days)
),
counted AS (
    SELECT slice, leg, minutes, count(*) AS legs
    FROM leg
    GROUP BY slice, leg, minutes
),
ranked AS (
    SELECT
        slice,
        leg,
        minutes,
        sum(legs) OVER (
            PARTITION BY slice, leg ORDER BY minutes ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS up_to,
        sum(legs) OVER (PARTITION BY slice, leg) AS all_legs
    FROM counted
)
SELECT
    slice,
    leg,
    CAST(max(all_legs) AS BIGINT) AS legs,
    min(CASE WHEN up_to >= 0.5 * all_legs THEN minutes END) / 60.0 AS p50_hours,
    min(CASE WHEN up_to >= 0.95 * all_legs THEN minutes END) / 60.0 AS p95_hours
FROM ranked
GROUP BY slice, leg
