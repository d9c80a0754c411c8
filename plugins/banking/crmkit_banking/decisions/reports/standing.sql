-- The decision that stands of each application, with the outcome of its loan where it is known. An
-- approval of less than is applied for now does not stand: a person or the card decides anew.
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
        CASE
            WHEN d.outcome = 'approve' AND (
                a.amount_minor > d.amount_minor OR a.amount_currency <> d.amount_currency
                OR a.term_months > d.term_months
            ) THEN 'refer'
            ELSE d.outcome
        END AS outcome,
        -- Whether a card could learn from the outcome before it decided.
        CASE
            WHEN d.outcome_known THEN 'before the decision'
            WHEN NOT d.outcome_known THEN 'after the decision'
            ELSE 'not recorded'
        END AS sample,
        CASE WHEN a.bad THEN 1 WHEN NOT a.bad THEN 0 END AS bad
    FROM ordered d
    JOIN banking_application a ON a.id = d.owner_id AND a.as_of = d.as_of
    WHERE d.place = 1
),
