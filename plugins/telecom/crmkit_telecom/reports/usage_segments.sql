-- Customers by how much they use and how much they pay, in thirds of each.
WITH scored AS (
    SELECT
        subject_id,
        value AS probability,
        row_number() OVER (PARTITION BY subject_id ORDER BY days_before, run DESC) AS place
    FROM outcome
    WHERE name = 'telecom.churn'
),
base AS (
    SELECT
        f.subject_id,
        f.telecom_data_gb AS data_gb,
        f.telecom_voice_min AS voice_min,
        coalesce(f.telecom_bill_amount, f.telecom_monthly_fee, 0) AS spend,
        f.telecom_data_use_of_allowance AS fit,
        f.telecom_overage_share_3m AS overage,
        f.telecom_complaints_90d AS complaints,
        s.probability,
        ntile(3) OVER (
            ORDER BY coalesce(f.telecom_data_gb, 0) + coalesce(f.telecom_voice_min, 0) / 100,
                f.subject_id
        ) AS usage_third,
        ntile(3) OVER (
            ORDER BY coalesce(f.telecom_bill_amount, f.telecom_monthly_fee, 0), f.subject_id
        ) AS value_third
    FROM feature f
    LEFT JOIN scored s ON s.subject_id = f.subject_id AND s.place = 1
    WHERE f.telecom_subscriptions >= 1
)
SELECT
    CASE usage_third WHEN 1 THEN '1 low' WHEN 2 THEN '2 middle' ELSE '3 high' END AS usage_level,
    CASE value_third WHEN 1 THEN '1 low' WHEN 2 THEN '2 middle' ELSE '3 high' END AS value_level,
    count(*) AS customers,
    CAST(round(avg(spend)) AS BIGINT) AS mean_bill_minor,
    avg(data_gb) AS mean_data_gb,
    avg(voice_min) AS mean_voice_min,
    avg(fit) AS mean_share_of_allowance,
    avg(overage) AS mean_overage_share,
    avg(complaints) AS complaints_per_customer,
    avg(probability) AS mean_probability
FROM base
GROUP BY usage_third, value_third
