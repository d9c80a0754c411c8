-- Marked preparation lines by department and code, with Wilson's interval of the share fulfilled.
WITH kept AS (
    -- As the booking stands now: it may have been moved or cancelled since the line was built.
    SELECT p.department, p.code, p.result, p.as_of_on, coalesce(r.arrival_on, p.arrival_on) AS arrival_on
    FROM hotel_preparation p
    LEFT JOIN hotel_reservation r ON r.id = p.owner_id AND r.as_of = p.as_of
    WHERE coalesce(r.status, 'unknown') NOT IN ('cancelled', 'no_show')
),
line AS (
    SELECT
        department,
        code,
        count(*) AS n,
        count_if(result = 'met') AS met,
        count_if(result = 'partly') AS partly,
        count_if(result IN ('not_met', 'unavailable')) AS not_met
    FROM kept
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
