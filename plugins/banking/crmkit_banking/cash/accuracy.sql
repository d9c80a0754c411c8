, judged AS (
    SELECT
        branch,
        cash_out,
        out_expected,
        CASE WHEN cash_out BETWEEN out_expected - 1.28 * out_spread AND out_expected + 1.28 * out_spread
            THEN 1 ELSE 0 END AS within,
        lag(cash_out, 7) OVER (PARTITION BY branch ORDER BY day_on) AS a_week_before
    FROM expected
    WHERE cash_out IS NOT NULL
)
SELECT
    branch,
    count(*) AS days,
    CAST(round(avg(cash_out)) AS BIGINT) AS mean_out_minor,
    sum(abs(cash_out - out_expected)) / nullif(sum(cash_out), 0) AS error,
    sum(CASE WHEN a_week_before IS NOT NULL THEN abs(cash_out - a_week_before) END)
        / nullif(sum(CASE WHEN a_week_before IS NOT NULL THEN cash_out END), 0) AS error_of_last_week,
    sum(cash_out - out_expected) / nullif(sum(cash_out), 0) AS bias,
    avg(within) AS within_interval
FROM judged
GROUP BY branch
