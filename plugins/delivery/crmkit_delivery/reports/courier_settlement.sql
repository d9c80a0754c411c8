-- Goods, money and data of each courier's day reconciled, and the commission on what was handed in (W6).
SELECT
    courier,
    day AS day_on,
    coalesce(round, '') AS round,
    loaded,
    delivered,
    returned,
    loaded - delivered - returned AS missing,
    cash_due_minor,
    cash_remitted_minor,
    cash_due_minor - cash_remitted_minor AS short_minor,
    drops_planned - drops_recorded AS drops_unrecorded,
    CAST(floor(cash_remitted_minor * coalesce(commission_rate, 0)) AS BIGINT) AS commission_minor,
    loaded = delivered + returned AND cash_due_minor = cash_remitted_minor AND drops_planned = drops_recorded
        AS balanced
FROM delivery_courier_day
WHERE date_diff('day', day, as_of_on) < $days AND ($courier = '' OR courier = $courier)
