-- Why lines ended and where their holders went.
WITH ended AS (
    SELECT
        coalesce(churn_reason, 'unknown') AS reason,
        coalesce(churn_to, 'not named') AS destination,
        coalesce(churn_kind, 'unknown') AS kind,
        coalesce(
            date_diff('day', activated_on, ended_on) / 30.4375,
            CAST(tenure_months AS DOUBLE)
        ) AS tenure,
        monthly_fee_base_minor
    FROM telecom_subscription
    WHERE status IN ('terminated', 'ported_out')
        AND ($days = 0 OR date_diff('day', ended_on, as_of_on) < $days)
)
SELECT
    reason,
    destination,
    count(*) AS lines,
    count(*) / sum(count(*)) OVER () AS share,
    count_if(kind = 'involuntary') AS involuntary,
    avg(tenure) AS mean_tenure_months,
    CAST(coalesce(sum(monthly_fee_base_minor), 0) AS BIGINT) AS monthly_fee_minor
FROM ended
GROUP BY reason, destination
