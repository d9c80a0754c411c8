-- Topics that rise in a region: an exponentially weighted mean of the last 8 weeks against what the
-- 26 weeks before them lead to expect. Week 0 ends with the as-of day.
WITH counted AS (
    SELECT
        coalesce(c.topic, '') AS topic,
        coalesce(c.region, '') AS region,
        date_diff('day', c.opened_on, c.as_of_on) // 7 AS week,
        count(*) AS cases
    FROM service_case c
    WHERE c.opened_at < c.as_of
        AND c.opened_on <= c.as_of_on
        AND date_diff('day', c.opened_on, c.as_of_on) < 238
        AND ($kind IS NULL OR c.kind = $kind)
    GROUP BY
        coalesce(c.topic, ''), coalesce(c.region, ''),
        date_diff('day', c.opened_on, c.as_of_on) // 7
),
series AS (
    SELECT
        topic,
        region,
        CAST(sum(CASE WHEN week >= 8 THEN cases ELSE 0 END) AS DOUBLE) / 26 AS expected,
        CAST(sum(CASE WHEN week = 0 THEN cases ELSE 0 END) AS BIGINT) AS this_week,
        sum(CASE WHEN week < 8 THEN 0.3 * power(0.7, week) * cases ELSE 0.0 END) AS recent
    FROM counted
    GROUP BY topic, region
),
charted AS (
    SELECT
        topic,
        region,
        this_week,
        expected,
        recent + power(0.7, 8) * expected AS ewma,
        expected + 3 * sqrt(expected) * sqrt(0.3 / 1.7) AS upper_limit
    FROM series
)
SELECT
    topic,
    region,
    this_week,
    expected,
    ewma,
    upper_limit,
    ewma > upper_limit AND this_week >= $at_least AS alarm
FROM charted
WHERE this_week > 0
