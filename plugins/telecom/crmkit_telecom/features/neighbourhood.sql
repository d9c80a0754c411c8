-- What happens around the customer: port-outs in the same household and the same city.
-- These look at other subjects, so the values hold for the population that was asked for.
WITH move AS (
    SELECT
        p.subject_id,
        p.as_of,
        t.household,
        t.city,
        coalesce(d.recent, 0) AS recent,
        coalesce(d.earlier, 0) AS earlier
    FROM population p
    JOIN telecom_customer t ON t.subject_id = p.subject_id AND t.as_of = p.as_of
    LEFT JOIN (
        SELECT
            subject_id,
            as_of,
            count_if(days_before < 60) AS recent,
            count_if(days_before >= 60) AS earlier
        FROM telecom_termination
        WHERE kind = 'voluntary' AND days_before < 120
        GROUP BY subject_id, as_of
    ) d ON d.subject_id = p.subject_id AND d.as_of = p.as_of
),
household AS (
    SELECT household, as_of, sum(recent) AS recent
    FROM move
    WHERE household IS NOT NULL
    GROUP BY household, as_of
),
city AS (
    SELECT city, as_of, sum(recent) AS recent, sum(earlier) AS earlier, count(*) AS customers
    FROM move
    WHERE city IS NOT NULL
    GROUP BY city, as_of
)
SELECT
    m.subject_id,
    m.as_of,
    CAST(coalesce(h.recent, 0) AS BIGINT) AS telecom_household_departures_60d,
    coalesce(c.recent / c.customers, 0) AS telecom_city_departure_share_60d,
    c.recent / nullif(c.earlier, 0) AS telecom_city_departure_ratio
FROM move m
LEFT JOIN household h ON h.household = m.household AND h.as_of = m.as_of
LEFT JOIN city c ON c.city = m.city AND c.as_of = m.as_of
