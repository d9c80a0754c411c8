known AS (
    SELECT sample, subject_id, id, grade, points, pd, bad
    FROM standing
    WHERE bad IS NOT NULL
),
-- All pairs of a good and a bad: the share in which the good has more points, equal ones half.
level AS (
    SELECT sample, points, sum(bad) AS bads, sum(1 - bad) AS goods
    FROM known
    GROUP BY sample, points
),
pair AS (
    SELECT
        sample,
        points,
        bads,
        goods,
        coalesce(sum(bads) OVER (
            PARTITION BY sample ORDER BY points ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS bads_below,
        sum(bads) OVER (
            PARTITION BY sample ORDER BY points ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS bads_to,
        sum(goods) OVER (
            PARTITION BY sample ORDER BY points ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS goods_to,
        sum(bads) OVER (PARTITION BY sample) AS all_bads,
        sum(goods) OVER (PARTITION BY sample) AS all_goods
    FROM level
),
ranked AS (
    SELECT
        sample,
        sum(goods * (bads_below + bads / 2)) / nullif(sum(goods) * sum(bads), 0) AS auc,
        max(bads_to / nullif(all_bads, 0) - goods_to / nullif(all_goods, 0)) AS ks,
        sum(goods) AS goods,
        sum(bads) AS bads
    FROM pair
    GROUP BY sample
),
-- The standard error of the share of pairs is that of Hanley & McNeil 1982.
whole AS (
    SELECT
        sample,
        2 * auc - 1 AS gini,
        ks,
        sqrt((
            auc * (1 - auc)
            + (bads - 1) * (auc / (2 - auc) - auc * auc)
            + (goods - 1) * (2 * auc * auc / (1 + auc) - auc * auc)
        ) / nullif(goods * bads, 0)) AS error
    FROM ranked
),
graded AS (
    SELECT
        sample,
        grade,
        count(*) AS loans,
        CAST(sum(bad) AS BIGINT) AS bads,
        avg(pd) AS expected,
        avg(bad) AS observed,
        sum((pd - bad) * (pd - bad)) AS squares
    FROM known
    GROUP BY sample, grade
)
-- Wilson's interval of a share at 95 %.
SELECT
    g.sample,
    g.grade,
    g.loans,
    g.bads,
    g.expected,
    g.observed,
    (g.observed + 1.9208 / g.loans
        - 1.96 * sqrt(g.observed * (1 - g.observed) / g.loans + 0.9604 / (g.loans * g.loans)))
        / (1 + 3.8416 / g.loans) AS low,
    (g.observed + 1.9208 / g.loans
        + 1.96 * sqrt(g.observed * (1 - g.observed) / g.loans + 0.9604 / (g.loans * g.loans)))
        / (1 + 3.8416 / g.loans) AS high,
    g.observed / nullif(g.expected, 0) AS observed_expected,
    sum(g.squares) OVER (PARTITION BY g.sample) / sum(g.loans) OVER (PARTITION BY g.sample) AS brier,
    w.gini,
    greatest(-1, w.gini - 2 * 1.96 * w.error) AS gini_low,
    least(1, w.gini + 2 * 1.96 * w.error) AS gini_high,
    w.ks
FROM graded g
JOIN whole w ON w.sample = g.sample
