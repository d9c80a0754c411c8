-- Subscribers lost in the days asked for, by round or courier, with exposure (D-R14). A pause is no
-- loss. A loss within 60 days of a hand-over is the leaver's, and counts as courier_left. A part is
-- flagged whose Wilson interval lies above the rate of all the others together.
WITH served AS (
    SELECT
        s.id,
        s.round,
        s.as_of_on,
        CASE
            WHEN s.ended_on IS NOT NULL AND s.handed_over_on IS NOT NULL
                AND date_diff('day', s.handed_over_on, s.ended_on) BETWEEN 0 AND 60 THEN s.previous_courier
            ELSE s.courier
        END AS courier,
        CASE
            WHEN s.ended_on IS NOT NULL AND s.handed_over_on IS NOT NULL
                AND date_diff('day', s.handed_over_on, s.ended_on) BETWEEN 0 AND 60 THEN 'courier_left'
            ELSE s.end_reason
        END AS reason,
        CASE WHEN s.ended_on <= s.as_of_on THEN s.ended_on END AS ended_on,
        s.started_on
    FROM delivery_subscription s
),
window_rows AS (
    SELECT
        CASE WHEN $by = 'courier' THEN coalesce(courier, 'nobody') WHEN $by = 'round' THEN coalesce(round, 'none') ELSE 'all' END
            AS part,
        reason,
        CASE WHEN ended_on IS NOT NULL THEN 1 ELSE 0 END AS lost,
        -- Days under risk within the window.
        greatest(
            least($days, date_diff('day', started_on, as_of_on) + 1)
            - CASE WHEN ended_on IS NULL THEN 0 ELSE date_diff('day', ended_on, as_of_on) END,
            0
        ) AS exposed_days
    FROM served
    WHERE started_on <= as_of_on
        AND (ended_on IS NULL OR date_diff('day', ended_on, as_of_on) < $days)
),
counted AS (
    SELECT
        part,
        count(*) AS subscribers,
        CAST(sum(lost) AS BIGINT) AS lost,
        count(*) FILTER (WHERE lost = 1 AND reason = 'courier_left') AS courier_left,
        sum(exposed_days) / 30.4375 AS subscriber_months
    FROM window_rows
    GROUP BY part
),
against AS (
    SELECT
        *,
        lost * 1.0 / subscribers AS rate,
        (sum(lost) OVER () - lost) * 1.0 / nullif(sum(subscribers) OVER () - subscribers, 0) AS others_rate,
        sum(subscribers) OVER () - subscribers AS others,
        3.841459 AS z2
    FROM counted
),
bounded AS (
    SELECT
        *,
        greatest((rate + z2 / (2 * subscribers) - sqrt(z2 * (rate * (1 - rate) + z2 / (4 * subscribers)) / subscribers)) / (1 + z2 / subscribers), 0.0) AS low,
        least((rate + z2 / (2 * subscribers) + sqrt(z2 * (rate * (1 - rate) + z2 / (4 * subscribers)) / subscribers)) / (1 + z2 / subscribers), 1.0) AS high,
        -- The upper limit of the depot's others, by the same interval.
        (others_rate + z2 / (2 * others) + sqrt(z2 * (others_rate * (1 - others_rate) + z2 / (4 * others)) / others)) / (1 + z2 / others)
            AS others_high
    FROM against
)
SELECT
    part,
    subscribers,
    lost,
    courier_left,
    subscriber_months,
    lost / nullif(subscriber_months, 0) AS lost_per_month,
    rate AS loss_rate,
    low AS loss_low,
    high AS loss_high,
    others_high,
    coalesce(low > others_high, false) AS flagged
FROM bounded
