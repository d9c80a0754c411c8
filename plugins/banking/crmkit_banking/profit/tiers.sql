-- Tiers of a scheme: who stands in them, what they hold and bring, and who moved in the period.
-- Of two standings of a customer, from before records were merged, the higher one counts.
WITH standing AS (
    SELECT
        subject_id, tier, rank, grace_until,
        row_number() OVER (PARTITION BY subject_id ORDER BY rank DESC, id) AS place
    FROM ledger_standing
    WHERE scheme = $scheme
),
valued AS (
    SELECT
        s.*,
        coalesce(f.banking_assets_minor, 0) AS deposits,
        coalesce(f.banking_outstanding_minor, 0) AS loans,
        CASE
            WHEN $basis = 'deposit' THEN coalesce(f.banking_deposit_contribution_minor, 0)
            WHEN $basis = 'loan' THEN coalesce(f.banking_loan_contribution_minor, 0)
            ELSE coalesce(f.banking_contribution_minor, 0)
        END AS contribution
    FROM standing s
    LEFT JOIN feature f ON f.subject_id = s.subject_id
    WHERE s.place = 1
),
moved AS (
    SELECT
        c.to_tier AS tier,
        count_if(c.move = 'up') AS risen,
        count_if(c.move = 'down') AS fallen,
        count_if(c.move = 'enter') AS entered
    FROM ledger_tier_change c
    WHERE c.scheme = $scheme AND c.days_before < $days
    GROUP BY c.to_tier
),
summed AS (
    SELECT
        rank,
        tier,
        count(*) AS customers,
        count(grace_until) AS in_grace,
        sum(deposits) AS deposits,
        sum(loans) AS loans,
        sum(contribution) AS contribution
    FROM valued
    GROUP BY rank, tier
)
SELECT
    s.rank,
    s.tier,
    s.customers,
    s.customers / sum(s.customers) OVER () AS customer_share,
    s.in_grace,
    CAST(s.deposits AS BIGINT) AS deposits_minor,
    CAST(s.loans AS BIGINT) AS loans_minor,
    CAST(s.contribution AS BIGINT) AS contribution_minor,
    s.contribution / nullif(sum(s.contribution) OVER (), 0) AS contribution_share,
    -- From the best tier down: the 80/20 curve.
    sum(s.contribution) OVER (ORDER BY s.rank DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
        / nullif(sum(s.contribution) OVER (), 0) AS cumulated_share,
    coalesce(m.risen, 0) AS risen,
    coalesce(m.fallen, 0) AS fallen,
    coalesce(m.entered, 0) AS entered
FROM summed s
LEFT JOIN moved m ON m.tier = s.tier
