-- The product-limit estimate of each part of `counted`, with Greenwood's variance on the scale of
-- log(-log S), whose 95 % limits stay between 0 and 1.
risk AS (
    SELECT
        part,
        duration,
        ended,
        sum(stays) OVER (
            PARTITION BY part ORDER BY duration DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS at_risk
    FROM counted
),
curve AS (
    SELECT
        part,
        duration,
        at_risk,
        ended,
        -- The product of (1 - d/n) as a sum of logarithms; once everyone is gone it stays at zero.
        max(CASE WHEN ended = at_risk THEN 1 ELSE 0 END) OVER (
            PARTITION BY part ORDER BY duration
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS extinct,
        sum(CASE WHEN ended < at_risk THEN ln(1 - ended / at_risk) ELSE 0 END) OVER (
            PARTITION BY part ORDER BY duration
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS log_survival,
        sum(CASE WHEN ended < at_risk THEN ended / (at_risk * (at_risk - ended)) ELSE 0 END) OVER (
            PARTITION BY part ORDER BY duration
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS greenwood
    FROM risk
)
