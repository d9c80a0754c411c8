-- Lines at the start of each month, won and lost in it, by a dimension.
-- A month in which nothing began or ended has no row; lines without dates are not counted.
-- By plan, a line is counted under the plan that it had at the time, as the changes of plan tell.
WITH step AS (
    SELECT
        record_id AS line,
        CAST(date_trunc('month', occurred_on) AS DATE) AS month_on,
        coalesce(
            lag(to_plan) OVER (PARTITION BY record_id ORDER BY occurred_at, id), from_plan, 'unknown'
        ) AS from_plan,
        to_plan,
        row_number() OVER (PARTITION BY record_id ORDER BY occurred_at, id) AS place,
        row_number() OVER (PARTITION BY record_id ORDER BY occurred_at DESC, id DESC) AS place_back
    FROM telecom_plan_change
    WHERE record_id IS NOT NULL AND to_plan IS NOT NULL
),
line AS (
    SELECT
        s.id,
        CASE
            WHEN $by = 'contract' THEN coalesce(s.contract_type, 'unknown')
            WHEN $by = 'payment_model' THEN coalesce(s.payment_model, 'unknown')
            WHEN $by = 'plan' THEN coalesce(x.from_plan, s.plan_code, 'unknown')
            WHEN $by = 'region' THEN coalesce(c.region, 'unknown')
            ELSE 'all'
        END AS grp,
        CASE WHEN $by = 'plan' THEN y.to_plan END AS last_grp,
        s.activated_on,
        s.ended_on,
        CAST(date_trunc('month', s.ended_on) AS DATE) AS ended_month_on,
        coalesce(s.churn_kind, 'unknown') AS kind,
        s.as_of_on
    FROM telecom_subscription s
    LEFT JOIN customer c ON c.subject_id = s.subject_id
    LEFT JOIN step x ON x.line = s.id AND x.place = 1
    LEFT JOIN step y ON y.line = s.id AND y.place_back = 1
    WHERE s.activated_on <= s.as_of_on
),
event AS (
    SELECT
        grp,
        as_of_on,
        CAST(date_trunc('month', activated_on) AS DATE) AS month_on,
        0 AS tenure,
        1 AS won, 0 AS voluntary, 0 AS involuntary, 0 AS other, 0 AS moved, 0 AS standing
    FROM line
    UNION ALL
    -- From one plan to another, which is no churn.
    SELECT s.from_plan, l.as_of_on, s.month_on, 0, 0, 0, 0, 0, -1, 0
    FROM step s
    JOIN line l ON l.id = s.line
    WHERE $by = 'plan'
    UNION ALL
    SELECT s.to_plan, l.as_of_on, s.month_on, 0, 0, 0, 0, 0, 1, 0
    FROM step s
    JOIN line l ON l.id = s.line
    WHERE $by = 'plan'
    UNION ALL
    SELECT
        coalesce(last_grp, grp),
        as_of_on,
        ended_month_on,
        -- A line's band is that at the start of the month; one that came in the month is new.
        greatest((year(ended_month_on) - year(activated_on)) * 12 + month(ended_month_on)
            - month(activated_on) - CASE WHEN day(activated_on) > 1 THEN 1 ELSE 0 END, 0),
        0,
        CASE WHEN kind = 'voluntary' THEN 1 ELSE 0 END,
        CASE WHEN kind = 'involuntary' THEN 1 ELSE 0 END,
        CASE WHEN kind NOT IN ('voluntary', 'involuntary') THEN 1 ELSE 0 END,
        0,
        0
    FROM line
    WHERE ended_on <= as_of_on
),
asked AS (
    SELECT month_on
    FROM event
    WHERE date_diff('day', month_on, as_of_on) < $days
    GROUP BY month_on
),
change AS (
    SELECT * FROM event
    UNION ALL
    -- Lines pass from band to band as they stay, so each band's are counted month by month.
    SELECT
        l.grp,
        l.as_of_on,
        a.month_on,
        (year(a.month_on) - year(l.activated_on)) * 12 + month(a.month_on) - month(l.activated_on)
            - CASE WHEN day(l.activated_on) > 1 THEN 1 ELSE 0 END,
        0, 0, 0, 0, 0, 1
    FROM line l
    JOIN asked a ON l.activated_on < a.month_on
    WHERE $by = 'tenure' AND (l.ended_on IS NULL OR l.ended_on >= a.month_on)
),
banded AS (
    SELECT
        CASE
            WHEN $by <> 'tenure' THEN grp
            WHEN tenure < 6 THEN '00-05 months'
            WHEN tenure < 12 THEN '06-11 months'
            WHEN tenure < 24 THEN '12-23 months'
            WHEN tenure < 48 THEN '24-47 months'
            ELSE '48 months and more'
        END AS grp,
        month_on, as_of_on, won, voluntary, involuntary, other, moved, standing
    FROM change
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
        sum(standing) AS standing,
        sum(won + moved - voluntary - involuntary - other) AS net
    FROM banded
    GROUP BY grp, month_on
),
running AS (
    SELECT
        *,
        CASE WHEN $by = 'tenure' THEN standing ELSE coalesce(sum(net) OVER (
            PARTITION BY grp ORDER BY month_on ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) END AS opening
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
    involuntary / nullif(opening, 0) AS involuntary_rate,
    (voluntary + involuntary + other - won) / nullif(opening, 0) AS net_churn_rate
FROM running
WHERE date_diff('day', month_on, as_of_on) < $days
