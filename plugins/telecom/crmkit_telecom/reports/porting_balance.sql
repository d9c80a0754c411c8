-- Numbers won from and lost to each competitor.
WITH line AS (
    SELECT ported_from, churn_to, activated_on, ended_on, as_of_on, status, monthly_fee_base_minor
    FROM telecom_subscription
),
move AS (
    SELECT ported_from AS competitor, 1 AS won, 0 AS lost, 0 AS fee
    FROM line
    WHERE ported_from IS NOT NULL AND activated_on <= as_of_on
        AND ($days = 0 OR date_diff('day', activated_on, as_of_on) < $days)
    UNION ALL
    SELECT churn_to, 0, 1, coalesce(monthly_fee_base_minor, 0)
    FROM line
    -- An end that was announced for a later day is not lost yet.
    WHERE churn_to IS NOT NULL AND churn_to <> 'not_named' AND (ended_on IS NULL OR ended_on <= as_of_on)
        AND ($days = 0 OR date_diff('day', ended_on, as_of_on) < $days)
)
SELECT
    competitor,
    CAST(sum(won) AS BIGINT) AS won,
    CAST(sum(lost) AS BIGINT) AS lost,
    CAST(sum(won) - sum(lost) AS BIGINT) AS balance,
    sum(lost) / nullif(sum(won), 0) AS lost_per_won,
    CAST(sum(fee) AS BIGINT) AS lost_monthly_fee_minor
FROM move
GROUP BY competitor
