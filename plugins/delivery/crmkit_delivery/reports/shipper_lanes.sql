-- The lanes of each shipper: how many waybills, what share of the shipper's, and how late.
WITH sent AS (
    SELECT w.customer_id, coalesce(w.lane, 'unknown') AS lane, w.id, w.price_quoted_minor
    FROM delivery_waybill w
    WHERE $days = 0 OR date_diff('minute', w.ordered_at, w.as_of) < 1440 * $days
),
kept AS (
    SELECT id, on_time
    FROM due
),
counted AS (
    SELECT
        s.customer_id,
        s.lane,
        count(*) AS waybills,
        count(k.on_time) AS due,
        CAST(sum(k.on_time) AS BIGINT) AS on_time
    FROM sent s
    LEFT JOIN kept k ON k.id = s.id
    GROUP BY s.customer_id, s.lane
),
rates AS (
    SELECT *, on_time * 1.0 / nullif(due, 0) AS rate
    FROM counted
)
SELECT
    customer_id,
    lane,
    waybills,
    waybills * 1.0 / sum(waybills) OVER (PARTITION BY customer_id) AS share,
    due,
    rate AS on_time_rate,
    wilson_low(rate, due) AS on_time_low,
    wilson_high(rate, due) AS on_time_high
FROM rates
