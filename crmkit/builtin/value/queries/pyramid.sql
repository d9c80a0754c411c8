-- Customers with revenue or cost, best first, cut into the tiers of a scheme by shares of their
-- number; a tier reaches as far as its share begins, so that the smallest base has a best customer.
-- The same a number of days before says who has moved.
, scheme AS (
    SELECT rank, tier, CAST(round(up_to * 10000) AS BIGINT) AS up_to
    FROM (
        SELECT 'curry' AS scheme, 1 AS rank, 'top' AS tier, 0.01 AS up_to
        UNION ALL SELECT 'curry', 2, 'big', 0.05
        UNION ALL SELECT 'curry', 3, 'medium', 0.20
        UNION ALL SELECT 'curry', 4, 'small', 1.0
        UNION ALL SELECT 'pareto', 1, 'vital few', 0.20
        UNION ALL SELECT 'pareto', 2, 'useful many', 1.0
        UNION ALL SELECT t.scheme, t.rank, t.tier, t.up_to FROM value_tier t
    ) s
    WHERE s.scheme = $scheme
),
placed AS (
    SELECT
        period,
        subject_id,
        revenue,
        cost,
        contribution,
        row_number() OVER (
            PARTITION BY period ORDER BY
            CASE WHEN $measure = 'revenue' THEN revenue ELSE contribution END DESC, subject_id
        ) AS place,
        count(*) OVER (PARTITION BY period) AS size
    FROM own
    WHERE active AND revenue IS NOT NULL
),
tiered AS (
    SELECT
        p.period,
        p.subject_id,
        p.revenue,
        p.cost,
        p.contribution,
        min(s.rank) AS rank
    FROM placed p
    JOIN scheme s ON (p.place - 1) * 10000 < s.up_to * p.size
    GROUP BY p.period, p.subject_id, p.revenue, p.cost, p.contribution
),
moved AS (
    SELECT n.rank, n.revenue, n.cost, n.contribution, b.rank AS rank_before
    FROM tiered n
    LEFT JOIN tiered b ON b.subject_id = n.subject_id AND b.period = 1
    WHERE n.period = 0
),
gone AS (
    SELECT b.rank, count(*) AS customers
    FROM tiered b
    LEFT JOIN tiered n ON n.subject_id = b.subject_id AND n.period = 0
    WHERE b.period = 1 AND n.subject_id IS NULL
    GROUP BY b.rank
),
summed AS (
    SELECT
        rank,
        count(*) AS customers,
        CAST(sum(revenue) AS BIGINT) AS revenue,
        CAST(sum(cost) AS BIGINT) AS cost,
        CAST(sum(contribution) AS BIGINT) AS contribution,
        count(*) FILTER (WHERE rank_before > rank) AS risen,
        count(*) FILTER (WHERE rank_before < rank) AS fallen,
        count(*) FILTER (WHERE rank_before IS NULL) AS new
    FROM moved
    GROUP BY rank
)
SELECT
    s.rank,
    s.tier,
    coalesce(m.customers, 0) AS customers,
    coalesce(m.revenue, 0) AS revenue_minor,
    coalesce(m.cost, 0) AS cost_minor,
    coalesce(m.contribution, 0) AS contribution_minor,
    coalesce(m.risen, 0) AS risen,
    coalesce(m.fallen, 0) AS fallen,
    coalesce(m.new, 0) AS new,
    coalesce(g.customers, 0) AS gone
FROM scheme s
LEFT JOIN summed m ON m.rank = s.rank
LEFT JOIN gone g ON g.rank = s.rank
