-- How long lines last, by a dimension: one row per month of tenure in which a line ended or was last
-- seen, with how many did. A line that still runs is last seen at its tenure.
SELECT line.grp AS part, line.months AS duration, count(*) AS stays, sum(line.ended) AS ended
FROM (
    SELECT
        CASE
            WHEN $by = 'contract' THEN coalesce(contract_type, 'unknown')
            WHEN $by = 'payment_model' THEN coalesce(payment_model, 'unknown')
            WHEN $by = 'internet' THEN coalesce(internet_service, 'unknown')
            ELSE 'all'
        END AS grp,
        CAST(greatest(coalesce(
            (year(last_on) - year(activated_on)) * 12 + month(last_on) - month(activated_on)
                - CASE WHEN day(last_on) < day(activated_on) AND month(last_on + 1) = month(last_on) THEN 1 ELSE 0 END,
            tenure_months
        ), 0) AS BIGINT) AS months,
        CASE WHEN status IN ('terminated', 'ported_out') THEN 1 ELSE 0 END AS ended
    FROM (SELECT *, coalesce(ended_on, as_of_on) AS last_on FROM telecom_subscription) s
    WHERE status IS NOT NULL
) line
WHERE line.months IS NOT NULL
GROUP BY line.grp, line.months
