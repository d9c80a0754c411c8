-- The service of each shipper with a contract against it, by month of the promise, and what is owed if
-- it is below (D-R12): the penalty rate is a share of freight for each percentage point.
WITH monthly AS (
    SELECT
        customer_id,
        as_of,
        CAST(date_trunc('month', promise_on) AS DATE) AS month_on,
        count(*) AS due,
        CAST(sum(on_time) AS BIGINT) AS on_time,
        CAST(sum(on_time_net) AS BIGINT) AS on_time_net,
        CAST(sum(coalesce(price_quoted_base_minor, 0)) AS BIGINT) AS freight
    FROM due
    WHERE promise_on IS NOT NULL AND (year(as_of_on) - year(promise_on)) * 12 + month(as_of_on) - month(promise_on) < $months
    GROUP BY customer_id, as_of, CAST(date_trunc('month', promise_on) AS DATE)
),
contract AS (
    SELECT customer_id, as_of, max(sla_target) AS target, max(penalty_rate) AS penalty_rate, max(price_tier) AS tier
    FROM delivery_shipper_account
    WHERE sla_target IS NOT NULL
    GROUP BY customer_id, as_of
),
rates AS (
    SELECT *, on_time * 1.0 / due AS gross, on_time_net * 1.0 / due AS net
    FROM monthly
)
SELECT
    m.customer_id,
    m.month_on,
    c.tier,
    m.due,
    gross AS on_time_rate,
    wilson_low(gross, due) AS on_time_low,
    wilson_high(gross, due) AS on_time_high,
    net AS on_time_net_rate,
    wilson_low(net, due) AS on_time_net_low,
    wilson_high(net, due) AS on_time_net_high,
    c.target,
    m.on_time_net < c.target * m.due AS below,
    CAST(floor(
        CASE
            WHEN m.on_time_net < c.target * m.due
                THEN (c.target - net) * 100 * coalesce(c.penalty_rate, 0) * m.freight
            ELSE 0
        END
    ) AS BIGINT) AS penalty_minor
FROM rates m
JOIN contract c ON c.customer_id = m.customer_id AND c.as_of = m.as_of
