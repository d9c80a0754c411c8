-- Points owed by tier, and how much of what was earned has run out unspent (breakage).
WITH entry AS (
    SELECT
        subject_id,
        CAST(sum(amount) AS BIGINT) AS balance,
        CAST(sum(CASE WHEN amount > 0 THEN amount ELSE 0 END) AS BIGINT) AS earned,
        CAST(sum(CASE WHEN kind = 'expire' THEN -amount ELSE 0 END) AS BIGINT) AS expired
    FROM ledger_entry
    WHERE ledger = 'hotel.points'
    GROUP BY subject_id
),
tier AS (
    SELECT subject_id, arg_max(tier, rank) AS tier FROM ledger_standing WHERE scheme = 'hotel.club' GROUP BY subject_id
)
SELECT
    coalesce(t.tier, 'none') AS tier,
    count(*) AS members,
    CAST(sum(e.balance) AS BIGINT) AS outstanding,
    CAST(sum(e.earned) AS BIGINT) AS earned,
    CAST(sum(e.expired) AS BIGINT) AS expired,
    sum(e.expired) / nullif(sum(e.earned), 0) AS breakage
FROM entry e
LEFT JOIN tier t ON t.subject_id = e.subject_id
GROUP BY coalesce(t.tier, 'none')
