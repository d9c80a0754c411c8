-- What each channel brings and costs, and how often its bookings are not kept.
WITH booking AS (
    SELECT
        coalesce(channel, 'unknown') AS channel,
        coalesce(nights, coalesce(weekend_nights, 0) + coalesce(week_nights, 0)) AS nights,
        coalesce(adr_base_minor, 0) AS adr,
        -- A decimal, because 0.29 of 100 is 28.999... of binary fractions.
        CAST(coalesce(commission, 0) AS DECIMAL(9, 6)) AS commission,
        status IN ('in_house', 'checked_out') AS kept,
        status IN ('cancelled', 'no_show') AS lost
    FROM hotel_reservation
    WHERE arrival_on <= as_of_on AND date_diff('day', arrival_on, as_of_on) < $days
),
channel AS (
    SELECT
        channel,
        count(*) AS bookings,
        count_if(kept) AS kept,
        count_if(lost) AS lost,
        CAST(sum(CASE WHEN kept THEN nights ELSE 0 END) AS BIGINT) AS nights,
        sum(CASE WHEN kept THEN nights * adr ELSE 0 END) AS revenue,
        sum(CASE WHEN kept THEN nights * adr * commission ELSE 0 END) AS cost
    FROM booking
    GROUP BY channel
)
SELECT
    channel,
    bookings,
    bookings / sum(bookings) OVER () AS share,
    lost / nullif(kept + lost, 0) AS lost_rate,
    nights,
    CAST(round(revenue) AS BIGINT) AS revenue_minor,
    CAST(round(cost) AS BIGINT) AS cost_minor,
    CAST(cost AS DOUBLE) / nullif(revenue, 0) AS cost_rate,
    channel IN ('direct_web', 'desk', 'phone') AS is_direct
FROM channel
