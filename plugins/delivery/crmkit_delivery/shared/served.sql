-- Shared part: subscribers of rounds, and with whom one who ended was lost (D-R14). A loss within 60
-- days of a hand-over is the leaver's, and counts as courier_left; the leaver's depot is the courier's.
attributed AS (
    SELECT
        s.id, s.subject_id, s.as_of, s.as_of_on, s.round, s.started_on,
        CASE WHEN s.ended_on <= s.as_of_on THEN s.ended_on END AS ended_on,
        CASE
            WHEN s.ended_on IS NOT NULL AND s.handed_over_on IS NOT NULL
                AND date_diff('day', s.handed_over_on, s.ended_on) BETWEEN 0 AND 60 THEN s.previous_courier
            ELSE s.courier
        END AS courier,
        CASE
            WHEN s.ended_on IS NOT NULL AND s.handed_over_on IS NOT NULL
                AND date_diff('day', s.handed_over_on, s.ended_on) BETWEEN 0 AND 60 THEN 'courier_left'
            ELSE s.end_reason
        END AS reason
    FROM delivery_subscription s
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
