-- How well the churn score told the future: each run against the months that followed it.
-- What counts as leaving is the score's own target: of their own will, 15 to 75 days after the run.
WITH said AS (
    SELECT
        subject_id,
        days_before AS age,
        as_of_on - CAST(days_before AS INTEGER) AS run_on,
        value,
        row_number() OVER (PARTITION BY subject_id, days_before ORDER BY run DESC) AS place
    FROM outcome
    WHERE name = 'telecom.churn' AND value IS NOT NULL AND days_before < $days
),
judged AS (
    SELECT
        s.subject_id,
        s.age,
        s.run_on,
        s.value,
        CASE WHEN s.age >= 75 THEN max(CASE
            WHEN t.days_before < s.age - 14 AND t.days_before >= s.age - 75 THEN 1 ELSE 0
        END) END AS gone
    FROM said s
    LEFT JOIN telecom_termination t ON t.subject_id = s.subject_id AND t.kind = 'voluntary'
    WHERE s.place = 1
    GROUP BY s.subject_id, s.age, s.run_on, s.value
),
ranked AS (
    SELECT
        *,
        ntile(10) OVER (PARTITION BY age ORDER BY value DESC, subject_id) AS tenth
    FROM judged
),
-- The area under the curve: of all pairs of a leaver and a stayer, the share in which the leaver
-- was rated higher; equal ratings count half.
level AS (
    SELECT
        age,
        value,
        sum(gone) AS leavers,
        sum(1 - gone) AS stayers
    FROM judged
    WHERE gone IS NOT NULL
    GROUP BY age, value
),
pair AS (
    SELECT
        age,
        leavers,
        stayers,
        coalesce(sum(stayers) OVER (
            PARTITION BY age ORDER BY value ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS below
    FROM level
),
area AS (
    SELECT
        age,
        sum(leavers * (below + stayers / 2)) / nullif(sum(leavers) * sum(stayers), 0) AS auc
    FROM pair
    GROUP BY age
),
-- Stability: the first run's tenths are the bins in which every later run is counted.
edge AS (
    SELECT
        min(CASE WHEN tenth = 1 THEN value END) AS e1,
        min(CASE WHEN tenth = 2 THEN value END) AS e2,
        min(CASE WHEN tenth = 3 THEN value END) AS e3,
        min(CASE WHEN tenth = 4 THEN value END) AS e4,
        min(CASE WHEN tenth = 5 THEN value END) AS e5,
        min(CASE WHEN tenth = 6 THEN value END) AS e6,
        min(CASE WHEN tenth = 7 THEN value END) AS e7,
        min(CASE WHEN tenth = 8 THEN value END) AS e8,
        min(CASE WHEN tenth = 9 THEN value END) AS e9
    FROM ranked
    WHERE age = (SELECT max(age) FROM ranked)
),
binned AS (
    SELECT
        r.age,
        CASE
            WHEN r.value >= e.e1 THEN 1 WHEN r.value >= e.e2 THEN 2 WHEN r.value >= e.e3 THEN 3
            WHEN r.value >= e.e4 THEN 4 WHEN r.value >= e.e5 THEN 5 WHEN r.value >= e.e6 THEN 6
            WHEN r.value >= e.e7 THEN 7 WHEN r.value >= e.e8 THEN 8 WHEN r.value >= e.e9 THEN 9
            ELSE 10
        END AS bin
    FROM ranked r
    CROSS JOIN edge e
),
shared AS (
    SELECT age, bin, count(*) / sum(count(*)) OVER (PARTITION BY age) AS share
    FROM binned
    GROUP BY age, bin
),
grid AS (
    SELECT a.age, b.bin
    FROM (SELECT age FROM shared GROUP BY age) a
    CROSS JOIN (SELECT bin FROM shared GROUP BY bin) b
),
drift AS (
    -- An empty bin counts as one in ten thousand: the logarithm of nothing is no number.
    SELECT
        g.age,
        sum((coalesce(s.share, 0.0001) - coalesce(f.share, 0.0001))
            * ln(coalesce(s.share, 0.0001) / coalesce(f.share, 0.0001))) AS psi
    FROM grid g
    LEFT JOIN shared s ON s.age = g.age AND s.bin = g.bin
    LEFT JOIN shared f ON f.age = (SELECT max(age) FROM shared) AND f.bin = g.bin
    GROUP BY g.age
),
tenths AS (
    SELECT
        age,
        run_on,
        tenth,
        count(*) AS customers,
        avg(value) AS mean_probability,
        sum(value) AS expected,
        sum(gone) AS leavers
    FROM ranked
    GROUP BY age, run_on, tenth
),
whole AS (
    SELECT age, sum(customers) AS customers, sum(expected) AS expected, sum(leavers) AS leavers
    FROM tenths
    GROUP BY age
)
SELECT
    t.run_on,
    CAST(t.tenth AS BIGINT) AS tenth,
    t.customers,
    t.mean_probability,
    CAST(t.leavers AS BIGINT) AS leavers,
    t.leavers / t.customers AS churn_rate,
    (t.leavers / t.customers) / nullif(w.leavers / w.customers, 0) AS lift,
    sum(t.leavers) OVER (
        PARTITION BY t.age ORDER BY t.tenth ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) / nullif(w.leavers, 0) AS captured_share,
    a.auc,
    w.leavers / nullif(w.expected, 0) AS observed_expected,
    d.psi,
    coalesce(d.psi > 0.25, false)
        OR coalesce(w.leavers / nullif(w.expected, 0) < 0.8, false)
        OR coalesce(w.leavers / nullif(w.expected, 0) > 1.25, false) AS alarm
FROM tenths t
JOIN whole w ON w.age = t.age
JOIN drift d ON d.age = t.age
LEFT JOIN area a ON a.age = t.age
