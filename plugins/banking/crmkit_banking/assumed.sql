-- What the bank assumes: the value last filed as banking.assumption, else the one written here. Rates
-- are a year's, amounts are in whole units of the workspace's currency.
filed AS (
    SELECT as_of, name, arg_max(value, id) AS value FROM banking_assumption GROUP BY as_of, name
),
assumed AS (
    SELECT
        p.as_of,
        -- Cost of funds by which departments settle (funds transfer price), and what customers get.
        coalesce(max(CASE WHEN f.name = 'ftp_rate' THEN f.value END), 0.03) AS ftp_rate,
        coalesce(max(CASE WHEN f.name = 'current_rate' THEN f.value END), 0.0) AS current_rate,
        coalesce(max(CASE WHEN f.name = 'savings_rate' THEN f.value END), 0.01) AS savings_rate,
        coalesce(max(CASE WHEN f.name = 'card_rate' THEN f.value END), 0.18) AS card_rate,
        coalesce(max(CASE WHEN f.name = 'overdraft_rate' THEN f.value END), 0.12) AS overdraft_rate,
        -- Probability of default within twelve months by days past due, where no score says better.
        coalesce(max(CASE WHEN f.name = 'pd_current' THEN f.value END), 0.01) AS pd_current,
        coalesce(max(CASE WHEN f.name = 'pd_1_29' THEN f.value END), 0.08) AS pd_1_29,
        coalesce(max(CASE WHEN f.name = 'pd_30_59' THEN f.value END), 0.25) AS pd_30_59,
        coalesce(max(CASE WHEN f.name = 'pd_60_89' THEN f.value END), 0.5) AS pd_60_89,
        -- Twelve-month probability from which the risk counts as significantly increased.
        coalesce(max(CASE WHEN f.name = 'sicr_pd' THEN f.value END), 0.2) AS sicr_pd,
        -- Loss given default: unsecured, the least of a secured loan, and the discount of a forced sale.
        coalesce(max(CASE WHEN f.name = 'lgd_unsecured' THEN f.value END), 0.6) AS lgd_unsecured,
        coalesce(max(CASE WHEN f.name = 'lgd_floor' THEN f.value END), 0.1) AS lgd_floor,
        coalesce(max(CASE WHEN f.name = 'collateral_haircut' THEN f.value END), 0.3) AS collateral_haircut,
        -- Three scenarios: weights, and factors on the probability and on the loss.
        coalesce(max(CASE WHEN f.name = 'weight_base' THEN f.value END), 0.6) AS weight_base,
        coalesce(max(CASE WHEN f.name = 'weight_up' THEN f.value END), 0.15) AS weight_up,
        coalesce(max(CASE WHEN f.name = 'weight_down' THEN f.value END), 0.25) AS weight_down,
        coalesce(max(CASE WHEN f.name = 'pd_factor_up' THEN f.value END), 0.7) AS pd_factor_up,
        coalesce(max(CASE WHEN f.name = 'pd_factor_down' THEN f.value END), 1.6) AS pd_factor_down,
        coalesce(max(CASE WHEN f.name = 'lgd_factor_up' THEN f.value END), 0.9) AS lgd_factor_up,
        coalesce(max(CASE WHEN f.name = 'lgd_factor_down' THEN f.value END), 1.2) AS lgd_factor_down,
        -- Assets, and income of a month, from which a customer is affluent or private.
        coalesce(max(CASE WHEN f.name = 'affluent_from' THEN f.value END), 100000) AS affluent_from,
        coalesce(max(CASE WHEN f.name = 'private_from' THEN f.value END), 1000000) AS private_from,
        coalesce(max(CASE WHEN f.name = 'affluent_income' THEN f.value END), 8000) AS affluent_income
    FROM (SELECT DISTINCT as_of FROM population) p
    LEFT JOIN filed f ON f.as_of = p.as_of
    GROUP BY p.as_of
)
