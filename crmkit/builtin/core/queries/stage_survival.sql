-- How long stays in a stage last: Kaplan-Meier, one row per stage and day on which a stay ended or
-- was last seen. A stay that goes on is censored at its age.
WITH stay AS (
    SELECT
        c.to_stage AS stage,
        c.days_before AS age,
        c.days_before - lead(c.days_before) OVER (
            PARTITION BY c.subject_id ORDER BY c.at, c.id
        ) AS ended_after
    FROM stage_change c
    WHERE c.lifecycle = $lifecycle
),
counted AS (
    SELECT stage, coalesce(ended_after, age) AS days, count(*) AS stays, count(ended_after) AS ended
    FROM stay
    WHERE $stage IS NULL OR stage = $stage
    GROUP BY stage, coalesce(ended_after, age)
),
risk AS (
    SELECT
        stage,
        days,
        ended,
        sum(stays) OVER (
            PARTITION BY stage ORDER BY days DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS at_risk
    FROM counted
),
curve AS (
    SELECT
        stage,
        days,
        at_risk,
        ended,
        -- The product of (1 - d/n) as a sum of logarithms; once everyone is gone it stays at zero.
        max(CASE WHEN ended = at_risk THEN 1 ELSE 0 END) OVER (
            PARTITION BY stage ORDER BY days ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS extinct,
        sum(CASE WHEN ended < at_risk THEN ln(1 - ended / at_risk) ELSE 0 END) OVER (
            PARTITION BY stage ORDER BY days ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS log_survival,
        sum(CASE WHEN ended < at_risk THEN ended / (at_risk * (at_risk - ended)) ELSE 0 END) OVER (
            PARTITION BY stage ORDER BY days ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS greenwood
    FROM risk
)
SELECT
    stage,
    days,
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
