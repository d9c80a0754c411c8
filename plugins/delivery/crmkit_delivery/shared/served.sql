-- Shared part: with whom a subscriber who ended was lost (D-R14). A loss within 60 days of a hand-over
-- is the leaver's, and counts as courier_left; the depot is that of the courier with whom it counts.
attributed AS (
    SELECT
        id, subject_id, as_of, as_of_on, round, started_on, ended_on,
        CASE
            WHEN ended_on IS NOT NULL AND date_diff('day', handed_over_on, ended_on) BETWEEN 0 AND 60
                THEN previous_courier
            ELSE courier
        END AS courier,
        CASE
            WHEN ended_on IS NOT NULL AND date_diff('day', handed_over_on, ended_on) BETWEEN 0 AND 60
                THEN 'courier_left'
            ELSE end_reason
        END AS reason
    FROM subscriber
),
home AS (
    SELECT code, as_of, max(depot) AS depot
    FROM delivery_courier
    GROUP BY code, as_of
),
served AS (
    SELECT a.*, coalesce(h.depot, 'unknown') AS depot
    FROM attributed a
    LEFT JOIN home h ON h.code = a.courier AND h.as_of = a.as_of
)
