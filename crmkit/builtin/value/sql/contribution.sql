-- Revenue, own cost and contribution of the last 365 days; see queries/own.sql for the same over any
-- period.
WITH traded AS (
    SELECT
        subject_id,
        as_of,
        CASE WHEN refund THEN -amount_base_minor ELSE amount_base_minor END AS amount,
        amount_minor
    FROM revenue
    WHERE days_before < 365
),
earned AS (
    SELECT
        subject_id,
        as_of,
        -- Missing where some amount is in another currency: a part of the revenue is not the revenue.
        CASE WHEN count(amount_minor) = count(amount) THEN coalesce(CAST(sum(amount) AS BIGINT), 0) END
            AS revenue
    FROM traded
    GROUP BY subject_id, as_of
),
-- An operator's own cost stands before the declared one; the last that was filed counts.
set_cost AS (
    SELECT driver, as_of, arg_max(cost, id) AS cost FROM value_cost GROUP BY driver, as_of
),
spent AS (
    SELECT
        a.subject_id,
        a.as_of,
        (CAST(sum(CAST(round(
            a.quantity * coalesce(round(o.cost * a.scale), a.rate, 0)
        ) AS BIGINT)) AS BIGINT) + 500000) // 1000000 AS cost
    FROM activity_cost a
    LEFT JOIN set_cost o ON o.driver = a.driver AND o.as_of = a.as_of
    WHERE a.days_before < 365
    GROUP BY a.subject_id, a.as_of
)
SELECT
    p.subject_id,
    p.as_of,
    CASE WHEN e.subject_id IS NULL THEN 0 ELSE e.revenue END AS value_revenue_365d_minor,
    coalesce(s.cost, 0) AS value_own_cost_365d_minor,
    CASE WHEN e.subject_id IS NULL THEN 0 ELSE e.revenue END - coalesce(s.cost, 0)
        AS value_contribution_365d_minor
FROM population p
LEFT JOIN earned e ON e.subject_id = p.subject_id AND e.as_of = p.as_of
LEFT JOIN spent s ON s.subject_id = p.subject_id AND s.as_of = p.as_of
