-- Cash of each branch and day, expected and actual: for past days what was expected the day before (the
-- back-test), for the days ahead what is expected now.
-- What a branch reports of a day stands before what its customers' transactions add up to.
WITH digit AS (
    SELECT d FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS v (d)
),
told AS (
    SELECT record_id AS branch_id, occurred_on, sum(cash_in_base_minor) AS cash_in, sum(cash_out_base_minor) AS cash_out
    FROM banking_cash_day
    WHERE record_id IS NOT NULL AND days_before < $days + 112
    GROUP BY record_id, occurred_on
),
counted AS (
    -- A movement without a branch of its own is one of the branch that keeps the account.
    SELECT
        coalesce(t.branch, a.branch) AS branch,
        t.occurred_on,
        sum(CASE WHEN t.amount_minor > 0 THEN t.amount_base_minor ELSE 0 END) AS cash_in,
        sum(CASE WHEN t.amount_minor < 0 THEN -t.amount_base_minor ELSE 0 END) AS cash_out
    FROM banking_transaction t
    LEFT JOIN banking_account a ON a.id = t.record_id
    WHERE t.type IN ('cash_in', 'cash_out') AND t.days_before < $days + 112
    GROUP BY coalesce(t.branch, a.branch), t.occurred_on
),
branch AS (
    -- A branch's key is no column of the warehouse, so its name tells it from others.
    SELECT id, code, coalesce(branch_name, code, CAST(id AS VARCHAR)) AS name, district, cash_limit_base_minor, as_of_on
    FROM banking_branch
),
today AS (
    SELECT max(as_of_on) AS on_day FROM (
        SELECT as_of_on FROM banking_branch UNION ALL SELECT as_of_on FROM population
    ) d
),
flow AS (
    SELECT b.name AS branch, b.cash_limit_base_minor, t.occurred_on AS day_on, t.cash_in, t.cash_out
    FROM told t
    JOIN branch b ON b.id = t.branch_id
    UNION ALL
    SELECT coalesce(b.name, c.branch, 'unknown') AS branch, b.cash_limit_base_minor, c.occurred_on, c.cash_in, c.cash_out
    FROM counted c
    LEFT JOIN branch b ON b.code = c.branch
    WHERE NOT EXISTS (SELECT 1 FROM told)
),
known AS (
    SELECT branch, max(cash_limit_base_minor) AS cash_limit, min(day_on) AS first_on FROM flow GROUP BY branch
),
calendar AS (
    -- Every day from the first of the history to the last ahead: a day without a movement is one of 0.
    SELECT k.branch, k.cash_limit, t.on_day,
        t.on_day + CAST($ahead - (h.d * 100 + tens.d * 10 + ones.d) AS INTEGER) AS day_on
    FROM known k
    CROSS JOIN today t
    CROSS JOIN digit h
    CROSS JOIN digit tens
    CROSS JOIN digit ones
    WHERE h.d * 100 + tens.d * 10 + ones.d < $ahead + $days + 112
        AND t.on_day + CAST($ahead - (h.d * 100 + tens.d * 10 + ones.d) AS INTEGER) >= k.first_on
),
filled AS (
    SELECT
        c.branch,
        c.cash_limit,
        c.on_day,
        c.day_on,
        mod(date_diff('day', make_date(2001, 1, 1), c.day_on), 7) AS weekday,
        CASE WHEN day(c.day_on) <= 4 THEN 1 WHEN day(c.day_on) >= 25 THEN 3 ELSE 2 END AS part,
        CASE WHEN c.day_on <= c.on_day THEN coalesce(f.cash_in, 0) END AS cash_in,
        CASE WHEN c.day_on <= c.on_day THEN coalesce(f.cash_out, 0) END AS cash_out
    FROM calendar c
    LEFT JOIN flow f ON f.branch = c.branch AND f.day_on = c.day_on
),
-- Each day to be told, with the 112 days that were known the day before it (or today, for days ahead).
past AS (
    SELECT
        g.branch,
        g.day_on AS goal_on,
        f.day_on,
        f.weekday,
        f.part,
        f.cash_in,
        f.cash_out
    FROM filled g
    JOIN filled f ON f.branch = g.branch AND f.cash_out IS NOT NULL
        AND date_diff('day', f.day_on, CASE WHEN g.day_on <= g.on_day THEN g.day_on ELSE g.on_day + 1 END)
            BETWEEN 1 AND 112
    WHERE date_diff('day', g.day_on, g.on_day) < $days
),
weekday AS (
    SELECT branch, goal_on, weekday, avg(cash_in) AS cash_in, avg(cash_out) AS cash_out, count(*) AS days
    FROM past
    GROUP BY branch, goal_on, weekday
),
part AS (
    SELECT
        p.branch,
        p.goal_on,
        p.part,
        sum(p.cash_out) / nullif(sum(w.cash_out), 0) AS out_factor,
        sum(p.cash_in) / nullif(sum(w.cash_in), 0) AS in_factor
    FROM past p
    JOIN weekday w ON w.branch = p.branch AND w.goal_on = p.goal_on AND w.weekday = p.weekday
    GROUP BY p.branch, p.goal_on, p.part
),
-- How far days were off, by the root of what was expected of them: cash that many customers draw varies
-- by it. Nine degrees of freedom went into seven weekdays and two of the three parts of the month.
off AS (
    SELECT
        p.branch,
        p.goal_on,
        sqrt(sum(
            power(p.cash_out - w.cash_out * coalesce(r.out_factor, 1), 2)
            / greatest(w.cash_out * coalesce(r.out_factor, 1), 1)
        ) / greatest(count(*) - 9, 1)) AS out_scatter,
        sqrt(sum(
            power(p.cash_in - w.cash_in * coalesce(r.in_factor, 1), 2)
            / greatest(w.cash_in * coalesce(r.in_factor, 1), 1)
        ) / greatest(count(*) - 9, 1)) AS in_scatter
    FROM past p
    JOIN weekday w ON w.branch = p.branch AND w.goal_on = p.goal_on AND w.weekday = p.weekday
    JOIN part r ON r.branch = p.branch AND r.goal_on = p.goal_on AND r.part = p.part
    GROUP BY p.branch, p.goal_on
),
expected AS (
    SELECT
        g.branch,
        g.day_on,
        g.cash_limit,
        g.cash_in,
        g.cash_out,
        w.cash_out * coalesce(r.out_factor, 1) AS out_expected,
        w.cash_in * coalesce(r.in_factor, 1) AS in_expected,
        -- The mean of so many days is off itself.
        o.out_scatter * sqrt(w.cash_out * coalesce(r.out_factor, 1) * (1 + 1 / w.days)) AS out_spread,
        o.in_scatter * sqrt(w.cash_in * coalesce(r.in_factor, 1) * (1 + 1 / w.days)) AS in_spread
    FROM filled g
    JOIN weekday w ON w.branch = g.branch AND w.goal_on = g.day_on AND w.weekday = g.weekday
    JOIN off o ON o.branch = g.branch AND o.goal_on = g.day_on
    LEFT JOIN part r ON r.branch = g.branch AND r.goal_on = g.day_on AND r.part = g.part
    WHERE w.days >= 4
)
