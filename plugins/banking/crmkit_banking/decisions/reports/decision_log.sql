-- Every decision that was filed, champions' and challengers', with what it takes to compute it again.
SELECT
    d.id AS decision_id,
    d.application,
    d.customer_id,
    d.decided_at,
    d.as_of_at,
    d.role,
    d.card_version,
    d.points,
    d.pd,
    d.grade,
    d.proposed,
    d.outcome,
    d.reasons,
    d.decided_by,
    d.seconded_by,
    d.override_reason,
    d.outcome <> d.proposed AND d.proposed <> 'refer' AND d.outcome <> 'withdrawn' AS override,
    d.points_by_input,
    d.inputs_hash
FROM banking_decision d
