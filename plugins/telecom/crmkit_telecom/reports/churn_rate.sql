-- Lines at the start of each month, won and lost in it, by a dimension.
-- A month in which nothing began or ended has no row; lines without dates are not counted.
WITH line AS (
    SELECT
        CASE
            WHEN $by = 'contract' THEN coalesce(s.contract_type, 'unknown')
            WHEN $by = 'payment_model' THEN coalesce(s.payment_model, 'unknown')
            WHEN $by = 'plan' THEN coalesce(s.plan_code, 'unknown')
            WHEN $by = 'region' THEN coalesce(c.region, 'unknown')
            ELSE 'all'
        END AS grp,
        s.activated_on,
        s.ended_on,
        coalesce(s.churn_kind, 'unknown') AS kind,
        s.as_of_on
    FROM telecom_subscription s
    LEFT JOIN customer c ON c.subject_id = s.subject_id
    WHERE s.activated_on <= s.as_of_on
),
change AS (
    SELECT
        grp,
        as_of_on,
        CAST(date_trunc('month', activated_on) AS DATE) AS month_on,
        1 AS won, 0 AS voluntary, 0 AS involuntary, 0 AS other
    FROM line
    UNION ALL
    SELECT
        grp,
        as_of_on,
        CAST(date_trunc('month', ended_on) AS DATE),
        0,
        CASE WHEN kind = 'voluntary' THEN 1 ELSE 0 END,
        CASE WHEN kind = 'involuntary' THEN 1 ELSE 0 END,
        CASE WHEN kind NOT IN ('voluntary', 'involuntary') THEN 1 ELSE 0 END
    FROM line
    WHERE ended_on <= as_of_on
),
month AS (
    SELECT
        grp,
        month_on,
        max(as_of_on) AS as_of_on,
        sum(won) AS won,
        sum(voluntary) AS voluntary,
        sum(involuntary) AS involuntary,
        sum(other) AS other,
        sum(won - voluntary - involuntary - other) AS net
    FROM change
    GROUP BY grp, month_on
),
running AS (
    SELECT
        *,
        coalesce(sum(net) OVER (
            PARTITION BY grp ORDER BY month_on ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS opening
    FROM month
)
SELECT
    grp AS line_group,
    month_on,
    CAST(opening AS BIGINT) AS opening,
    CAST(won AS BIGINT) AS won,
    CAST(voluntary AS BIGINT) AS voluntary,
    CAST(involuntary AS BIGINT) AS involuntary,
    CAST(other AS BIGINT) AS other,
    (voluntary + involuntary + other) / nullif(opening, 0) AS churn_rate,
    voluntary / nullif(opening, 0) AS voluntary_rate,
    (voluntary + involuntary + other - won) / nullif(opening, 0) AS net_churn_rate
FROM running
WHERE date_diff('day', month_on, as_of_on) < $days
