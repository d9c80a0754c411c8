known AS (
    SELECT subject_id, id, grade, points, pd, bad
    FROM standing
    WHERE bad IS NOT NULL
),
-- All pairs of a good and a bad: the share in which the good has more points, equal ones half.
level AS (
    SELECT points, sum(bad) AS bads, sum(1 - bad) AS goods
    FROM known
    GROUP BY points
),
pair AS (
    SELECT
        points,
        bads,
        goods,
        coalesce(sum(bads) OVER (
            ORDER BY points ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS bads_below,
        sum(bads) OVER (ORDER BY points ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS bads_to,
        sum(goods) OVER (ORDER BY points ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS goods_to,
        sum(bads) OVER () AS all_bads,
        sum(goods) OVER () AS all_goods
    FROM level
),
whole AS (
    SELECT
        2 * sum(goods * (bads_below + bads / 2)) / nullif(sum(goods) * sum(bads), 0) - 1 AS gini,
        max(bads_to / nullif(all_bads, 0) - goods_to / nullif(all_goods, 0)) AS ks
    FROM pair
),
graded AS (
    SELECT
        grade,
        count(*) AS loans,
        CAST(sum(bad) AS BIGINT) AS bads,
        avg(pd) AS expected,
        avg(bad) AS observed,
        sum((pd - bad) * (pd - bad)) AS squares
    FROM known
    GROUP BY grade
)
-- Wilson's interval of a share at 95 %.
SELECT
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
    sum(g.squares) OVER () / sum(g.loans) OVER () AS brier,
    w.gini,
    w.ks
FROM graded g
CROSS JOIN whole w
