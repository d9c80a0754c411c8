-- The stage in which every guest ought to be, and the first ground for it.
-- Two years without a stay: lapsed. Five completed stays, or three in the last year: a regular.
WITH {visit},
stay AS (
    SELECT
        subject_id,
        as_of,
        count(*) AS stays,
        count(*) FILTER (WHERE date_diff('day', checked_out_on, as_of_on) < 365) AS year_stays,
        max(checked_out_on) AS last_on
    FROM visit
    GROUP BY subject_id, as_of
),
known AS (
    SELECT
        p.subject_id,
        p.as_of,
        coalesce(s.stays, 0) + coalesce(g.stated_stays, 0) AS stays,
        coalesce(s.year_stays, 0) AS year_stays,
        date_diff('day', s.last_on, p.as_of_on) AS silent,
        coalesce(g.vip_level, 'none') AS vip
    FROM population p
    LEFT JOIN stay s ON s.subject_id = p.subject_id AND s.as_of = p.as_of
    LEFT JOIN hotel_customer g ON g.subject_id = p.subject_id AND g.as_of = p.as_of
)
SELECT
    subject_id,
    as_of,
    CASE
        WHEN stays = 0 THEN 'prospect'
        WHEN silent >= 730 THEN 'lapsed'
        WHEN vip <> 'none' THEN 'vip'
        WHEN stays >= 5 OR year_stays >= 3 THEN 'regular'
        WHEN stays >= 2 THEN 'returning'
        ELSE 'first-time'
    END AS stage,
    CASE
        WHEN stays = 0 THEN 'no completed stay'
        WHEN silent >= 730 THEN 'days since the last stay: ' || CAST(silent AS VARCHAR)
        WHEN vip <> 'none' THEN 'VIP level ' || vip
        ELSE 'completed stays: ' || CAST(stays AS VARCHAR)
    END AS reason
FROM known
