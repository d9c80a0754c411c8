-- What customers hold in each ledger, and what was earned, spent and lost in the period.
SELECT
    e.ledger,
    count(DISTINCT e.subject_id) AS customers,
    CAST(sum(e.amount) AS BIGINT) AS outstanding,
    CAST(sum(CASE WHEN e.kind = 'earn' AND e.days_before < $days THEN e.amount ELSE 0 END) AS BIGINT) AS earned,
    CAST(sum(CASE WHEN e.kind = 'burn' AND e.days_before < $days THEN -e.amount ELSE 0 END) AS BIGINT) AS spent,
    CAST(sum(CASE WHEN e.kind = 'expire' AND e.days_before < $days THEN -e.amount ELSE 0 END) AS BIGINT) AS expired,
    CASE
        WHEN sum(CASE WHEN e.kind = 'earn' THEN e.amount ELSE 0 END) > 0
        THEN CAST(sum(CASE WHEN e.kind = 'expire' THEN -e.amount ELSE 0 END) AS DOUBLE)
            / CAST(sum(CASE WHEN e.kind = 'earn' THEN e.amount ELSE 0 END) AS DOUBLE)
    END AS breakage
FROM ledger_entry e
GROUP BY e.ledger
