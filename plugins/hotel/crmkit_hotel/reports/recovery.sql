-- Complaints by whether they were made good, and whether the guest came back afterwards.
WITH complaint AS (
    SELECT
        c.subject_id, c.id, c.occurred_at, c.occurred_on,
        coalesce(c.solved, false) AS solved,
        row_number() OVER (PARTITION BY c.subject_id ORDER BY c.occurred_at DESC, c.id DESC) AS place
    FROM hotel_complaint c
    WHERE c.days_before < $days
),
answered AS (
    SELECT c.subject_id, count(g.id) > 0 AS acted
    FROM complaint c
    LEFT JOIN hotel_recovery_gesture g
        ON g.subject_id = c.subject_id AND g.first_action AND g.occurred_at >= c.occurred_at
    WHERE c.place = 1
    GROUP BY c.subject_id
),
stayed AS (
    SELECT s.subject_id, max(s.checked_in_on) AS last_in_on, max(s.checked_out_on) AS last_out_on
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
        CASE WHEN c.subject_id IS NOT NULL THEN coalesce(s.last_in_on > c.occurred_on, false) END AS back
    FROM stayed s
    LEFT JOIN complaint c ON c.subject_id = s.subject_id AND c.place = 1
    LEFT JOIN answered a ON a.subject_id = s.subject_id
)
SELECT outcome, count(*) AS guests, count_if(back) AS back, count_if(back) / nullif(count(back), 0) AS return_rate
FROM guest
WHERE outcome <> 'no complaint'
GROUP BY outcome
