SELECT
    branch,
    day_on,
    CASE WHEN cash_out IS NULL THEN 'ahead' ELSE 'past' END AS period,
    CAST(round(out_expected + 0.000001) AS BIGINT) AS out_expected_minor,
    CAST(round(greatest(out_expected - 1.28 * out_spread, 0) + 0.000001) AS BIGINT) AS out_low_minor,
    CAST(round(out_expected + 1.28 * out_spread + 0.000001) AS BIGINT) AS out_high_minor,
    CAST(cash_out AS BIGINT) AS out_actual_minor,
    CAST(round(in_expected + 0.000001) AS BIGINT) AS in_expected_minor,
    CAST(round(greatest(in_expected - 1.28 * in_spread, 0) + 0.000001) AS BIGINT) AS in_low_minor,
    CAST(round(in_expected + 1.28 * in_spread + 0.000001) AS BIGINT) AS in_high_minor,
    CAST(cash_in AS BIGINT) AS in_actual_minor,
    coalesce(out_expected > cash_limit, false) AS order_cash
FROM expected
