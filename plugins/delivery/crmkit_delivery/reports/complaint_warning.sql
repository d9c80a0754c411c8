-- Complaints by region and topic: the last four weeks against the twelve before, with a warning where a
-- Poisson count of so many would come by chance less than once in a thousand (three standard deviations).
WITH told AS (
    SELECT
        coalesce(w.region, 'unknown') AS region,
        coalesce(c.topic, 'unknown') AS topic,
        c.days_before
    FROM delivery_complaint c
    LEFT JOIN delivery_waybill w ON w.id = c.record_id AND w.as_of = c.as_of
    WHERE c.days_before < 112
),
counted AS (
    SELECT
        region,
        topic,
        count(*) FILTER (WHERE days_before < 28) AS recent,
        count(*) FILTER (WHERE days_before >= 28) / 3.0 AS expected
    FROM told
    GROUP BY region, topic
)
SELECT
    region,
    topic,
    recent,
    expected,
    expected + 3 * sqrt(expected) AS upper_limit,
    recent >= 3 AND recent > expected + 3 * sqrt(expected) AS warning
FROM counted
