-- Shared part: who served each subscriber and when, in days before the as-of day, and with whom one who
-- ended was lost (D-R14). Up to the last day before the latest hand-over it was the one who handed over,
-- since then the other. A loss within 60 days of it is the leaver's, and counts as courier_left; the
-- depot is that of the courier who served.
dated AS (
    SELECT
        *,
        date_diff('day', started_on, as_of_on) AS started_ago,
        date_diff('day', ended_on, as_of_on) AS ended_ago,
        date_diff('day', handed_over_on, as_of_on) AS passed_ago
    FROM subscriber
),
judged AS (
    SELECT
        *,
        coalesce(passed_ago < 0 OR (ended_ago IS NOT NULL AND passed_ago - ended_ago <= 60), false) AS with_leaver
    FROM dated
),
turn AS (
    SELECT
        id, subject_id, as_of, round, courier, ended_ago, end_reason AS reason,
        NOT with_leaver AS counts,
        least(started_ago, passed_ago - 1) AS from_ago,
        coalesce(ended_ago, 0) AS to_ago
    FROM judged
    UNION ALL
    SELECT
        id, subject_id, as_of, round, previous_courier, ended_ago,
        CASE WHEN passed_ago >= ended_ago THEN 'courier_left' ELSE end_reason END,
        with_leaver,
        started_ago,
        greatest(passed_ago, coalesce(ended_ago, 0))
    FROM judged
    WHERE handed_over_on IS NOT NULL
),
home AS (
    SELECT code, as_of, max(depot) AS depot
    FROM delivery_courier
    GROUP BY code, as_of
),
served AS (
    SELECT t.*, coalesce(h.depot, 'unknown') AS depot
    FROM turn t
    LEFT JOIN home h ON h.code = t.courier AND h.as_of = t.as_of
    WHERE t.from_ago >= 0
)
