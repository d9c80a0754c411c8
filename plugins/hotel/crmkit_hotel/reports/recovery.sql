-- Complaints by whether they were made good, how soon, and whether the guest came back afterwards,
-- beside guests who stayed and did not complain.
WITH complaint AS (
    SELECT
        c.subject_id, c.id, c.occurred_at, c.occurred_on,
        coalesce(c.solved, false) AS solved,
        row_number() OVER (PARTITION BY c.subject_id ORDER BY c.occurred_at DESC, c.id DESC) AS place
    FROM hotel_complaint c
    WHERE c.days_before < $days
),
answered AS (
    SELECT c.subject_id, count(g.id) > 0 AS acted, min(g.minutes_after) AS minutes
    FROM complaint c
    LEFT JOIN hotel_recovery_gesture g
        ON g.subject_id = c.subject_id AND g.first_action AND g.occurred_at >= c.occurred_at
    WHERE c.place = 1
    GROUP BY c.subject_id
),
stayed AS (
    SELECT
        s.subject_id,
        max(s.checked_in_on) AS last_in_on,
        min(CASE WHEN date_diff('day', s.checked_out_on, s.as_of_on) < $days THEN s.checked_out_on END) AS first_out_on
    FROM hotel_stay s
    WHERE s.checked_out_on <= s.as_of_on
    GROUP BY s.subject_id
),
guest AS (
    SELECT
        s.subject_id,
        CASE
            WHEN c.subject_id IS NULL THEN 'no complaint'
            WHEN c.solved AND a.acted THEN 'recovered'
            WHEN c.solved THEN 'solved, nothing given'
            ELSE 'not solved'
        END AS outcome,
        a.minutes,
        coalesce(s.last_in_on > coalesce(c.occurred_on, s.first_out_on), false) AS back
    FROM stayed s
    LEFT JOIN complaint c ON c.subject_id = s.subject_id AND c.place = 1
    LEFT JOIN answered a ON a.subject_id = s.subject_id
    WHERE c.subject_id IS NOT NULL OR s.first_out_on IS NOT NULL
)
SELECT
    outcome,
    count(*) AS guests,
    count_if(back) AS back,
    count_if(back) / count(*) AS return_rate,
    avg(minutes) AS first_action_minutes
FROM guest
GROUP BY outcome
