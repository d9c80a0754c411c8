-- Net promoter score and satisfaction by touchpoint, each with its number of answers and its interval.
WITH answer AS (
    SELECT coalesce(touchpoint, 'whole stay') AS touchpoint, nps, csat
    FROM hotel_survey
    WHERE (nps IS NOT NULL OR csat IS NOT NULL) AND days_before < $days
),
counted AS (
    SELECT
        touchpoint,
        count(nps) AS n,
        count_if(nps >= 9) / nullif(count(nps), 0) AS promoters,
        count_if(nps <= 6) / nullif(count(nps), 0) AS detractors,
        count(csat) AS csat_n,
        count_if(csat >= 4) / nullif(count(csat), 0) AS csat
    FROM answer
    GROUP BY touchpoint
),
rated AS (
    SELECT
        *,
        100 * (promoters - detractors) AS nps,
        100 * sqrt((promoters + detractors - power(promoters - detractors, 2)) / n) AS error,
        1.96 * sqrt((csat * (1 - csat) + power(1.96, 2) / (4 * csat_n)) / csat_n) AS csat_error
    FROM counted
)
SELECT
    touchpoint,
    n,
    promoters,
    detractors,
    nps,
    nps - 1.96 * error AS low,
    nps + 1.96 * error AS high,
    csat_n,
    csat,
    (csat + power(1.96, 2) / (2 * csat_n) - csat_error) / (1 + power(1.96, 2) / csat_n) AS csat_low,
    (csat + power(1.96, 2) / (2 * csat_n) + csat_error) / (1 + power(1.96, 2) / csat_n) AS csat_high
FROM rated
