-- Contracts by the month in which they end, with what is at stake.
WITH ended AS (
    SELECT subject_id, record_id FROM telecom_termination GROUP BY subject_id, record_id
),
scored AS (
    SELECT
        subject_id,
        value AS probability,
        row_number() OVER (PARTITION BY subject_id ORDER BY days_before, run DESC) AS place
    FROM outcome
    WHERE name = 'telecom.churn'
),
line AS (
    SELECT
        s.subject_id,
        s.contract_type,
        CASE WHEN s.contract_ends_on >= s.as_of_on
            THEN CAST(date_trunc('month', s.contract_ends_on) AS DATE) END AS month_on,
        s.monthly_fee_base_minor,
        o.probability,
        t.key_account_tier <> 'none' AS key_account
    FROM telecom_subscription s
    LEFT JOIN ended e ON e.subject_id = s.subject_id AND e.record_id = s.id
    LEFT JOIN scored o ON o.subject_id = s.subject_id AND o.place = 1
    LEFT JOIN telecom_customer t ON t.subject_id = s.subject_id
    WHERE e.record_id IS NULL AND s.contract_ends_on IS NOT NULL
        AND s.status NOT IN ('terminated', 'ported_out')
        AND date_diff('day', s.as_of_on, s.contract_ends_on) < $days
)
SELECT
    CASE WHEN month_on IS NULL THEN 'run out'
        ELSE CAST(year(month_on) AS VARCHAR) || '-'
            || CASE WHEN month(month_on) < 10 THEN '0' ELSE '' END
            || CAST(month(month_on) AS VARCHAR)
    END AS ends_in,
    contract_type,
    count(*) AS lines,
    count_if(key_account) AS key_accounts,
    CAST(coalesce(sum(monthly_fee_base_minor), 0) AS BIGINT) AS monthly_fee_minor,
    avg(probability) AS mean_probability,
    CAST(round(coalesce(sum(probability * monthly_fee_base_minor), 0)) AS BIGINT) AS fee_at_risk_minor
FROM line
GROUP BY month_on, contract_type
