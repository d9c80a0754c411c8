-- The stage that recency, frequency, value and complaints speak for, with the first ground in words.
-- Thresholds are crmkit's own and meant for a business with a few purchases a year: a year without a
-- purchase ends it, half a year where two complaints stand in the last 90 days; a customer of a year
-- with a purchase every other month, or among the fifth with the most revenue, is mature.
WITH ranked AS (
    SELECT
        subject_id,
        as_of,
        core_purchases_365d AS purchases,
        core_days_since_first_purchase AS customer_days,
        core_days_since_last_purchase AS silent_days,
        core_complaints_90d AS complaints,
        CASE WHEN core_revenue_365d_minor > 0 THEN
            ntile(5) OVER (ORDER BY coalesce(core_revenue_365d_minor, 0) DESC, subject_id)
        END AS fifth
    FROM feature
),
judged AS (
    SELECT
        subject_id,
        as_of,
        purchases,
        silent_days,
        complaints,
        CASE
            WHEN silent_days IS NULL THEN 'prospect'
            WHEN silent_days >= 365 OR (silent_days >= 180 AND complaints >= 2) THEN 'termination'
            WHEN customer_days >= 365 AND (purchases >= 6 OR fifth = 1) THEN 'maturity'
            WHEN purchases >= 2 THEN 'growth'
            ELSE 'development'
        END AS stage
    FROM ranked
)
SELECT
    subject_id,
    as_of,
    stage,
    CASE
        WHEN stage = 'prospect' THEN 'no purchase yet'
        WHEN stage = 'termination' AND silent_days < 365 THEN
            'no purchase for ' || CAST(silent_days AS VARCHAR) || ' days after '
            || CAST(complaints AS VARCHAR) || ' complaints'
        WHEN stage = 'termination' THEN
            'no purchase for ' || CAST(silent_days AS VARCHAR) || ' days'
        WHEN stage = 'maturity' AND purchases < 6 THEN 'among the fifth with the most revenue'
        WHEN purchases = 1 THEN '1 purchase in 365 days'
        ELSE CAST(purchases AS VARCHAR) || ' purchases in 365 days'
    END AS reason
FROM judged
