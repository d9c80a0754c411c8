-- Who left: customers and leavers by each value of each dimension, with the rate and its interval.
-- A customer has left when none of their lines is running; the dearest line speaks for the others.
WITH line AS (
    SELECT
        s.*,
        coalesce(
            (year(s.last_on) - year(s.activated_on)) * 12 + month(s.last_on) - month(s.activated_on)
                - CASE WHEN day(s.last_on) < day(s.activated_on) AND month(s.last_on + 1) = month(s.last_on) THEN 1 ELSE 0 END,
            s.tenure_months
        ) AS tenure,
        row_number() OVER (
            PARTITION BY s.subject_id ORDER BY coalesce(s.monthly_fee_base_minor, 0) DESC, s.id
        ) AS place,
        max(CASE WHEN s.status IN ('terminated', 'ported_out') THEN 0 ELSE 1 END)
            OVER (PARTITION BY s.subject_id) AS stays
    FROM (SELECT *, coalesce(ended_on, as_of_on) AS last_on FROM telecom_subscription) s
    WHERE s.status IS NOT NULL
),
base AS (
    SELECT
        l.subject_id,
        1 - l.stays AS gone,
        l.contract_type,
        l.internet_service,
        l.payment_method,
        l.payment_model,
        l.plan_code,
        CASE WHEN l.paperless_billing THEN 'yes' WHEN NOT l.paperless_billing THEN 'no' END AS paperless,
        CASE
            WHEN l.tenure < 6 THEN '00-05 months'
            WHEN l.tenure < 12 THEN '06-11 months'
            WHEN l.tenure < 24 THEN '12-23 months'
            WHEN l.tenure < 48 THEN '24-47 months'
            WHEN l.tenure >= 48 THEN '48 months and more'
        END AS tenure_band,
        c.region,
        CASE WHEN t.senior THEN 'yes' WHEN NOT t.senior THEN 'no' END AS senior
    FROM line l
    LEFT JOIN customer c ON c.subject_id = l.subject_id
    LEFT JOIN telecom_customer t ON t.subject_id = l.subject_id
    WHERE l.place = 1
),
dimension AS (
    SELECT 'all' AS dimension, 'all' AS value, gone FROM base
    UNION ALL SELECT 'contract', contract_type, gone FROM base
    UNION ALL SELECT 'tenure', tenure_band, gone FROM base
    UNION ALL SELECT 'internet', internet_service, gone FROM base
    UNION ALL SELECT 'payment method', payment_method, gone FROM base
    UNION ALL SELECT 'payment model', payment_model, gone FROM base
    UNION ALL SELECT 'plan', plan_code, gone FROM base
    UNION ALL SELECT 'paperless', paperless, gone FROM base
    UNION ALL SELECT 'region', region, gone FROM base
    UNION ALL SELECT 'senior', senior, gone FROM base
),
counted AS (
    SELECT
        dimension,
        coalesce(value, 'unknown') AS value,
        count(*) AS customers,
        CAST(sum(gone) AS BIGINT) AS leavers
    FROM dimension
    GROUP BY dimension, coalesce(value, 'unknown')
),
known AS (
    -- A dimension of which nothing is known says nothing.
    SELECT dimension FROM counted WHERE value <> 'unknown' GROUP BY dimension
),
total AS (
    SELECT count(*) AS customers, sum(gone) AS leavers FROM base
)
SELECT
    c.dimension,
    c.value,
    c.customers,
    c.leavers,
    c.leavers / c.customers AS churn_rate,
    -- Wilson score interval at 95 %.
    (c.leavers + 1.9208 - 1.96 * sqrt(c.leavers * (c.customers - c.leavers) / c.customers + 0.9604))
        / (c.customers + 3.8416) AS churn_rate_low,
    (c.leavers + 1.9208 + 1.96 * sqrt(c.leavers * (c.customers - c.leavers) / c.customers + 0.9604))
        / (c.customers + 3.8416) AS churn_rate_high,
    c.leavers / nullif(t.leavers, 0) AS share_of_leavers,
    (c.leavers / c.customers) / nullif(t.leavers / t.customers, 0) AS lift
FROM counted c
JOIN known k ON k.dimension = c.dimension
CROSS JOIN total t
