-- How long lines last: Kaplan-Meier by a dimension, one row per month in which a line ended or was
-- last seen. A line that still runs is censored at its tenure.
WITH line AS (
    SELECT
        CASE
            WHEN $by = 'contract' THEN coalesce(contract_type, 'unknown')
            WHEN $by = 'payment_model' THEN coalesce(payment_model, 'unknown')
            WHEN $by = 'internet' THEN coalesce(internet_service, 'unknown')
            ELSE 'all'
        END AS grp,
        CAST(greatest(coalesce(
            floor(date_diff('day', activated_on, coalesce(ended_on, as_of_on)) / 30.4375),
            tenure_months
        ), 0) AS BIGINT) AS months,
        CASE WHEN status IN ('terminated', 'ported_out') THEN 1 ELSE 0 END AS ended
    FROM telecom_subscription
    WHERE status IS NOT NULL
),
counted AS (
    SELECT grp, months, count(*) AS lines, sum(ended) AS ended
    FROM line
    WHERE months IS NOT NULL
    GROUP BY grp, months
),
risk AS (
    SELECT
        grp,
        months,
        ended,
        sum(lines) OVER (
            PARTITION BY grp ORDER BY months DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS at_risk
    FROM counted
),
curve AS (
    SELECT
        grp,
        months,
        at_risk,
        ended,
        -- The product of (1 - d/n) as a sum of logarithms; once everyone is gone it stays at zero.
        max(CASE WHEN ended = at_risk THEN 1 ELSE 0 END) OVER (
            PARTITION BY grp ORDER BY months ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS extinct,
        sum(CASE WHEN ended < at_risk THEN ln(1 - ended / at_risk) ELSE 0 END) OVER (
            PARTITION BY grp ORDER BY months ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS log_survival,
        sum(CASE WHEN ended < at_risk THEN ended / (at_risk * (at_risk - ended)) ELSE 0 END) OVER (
            PARTITION BY grp ORDER BY months ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS greenwood
    FROM risk
)
SELECT
    grp AS line_group,
    months,
    CAST(at_risk AS BIGINT) AS at_risk,
    CAST(ended AS BIGINT) AS ended,
    CASE WHEN extinct = 1 THEN 0.0 ELSE exp(log_survival) END AS survival,
    CASE
        WHEN extinct = 1 THEN 0.0
        WHEN log_survival = 0 THEN 1.0
        ELSE exp(log_survival * exp(1.96 * sqrt(greenwood) / abs(log_survival)))
    END AS survival_low,
    CASE
        WHEN extinct = 1 THEN 0.0
        WHEN log_survival = 0 THEN 1.0
        ELSE exp(log_survival * exp(-1.96 * sqrt(greenwood) / abs(log_survival)))
    END AS survival_high
FROM curve
