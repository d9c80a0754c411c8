-- Subscribers lost in the days asked for, by round or courier, with exposure (D-R14). A pause is no
-- loss. A part is flagged whose Wilson interval lies above the upper limit of the others: of a courier
-- those of the same depot, where there are any, else all.
WITH window_rows AS (
    SELECT
        id,
        CASE WHEN $by = 'courier' THEN coalesce(courier, 'nobody') WHEN $by = 'round' THEN coalesce(round, 'none') ELSE 'all' END
            AS part,
        CASE WHEN $by = 'courier' THEN depot ELSE 'all' END AS depot,
        reason,
        CASE WHEN counts AND ended_ago < $days THEN 1 ELSE 0 END AS lost,
        -- Days under risk within the window.
        greatest(least($days, from_ago + 1) - to_ago, 0) AS exposed_days
    FROM served
),
counted AS (
    SELECT
        part,
        depot,
        count(DISTINCT id) AS subscribers,
        CAST(sum(lost) AS BIGINT) AS lost,
        count(*) FILTER (WHERE lost = 1 AND reason = 'courier_left') AS courier_left,
        sum(exposed_days) / 30.4375 AS subscriber_months
    FROM window_rows
    WHERE exposed_days > 0 OR lost = 1
    GROUP BY part, depot
),
beside AS (
    SELECT
        *,
        sum(subscribers) OVER (PARTITION BY depot) - subscribers AS near,
        sum(lost) OVER (PARTITION BY depot) - lost AS near_lost,
        sum(subscribers) OVER () - subscribers AS far,
        sum(lost) OVER () - lost AS far_lost
    FROM counted
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
    SELECT
        *,
        wilson_low(rate, subscribers) AS low,
        wilson_high(rate, subscribers) AS high,
        wilson_high(others_rate, others) AS others_high
    FROM against
)
SELECT
    part,
    subscribers,
    lost,
    courier_left,
    subscriber_months,
    lost / nullif(subscriber_months, 0) AS lost_per_month,
    -- Byar's limits of a Poisson count.
    CASE WHEN lost > 0 THEN lost * power(1 - 1.0 / (9 * lost) - 1.959964 / (3 * sqrt(lost)), 3) ELSE 0.0 END
        / nullif(subscriber_months, 0) AS lost_per_month_low,
    (lost + 1) * power(1 - 1.0 / (9 * (lost + 1)) + 1.959964 / (3 * sqrt(lost + 1)), 3)
        / nullif(subscriber_months, 0) AS lost_per_month_high,
    rate AS loss_rate,
    low AS loss_low,
    high AS loss_high,
    others_high,
    coalesce(low > others_high, false) AS flagged
FROM bounded
