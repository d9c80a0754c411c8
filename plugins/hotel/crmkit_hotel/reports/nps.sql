-- Net promoter score by touchpoint, with the number of answers and its interval.
WITH answer AS (
    SELECT coalesce(touchpoint, 'whole stay') AS touchpoint, nps
    FROM hotel_survey
    WHERE nps IS NOT NULL AND days_before < $days
),
counted AS (
    SELECT
        touchpoint,
        count(*) AS n,
        count_if(nps >= 9) / count(*) AS promoters,
        count_if(nps <= 6) / count(*) AS detractors
    FROM answer
    GROUP BY touchpoint
),
rated AS (
    SELECT
        *,
        100 * (promoters - detractors) AS nps,
        100 * sqrt((promoters + detractors - power(promoters - detractors, 2)) / n) AS error
    FROM counted
)
SELECT touchpoint, n, promoters, detractors, nps, nps - 1.96 * error AS low, nps + 1.96 * error AS high
FROM rated
