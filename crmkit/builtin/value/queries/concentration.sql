-- Customers from the best down, and how much of the whole they have brought together.
, measured AS (
    SELECT subject_id, CASE WHEN $measure = 'revenue' THEN revenue ELSE contribution END AS measure
    FROM own
    WHERE ($base = 'all' OR active) AND revenue IS NOT NULL
),
placed AS (
    SELECT
        row_number() OVER (ORDER BY measure DESC, subject_id) AS place,
        count(*) OVER () AS size,
        CAST(sum(measure) OVER (
            ORDER BY measure DESC, subject_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS BIGINT) AS together,
        CAST(sum(measure) OVER () AS BIGINT) AS whole
    FROM measured
),
-- A hundred points at most: the customer with whom each hundredth is complete.
point AS (
    SELECT 'curve' AS what, place * 100 // size AS position, place, size, together, whole
    FROM placed
    WHERE place * 100 // size > (place - 1) * 100 // size
    UNION ALL
    SELECT 'answer', 0, place, size, together, whole
    FROM placed
    WHERE whole > 0 AND together >= $share * whole
    QUALIFY row_number() OVER (ORDER BY place) = 1
)
SELECT
    what,
    position,
    place AS customers,
    CAST(place AS DOUBLE) / nullif(size, 0) AS customer_share,
    together AS together_minor,
    CAST(CASE WHEN whole > 0 THEN together END AS DOUBLE) / nullif(whole, 0) AS measure_share
FROM point
