-- Of a subscription: whether it was lost with a courier who left, and how many its courier lost in 90
-- days against the others of the depot (D-R14).
WITH within AS (
    SELECT
        coalesce(courier, 'nobody') AS courier,
        as_of,
        depot,
        count(DISTINCT id) AS subscribers,
        count(*) FILTER (WHERE counts AND ended_ago < 90) AS lost
    FROM served
    WHERE to_ago < 90 OR (counts AND ended_ago < 90)
    GROUP BY coalesce(courier, 'nobody'), as_of, depot
),
beside AS (
    SELECT
        *,
        sum(subscribers) OVER (PARTITION BY as_of, depot) - subscribers AS near,
        sum(lost) OVER (PARTITION BY as_of, depot) - lost AS near_lost,
        sum(subscribers) OVER (PARTITION BY as_of) - subscribers AS far,
        sum(lost) OVER (PARTITION BY as_of) - lost AS far_lost
    FROM within
),
against AS (
    SELECT
        *,
        lost * 1.0 / subscribers AS rate,
        CASE WHEN near > 0 THEN near ELSE far END AS others,
        CASE WHEN near > 0 THEN near_lost ELSE far_lost END * 1.0 / nullif(CASE WHEN near > 0 THEN near ELSE far END, 0)
            AS others_rate
    FROM beside
),
bounded AS (
    SELECT *, wilson_low(rate, subscribers) AS low, wilson_high(others_rate, others) AS others_high
    FROM against
)
SELECT
    s.subject_id,
    s.as_of,
    CASE WHEN s.reason = 'courier_left' THEN s.ended_ago END
        AS delivery_lost_with_courier_days,
    coalesce(s.courier, 'nobody') AS delivery_served_by,
    coalesce(b.lost, 0) AS delivery_courier_lost_90d,
    coalesce(b.subscribers, 0) AS delivery_courier_served_90d,
    b.low AS delivery_courier_loss_low,
    b.others_high AS delivery_depot_loss_high
FROM served s
LEFT JOIN bounded b ON b.courier = coalesce(s.courier, 'nobody') AND b.as_of = s.as_of AND b.depot = s.depot
WHERE s.counts
