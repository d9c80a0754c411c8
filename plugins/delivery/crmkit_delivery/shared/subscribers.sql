-- Shared part: subscribers of rounds, and when they ended as the subscription says.
subscriber AS (
    SELECT
        id, subject_id, as_of, as_of_on, round, courier, previous_courier, handed_over_on, started_on, end_reason,
        CASE WHEN ended_on <= as_of_on THEN ended_on END AS ended_on
    FROM delivery_subscription
)
