SELECT
    s.loan_id,
    s.subject_id AS customer_id,
    s.product,
    s.branch,
    CAST(s.stage AS BIGINT) AS stage,
    s.ead AS ead_minor,
    s.pd_12m,
    -- In default already, or in any of the years that are left.
    CASE WHEN s.stage = 3 THEN 1.0 ELSE 1 - power(1 - s.pd_12m, s.years) END AS pd_life,
    s.lgd,
    CAST(round(e.ecl + 0.000001) AS BIGINT) AS ecl_minor,
    e.ecl / s.ead AS coverage
FROM staged s
JOIN every_scenario e ON e.loan_id = s.loan_id AND e.scenario = 'weighted'
