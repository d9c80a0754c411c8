-- The reports begin with this text. It follows the table "period" (period, first_day) and ends with
-- "own": one row per customer and period, with contribution = revenue - own cost.
-- A customer with purchases in another currency has no revenue here. Costs are the same in
-- every period, those of the as-of date, so that a movement is the customer's and not the rates'.
traded AS (
    SELECT
        p.period,
        i.subject_id,
        i.refund,
        i.amount_minor,
        i.amount_base_minor,
        i.days_before - p.first_day AS days_before
    FROM revenue i
    JOIN period p ON i.days_before >= p.first_day AND i.days_before < p.first_day + $days
),
earned AS (
    SELECT
        period,
        subject_id,
        count(*) FILTER (WHERE NOT refund) AS purchases,
        min(CASE WHEN NOT refund THEN days_before END) AS recency_days,
        CASE WHEN count(amount_minor) = count(amount_base_minor) THEN coalesce(
            CAST(sum(CASE WHEN refund THEN -amount_base_minor ELSE amount_base_minor END) AS BIGINT), 0
        ) END AS revenue
    FROM traded
    GROUP BY period, subject_id
),
-- An operator's own cost stands before the declared one; the last that was filed counts.
set_cost AS (
    SELECT driver, arg_max(cost, id) AS cost FROM value_cost GROUP BY driver
),
spent AS (
    SELECT
        p.period,
        a.subject_id,
        count(*) AS activities,
        (CAST(sum(CAST(round(
            a.quantity * coalesce(round(o.cost * a.scale), a.rate, 0)
        ) AS BIGINT)) AS BIGINT) + 500000) // 1000000 AS cost
    FROM activity_cost a
    JOIN period p ON a.days_before >= p.first_day AND a.days_before < p.first_day + $days
    LEFT JOIN set_cost o ON o.driver = a.driver
    -- A kind's own driver counts once the operator has set its cost.
    WHERE a.driver <> a.kind OR a.rate IS NOT NULL OR o.cost IS NOT NULL
    GROUP BY p.period, a.subject_id
),
own AS (
    SELECT
        p.period,
        c.subject_id,
        e.subject_id IS NOT NULL OR s.subject_id IS NOT NULL AS active,
        coalesce(e.purchases, 0) AS purchases,
        e.recency_days,
        coalesce(s.activities, 0) AS activities,
        CASE WHEN e.subject_id IS NULL THEN 0 ELSE e.revenue END AS revenue,
        coalesce(s.cost, 0) AS cost,
        CASE WHEN e.subject_id IS NULL THEN 0 ELSE e.revenue END - coalesce(s.cost, 0)
            AS contribution
    FROM customer c
    CROSS JOIN period p
    LEFT JOIN earned e ON e.subject_id = c.subject_id AND e.period = p.period
    LEFT JOIN spent s ON s.subject_id = c.subject_id AND s.period = p.period
    WHERE c.merged_into IS NULL
)
