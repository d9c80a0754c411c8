-- The decision that stands of each application, with the outcome of its loan where it is known.
WITH ordered AS (
    SELECT
        d.*,
        row_number() OVER (PARTITION BY d.owner_id ORDER BY d.decided_at DESC, d.id DESC) AS place
    FROM banking_decision d
    WHERE d.role = 'champion'
),
standing AS (
    SELECT
        d.subject_id,
        d.as_of,
        d.id,
        d.points,
        d.pd,
        d.grade,
        d.proposed,
        d.outcome,
        CASE WHEN a.bad THEN 1 WHEN NOT a.bad THEN 0 END AS bad
    FROM ordered d
    JOIN banking_application a ON a.id = d.owner_id AND a.as_of = d.as_of
    WHERE d.place = 1
),
