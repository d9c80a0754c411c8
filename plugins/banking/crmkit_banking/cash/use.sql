-- How branches and machines are used, and what changed: the last days against the same days before.
WITH moved AS (
    SELECT
        coalesce(n.branch_name, t.branch, a.branch, 'unknown') AS branch,
        coalesce(t.via, 'unknown') AS via,
        t.subject_id,
        abs(t.amount_base_minor) AS amount,
        CASE WHEN t.days_before < $days THEN 0 ELSE 1 END AS period
    FROM banking_transaction t
    LEFT JOIN banking_account a ON a.id = t.record_id
    LEFT JOIN banking_branch n ON n.code = coalesce(t.branch, a.branch)
    WHERE t.type IN ('cash_in', 'cash_out') AND t.days_before < 2 * $days
)
SELECT
    branch,
    via,
    count(*) FILTER (WHERE period = 0) AS movements,
    count(DISTINCT CASE WHEN period = 0 THEN subject_id END) AS customers,
    CAST(coalesce(sum(CASE WHEN period = 0 THEN amount END), 0) AS BIGINT) AS amount_minor,
    count(*) FILTER (WHERE period = 0) / $days AS movements_a_day,
    count(*) FILTER (WHERE period = 0) / nullif(count(*) FILTER (WHERE period = 1), 0) - 1 AS movements_change,
    count(DISTINCT CASE WHEN period = 0 THEN subject_id END)
        / nullif(count(DISTINCT CASE WHEN period = 1 THEN subject_id END), 0) - 1 AS customers_change,
    avg(CASE WHEN period = 0 THEN amount END) / nullif(avg(CASE WHEN period = 1 THEN amount END), 0) - 1
        AS mean_amount_change
FROM moved
GROUP BY branch, via
