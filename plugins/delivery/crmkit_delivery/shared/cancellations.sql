-- Shared part: subscribers of rounds, and when they ended as the cancellation says: the field of the
-- subscription is an outcome, which features do not see.
cancelled AS (
    SELECT subject_id, as_of, max(occurred_on) AS ended_on
    FROM delivery_cancellation
    GROUP BY subject_id, as_of
),
subscriber AS (
    SELECT
        s.id, s.subject_id, s.as_of, s.as_of_on, s.round, s.courier, s.previous_courier, s.handed_over_on,
        s.started_on, CAST(NULL AS VARCHAR) AS end_reason, c.ended_on
    FROM delivery_subscription s
    LEFT JOIN cancelled c ON c.subject_id = s.subject_id AND c.as_of = s.as_of
)
