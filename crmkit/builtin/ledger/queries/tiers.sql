-- Who stands in each tier now, and how many moved in the period. Of two standings of a customer, from
-- before records were merged, the higher one counts.
WITH placed AS (
    SELECT
        scheme, tier, rank, grace_until,
        row_number() OVER (PARTITION BY scheme, subject_id ORDER BY rank DESC, id) AS place
    FROM ledger_standing
),
now AS (
    SELECT scheme, tier, min(rank) AS rank, count(*) AS customers, count(grace_until) AS in_grace
    FROM placed
    WHERE place = 1
    GROUP BY scheme, tier
),
moved AS (
    SELECT
        c.scheme,
        c.to_tier AS tier,
        count_if(c.move = 'enter') AS entered,
        count_if(c.move = 'up') AS upgraded,
        count_if(c.move = 'down') AS downgraded
    FROM ledger_tier_change c
    WHERE c.days_before < $days
    GROUP BY c.scheme, c.to_tier
)
SELECT
    n.scheme,
    n.rank,
    n.tier,
    n.customers,
    n.in_grace,
    coalesce(m.entered, 0) AS entered,
    coalesce(m.upgraded, 0) AS upgraded,
    coalesce(m.downgraded, 0) AS downgraded
FROM now n
LEFT JOIN moved m ON m.scheme = n.scheme AND m.tier = n.tier
