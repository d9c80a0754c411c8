-- Marked preparation lines by department and code, with Wilson's interval of the share fulfilled.
WITH line AS (
    SELECT
        department,
        code,
        count(*) AS n,
        count_if(result = 'met') AS met,
        count_if(result = 'partly') AS partly,
        count_if(result IN ('not_met', 'unavailable')) AS not_met
    FROM hotel_preparation
    WHERE result IN ('met', 'partly', 'not_met', 'unavailable')
        AND date_diff('day', arrival_on, as_of_on) >= 0
        AND date_diff('day', arrival_on, as_of_on) < $days
    GROUP BY department, code
),
rated AS (
    SELECT *, (met + 0.5 * partly) / n AS rate FROM line
)
SELECT
    department, code, n, met, partly, not_met, rate,
    (rate + 1.9207 / n - 1.96 * sqrt(rate * (1 - rate) / n + 0.9604 / (n * n))) / (1 + 3.8416 / n) AS low,
    (rate + 1.9207 / n + 1.96 * sqrt(rate * (1 - rate) / n + 0.9604 / (n * n))) / (1 + 3.8416 / n) AS high
FROM rated
