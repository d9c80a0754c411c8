-- Income of each month by branch, and what was expected of it from the months before: the back-test, and
-- the months ahead. Interest of loans and cards by statements, fees by transactions; the expectation is
-- the mean of the last three months plus the mean step of the last six, for each month ahead.
, posted AS (
    SELECT s.subject_id, s.occurred_on, s.outstanding_base_minor * (coalesce(l.rate, 0) / 100 - a.ftp_rate) / 12
        AS amount
    FROM banking_loan_statement s
    CROSS JOIN assumed a
    LEFT JOIN banking_loan l ON l.id = s.record_id
    WHERE coalesce(s.days_past_due, 0) < 90 AND NOT coalesce(s.written_off, false)
    UNION ALL
    SELECT s.subject_id, s.occurred_on, s.balance_base_minor * (a.card_rate - a.ftp_rate) / 12
    FROM banking_card_statement s
    CROSS JOIN assumed a
    UNION ALL
    SELECT t.subject_id, t.occurred_on, -t.amount_base_minor
    FROM banking_transaction t
    WHERE t.type IN ('fee', 'penalty_interest')
    UNION ALL
    -- Results that another system has computed stand beside them.
    SELECT r.subject_id, r.occurred_on,
        coalesce(r.net_interest_base_minor, 0) + coalesce(r.fees_base_minor, 0) - coalesce(r.cost_to_serve_base_minor, 0)
            - coalesce(r.expected_loss_base_minor, 0)
    FROM banking_monthly_result r
),
monthly AS (
    SELECT
        coalesce(n.branch_name, b.branch, 'unknown') AS branch,
        year(p.occurred_on) * 12 + month(p.occurred_on) - 1 AS month_no,
        sum(p.amount) AS amount
    FROM posted p
    LEFT JOIN banking_customer b ON b.subject_id = p.subject_id
    LEFT JOIN banking_branch n ON n.code = b.branch
    GROUP BY coalesce(n.branch_name, b.branch, 'unknown'), year(p.occurred_on) * 12 + month(p.occurred_on) - 1
),
today AS (
    -- Months that have ended by the as-of day.
    SELECT max(year(as_of_on + 1) * 12 + month(as_of_on + 1) - 1) - 1 AS last_no FROM population
),
whole AS (
    SELECT m.branch, m.month_no, m.amount FROM monthly m CROSS JOIN today t WHERE m.month_no <= t.last_no
),
goal AS (
    SELECT w.branch, w.month_no, w.month_no - 1 AS known_no, w.amount
    FROM whole w
    CROSS JOIN today t
    WHERE w.month_no > t.last_no - $months
    UNION ALL
    SELECT b.branch, t.last_no + h.n AS month_no, t.last_no AS known_no, NULL AS amount
    FROM (SELECT DISTINCT branch FROM whole) b
    CROSS JOIN today t
    CROSS JOIN (VALUES (1), (2), (3)) AS h (n)
),
expected AS (
    SELECT
        g.branch,
        g.month_no,
        g.known_no,
        g.amount,
        avg(CASE WHEN w.month_no > g.known_no - 3 THEN w.amount END) AS level,
        -- The mean step over six months is last less first by their distance.
        (arg_max(w.amount, w.month_no) - arg_min(w.amount, w.month_no)) / 5 AS step
    FROM goal g
    JOIN whole w ON w.branch = g.branch AND w.month_no BETWEEN g.known_no - 5 AND g.known_no
    GROUP BY g.branch, g.month_no, g.known_no, g.amount
    HAVING count(*) = 6
),
forecast AS (
    -- The mean of three months stands for the middle one, so it is a step and those to the goal away.
    SELECT *, level + step * (month_no - known_no + 1) AS expected FROM expected
)
SELECT
    branch,
    make_date(CAST(month_no // 12 AS INTEGER), CAST(mod(month_no, 12) AS INTEGER) + 1, 1) AS month_on,
    CASE WHEN amount IS NULL THEN 'ahead' ELSE 'past' END AS period,
    CAST(round(expected + 0.000001) AS BIGINT) AS expected_minor,
    CAST(round(amount + 0.000001) AS BIGINT) AS actual_minor,
    expected / nullif(amount, 0) - 1 AS error
FROM forecast
