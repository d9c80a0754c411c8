-- What segments of guests bring: share of guests, of nights and of revenue by outlet.
WITH {visit},
spent AS (
    SELECT
        subject_id,
        CAST(sum(coalesce(nights, 0)) AS BIGINT) AS nights,
        CAST(sum(coalesce(revenue_room_base_minor, 0)) AS BIGINT) AS room,
        CAST(sum(coalesce(revenue_fnb_base_minor, 0)) AS BIGINT) AS fnb,
        CAST(sum(coalesce(revenue_spa_base_minor, 0)) AS BIGINT) AS spa,
        CAST(sum(coalesce(revenue_minibar_base_minor, 0) + coalesce(revenue_laundry_base_minor, 0)
            + coalesce(revenue_other_base_minor, 0)) AS BIGINT) AS other
    FROM hotel_stay
    WHERE checked_out_on <= as_of_on AND date_diff('day', checked_out_on, as_of_on) < $days
    GROUP BY subject_id
),
came AS (
    SELECT subject_id, count(*) AS stays
    FROM visit
    WHERE date_diff('day', checked_out_on, as_of_on) < $days
    GROUP BY subject_id
),
placed AS (
    SELECT
        s.*,
        c.stays,
        room + fnb + spa + other AS revenue,
        row_number() OVER (ORDER BY room + fnb + spa + other DESC, s.subject_id) AS place,
        count(*) OVER () AS guests
    FROM spent s
    JOIN came c ON c.subject_id = s.subject_id
),
grouped AS (
    SELECT
        p.*,
        CASE
            WHEN $by = 'stays' AND p.stays >= 5 THEN '5 and more stays'
            WHEN $by = 'stays' AND p.stays >= 2 THEN '2 to 4 stays'
            WHEN $by = 'stays' THEN 'one stay'
            WHEN $by = 'market' THEN coalesce(g.home_market, 'unknown')
            WHEN p.place <= ceil(0.01 * p.guests) THEN 'top 1 %'
            WHEN p.place <= ceil(0.05 * p.guests) THEN 'next 4 %'
            WHEN p.place <= ceil(0.20 * p.guests) THEN 'next 15 %'
            ELSE 'other 80 %'
        END AS segment
    FROM placed p
    LEFT JOIN hotel_customer g ON g.subject_id = p.subject_id
),
total AS (
    SELECT count(*) AS guests, CAST(sum(revenue) AS BIGINT) AS revenue FROM grouped
)
SELECT
    g.segment,
    count(*) AS guests,
    count(*) / max(t.guests) AS guest_share,
    CAST(sum(g.nights) AS BIGINT) AS nights,
    CAST(sum(g.revenue) AS BIGINT) AS revenue_minor,
    sum(g.revenue) / nullif(max(t.revenue), 0) AS revenue_share,
    sum(g.fnb + g.spa + g.other) / nullif(sum(g.revenue), 0) AS beside_room
FROM grouped g
CROSS JOIN total t
GROUP BY g.segment
