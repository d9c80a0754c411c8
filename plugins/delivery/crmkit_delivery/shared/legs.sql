-- Shared part: the 95 % point of the legs of each lane, by rank (nearest rank, ceil(0.95 n)).
-- A leg is the way between two scans that follow one another; time in which a shipment was held is none.
leg AS (
    SELECT owner_id, as_of, date_diff('minute', event_before, event_at) AS minutes
    FROM stands
    WHERE days_before < 90
        AND status IN ('picked_up', 'at_hub', 'in_transit', 'out_for_delivery')
        AND status_before IN ('picked_up', 'at_hub', 'in_transit', 'out_for_delivery')
),
leg_count AS (
    SELECT w.lane, l.as_of, l.minutes, count(*) AS legs
    FROM leg l
    JOIN delivery_waybill w ON w.id = l.owner_id AND w.as_of = l.as_of
    WHERE w.lane IS NOT NULL
    GROUP BY w.lane, l.as_of, l.minutes
),
leg_rank AS (
    SELECT
        lane,
        as_of,
        minutes,
        sum(legs) OVER (
            PARTITION BY lane, as_of ORDER BY minutes ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS up_to,
        sum(legs) OVER (PARTITION BY lane, as_of) AS all_legs
    FROM leg_count
),
lane_leg AS (
    SELECT lane, as_of, min(minutes) / 60.0 AS p95_hours, max(all_legs) AS legs
    FROM leg_rank
    WHERE up_to >= 0.95 * all_legs
    GROUP BY lane, as_of
)
