-- Entries are filed once and never changed, so the balance at a date is their sum.
SELECT
    e.subject_id,
    e.as_of,
    CAST(sum(e.amount) AS BIGINT) AS ledger_points_balance,
    CAST(sum(CASE WHEN e.kind = 'earn' AND e.days_before < 365 THEN e.amount ELSE 0 END) AS BIGINT)
        AS ledger_points_earned_365d,
    CAST(sum(CASE WHEN e.kind = 'burn' AND e.days_before < 365 THEN -e.amount ELSE 0 END) AS BIGINT)
        AS ledger_points_spent_365d
FROM ledger_entry e
WHERE e.ledger = 'ledger.points'
GROUP BY e.subject_id, e.as_of
