SELECT
    scenario,
    CASE
        WHEN $by = 'product' THEN product
        WHEN $by = 'branch' THEN branch
        WHEN $by = 'region' THEN region
        ELSE 'all'
    END AS part,
    CAST(stage AS BIGINT) AS stage,
    count(*) AS loans,
    CAST(sum(ead) AS BIGINT) AS ead_minor,
    sum(ead * pd) / sum(ead) AS mean_pd,
    sum(ead * lgd) / sum(ead) AS mean_lgd,
    CAST(round(sum(ecl) + 0.000001) AS BIGINT) AS ecl_minor,
    sum(ecl) / sum(ead) AS coverage
FROM every_scenario
GROUP BY
    scenario,
    CASE
        WHEN $by = 'product' THEN product
        WHEN $by = 'branch' THEN branch
        WHEN $by = 'region' THEN region
        ELSE 'all'
    END,
    stage
