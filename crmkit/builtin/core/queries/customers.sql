-- One row a customer: who they are to us, where they stand, and how they behave.
WITH stood AS (
    SELECT
        subject_id,
        to_stage,
        row_number() OVER (PARTITION BY subject_id ORDER BY c.at DESC, c.id DESC) AS from_last
    FROM stage_change c
    WHERE lifecycle = 'core.customer'
)
SELECT
    c.customer_id,
    c.kind,
    c.region,
    c.owner,
    s.to_stage AS stage,
    f.core_days_since_last_interaction AS silent_days,
    f.core_interactions_90d AS interactions_90d,
    f.core_purchases_365d AS purchases_365d,
    f.core_revenue_365d_minor AS revenue_365d_minor,
    f.core_complaints_90d AS complaints_90d
FROM customer c
LEFT JOIN feature f ON f.subject_id = c.subject_id
LEFT JOIN stood s ON s.subject_id = c.subject_id AND s.from_last = 1
WHERE c.merged_into IS NULL AND ($stage IS NULL OR s.to_stage = $stage)
