-- Goods, money and data of each courier's day reconciled, and the commission on what was handed in (W6).
WITH stated AS (
    SELECT
        d.id,
        d.courier,
        d.day AS day_on,
        coalesce(d.round, '') AS round,
        d.loaded,
        d.delivered,
        d.returned,
        d.cash_due_base_minor,
        d.cash_remitted_base_minor,
        d.drops_planned,
        d.drops_recorded,
        d.commission_rate,
        -- Of the assignment that is in force on the day; of two, the one that began last.
        a.commission_rate AS assigned_rate,
        row_number() OVER (PARTITION BY d.id ORDER BY a.starts_on DESC, a.id DESC) AS place
    FROM delivery_courier_day d
    LEFT JOIN delivery_courier_assignment a
        ON a.courier = d.courier AND a.round = d.round AND a.starts_on <= d.day
        AND (a.ends_on IS NULL OR a.ends_on >= d.day)
    WHERE date_diff('day', d.day, d.as_of_on) < $days AND ($courier = '' OR d.courier = $courier)
),
-- What a sheet leaves blank was not delivered, returned, handed in or recorded.
sheet AS (
    SELECT
        courier,
        day_on,
        round,
        loaded,
        coalesce(delivered, 0) AS delivered,
        coalesce(returned, 0) AS returned,
        cash_due_base_minor AS due,
        coalesce(cash_remitted_base_minor, 0) AS remitted,
        drops_planned - coalesce(drops_recorded, 0) AS drops_unrecorded,
        -- A decimal, because 0.29 of 100 is 28.999... of binary fractions.
        CAST(coalesce(commission_rate, assigned_rate) AS DECIMAL(18, 9)) AS rate
    FROM stated
    WHERE place = 1
)
SELECT
    courier,
    day_on,
    round,
    loaded,
    delivered,
    returned,
    loaded - delivered - returned AS missing,
    due AS cash_due_minor,
    remitted AS cash_remitted_minor,
    due - remitted AS short_minor,
    drops_unrecorded,
    CAST(floor(remitted * rate) AS BIGINT) AS commission_minor,
    coalesce(loaded, 0) = delivered + returned
        AND coalesce(due, 0) = remitted
        AND coalesce(drops_unrecorded, 0) = 0 AS balanced
FROM sheet
