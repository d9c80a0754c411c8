-- Revenue, margin and lifetime value per customer, by a dimension of the customer's dearest line.
WITH scored AS (
    SELECT
        subject_id,
        value AS probability,
        row_number() OVER (PARTITION BY subject_id ORDER BY days_before, run DESC) AS place
    FROM outcome
    WHERE name = 'telecom.churn'
),
paid AS (
    SELECT subject_id, amount_base_minor FROM telecom_bill WHERE days_before < 91
    UNION ALL
    SELECT subject_id, amount_base_minor FROM telecom_topup WHERE days_before < 91
),
revenue AS (
    SELECT subject_id, sum(amount_base_minor) AS amount FROM paid GROUP BY subject_id
),
line AS (
    SELECT
        subject_id,
        plan_code,
        row_number() OVER (
            PARTITION BY subject_id ORDER BY coalesce(monthly_fee_base_minor, 0) DESC, id
        ) AS place
    FROM telecom_subscription
    WHERE status NOT IN ('terminated', 'ported_out')
),
base AS (
    SELECT
        f.subject_id,
        l.plan_code,
        f.telecom_contract_type AS contract_type,
        f.telecom_payment_model AS payment_model,
        c.region,
        CASE
            WHEN f.telecom_tenure_months < 6 THEN '00-05 months'
            WHEN f.telecom_tenure_months < 12 THEN '06-11 months'
            WHEN f.telecom_tenure_months < 24 THEN '12-23 months'
            WHEN f.telecom_tenure_months < 48 THEN '24-47 months'
            WHEN f.telecom_tenure_months >= 48 THEN '48 months and more'
        END AS tenure_band,
        -- Whoever came a month ago has paid one bill, not three.
        coalesce(r.amount, 0)
            / least(greatest(coalesce(f.telecom_tenure_months, 3), 1), 3) AS arpu,
        s.probability
    FROM feature f
    LEFT JOIN revenue r ON r.subject_id = f.subject_id
    LEFT JOIN scored s ON s.subject_id = f.subject_id AND s.place = 1
    LEFT JOIN line l ON l.subject_id = f.subject_id AND l.place = 1
    LEFT JOIN customer c ON c.subject_id = f.subject_id
    WHERE f.telecom_subscriptions >= 1
),
kept AS (
    SELECT
        *,
        ntile(3) OVER (ORDER BY arpu, subject_id) AS value_third,
        -- The score counts departures of 61 days; what is left of a customer after one month, with
        -- money of a month later worth a little less.
        power(1 - probability, 30.4375 / 61) / power(1 + $discount_rate, 1.0 / 12) AS q
    FROM base
),
valued AS (
    SELECT
        *,
        arpu * $margin * CASE
            WHEN q = 1 THEN $value_months
            ELSE q * (1 - power(q, $value_months)) / (1 - q)
        END AS clv
    FROM kept
),
grouped AS (
    SELECT
        coalesce(CASE
            WHEN $by = 'plan' THEN plan_code
            WHEN $by = 'contract' THEN contract_type
            WHEN $by = 'payment_model' THEN payment_model
            WHEN $by = 'region' THEN region
            WHEN $by = 'tenure' THEN tenure_band
            WHEN value_third = 1 THEN '1 low'
            WHEN value_third = 2 THEN '2 middle'
            ELSE '3 high'
        END, 'unknown') AS segment,
        arpu,
        clv,
        probability
    FROM valued
)
SELECT
    segment,
    count(*) AS customers,
    CAST(round(avg(arpu) + 0.000001) AS BIGINT) AS arpu_minor,
    CAST(round(avg(arpu) * $margin + 0.000001) AS BIGINT) AS margin_minor,
    sum(arpu) / nullif(sum(sum(arpu)) OVER (), 0) AS revenue_share,
    avg(probability) AS mean_probability,
    CAST(round(avg(clv) + 0.000001) AS BIGINT) AS clv_minor,
    CAST(round(sum(clv) + 0.000001) AS BIGINT) AS total_clv_minor
FROM grouped
GROUP BY segment
