-- Customers whose last line has ended: how long ago and how.
WITH ended AS (
    SELECT subject_id, as_of, record_id
    FROM telecom_termination
    GROUP BY subject_id, as_of, record_id
),
line AS (
    SELECT s.subject_id, s.as_of, count(*) AS lines, count(e.record_id) AS ended
    FROM telecom_subscription s
    LEFT JOIN ended e
        ON e.subject_id = s.subject_id AND e.as_of = s.as_of AND e.record_id = s.id
    WHERE s.activated_on IS NULL OR s.activated_on <= s.as_of_on
    GROUP BY s.subject_id, s.as_of
),
latest AS (
    SELECT
        subject_id,
        as_of,
        days_before,
        kind,
        row_number() OVER (PARTITION BY subject_id, as_of ORDER BY occurred_at DESC, id DESC) AS place
    FROM telecom_termination
)
SELECT
    t.subject_id,
    t.as_of,
    t.days_before AS telecom_days_since_departure,
    t.kind AS telecom_departure_kind
FROM latest t
LEFT JOIN line l ON l.subject_id = t.subject_id AND l.as_of = t.as_of
WHERE t.place = 1 AND (l.lines IS NULL OR l.lines = l.ended)
