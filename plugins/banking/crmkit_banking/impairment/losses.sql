-- What each running loan is expected to lose under each scenario, and by their weights.
scenario AS (
    SELECT 'base' AS scenario, weight_base AS weight, 1.0 AS pd_factor, 1.0 AS lgd_factor FROM assumed
    UNION ALL
    SELECT 'downturn', weight_down, pd_factor_down, lgd_factor_down FROM assumed
    UNION ALL
    SELECT 'upturn', weight_up, pd_factor_up, lgd_factor_up FROM assumed
),
year_ahead AS (
    SELECT n FROM (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15),
        (16), (17), (18), (19), (20), (21), (22), (23), (24), (25), (26), (27), (28), (29), (30), (31), (32),
        (33), (34), (35), (36), (37), (38), (39), (40), (41), (42), (43), (44), (45), (46), (47), (48), (49),
        (50)) AS v (n)
),
stressed AS (
    SELECT
        s.*,
        c.scenario,
        c.weight,
        least(1.0, s.pd_12m * c.pd_factor) AS pd,
        least(1.0, s.lgd * c.lgd_factor) AS loss
    FROM staged s
    CROSS JOIN scenario c
),
-- Stage 1: default within the year, in its middle. Stage 2: in any year that is left, of an exposure that
-- falls in equal steps. Stage 3: now. Losses are discounted by the loan's own rate.
measured AS (
    SELECT
        t.loan_id,
        t.product,
        t.branch,
        t.region,
        t.stage,
        t.scenario,
        t.weight,
        t.ead,
        t.pd,
        t.loss AS lgd,
        sum(CASE
            WHEN t.stage = 3 THEN t.ead * t.loss
            ELSE t.ead * (1 - (y.n - 1) / t.years) * t.loss * t.pd * power(1 - t.pd, y.n - 1)
                / power(1 + t.rate, y.n - 0.5)
        END) AS ecl
    FROM stressed t
    JOIN year_ahead y ON y.n <= CASE WHEN t.stage = 2 THEN t.years ELSE 1 END
    GROUP BY
        t.loan_id, t.product, t.branch, t.region, t.stage, t.scenario, t.weight, t.ead, t.pd, t.loss
),
every_scenario AS (
    SELECT loan_id, product, branch, region, stage, scenario, ead, pd, lgd, ecl FROM measured
    UNION ALL
    SELECT
        loan_id, product, branch, region, stage, 'weighted', ead,
        sum(weight * pd) / sum(weight), sum(weight * lgd) / sum(weight), sum(weight * ecl) / sum(weight)
    FROM measured
    GROUP BY loan_id, product, branch, region, stage, ead
)
