-- Expected cash out and in of each of the five days after the as-of day, from 112 days of the branch.
-- A day is expected to be like the same weekday of the sixteen weeks before, times what its place in the
-- month (first days, middle, pay days) makes of it; the bound is that plus 1.64 standard errors of
-- what such days were off by.
WITH ahead AS (
    SELECT p.subject_id, p.as_of, p.as_of_on + CAST(h.n AS INTEGER) AS day_on, h.n
    FROM population p
    CROSS JOIN (VALUES (1), (2), (3), (4), (5)) AS h (n)
),
flow AS (
    SELECT
        subject_id,
        as_of,
        occurred_on,
        mod(date_diff('day', make_date(2001, 1, 1), occurred_on), 7) AS weekday,
        CASE WHEN day(occurred_on) <= 4 THEN 1 WHEN day(occurred_on) >= 25 THEN 3 ELSE 2 END AS part,
        cash_in_base_minor AS cash_in,
        cash_out_base_minor AS cash_out
    FROM banking_cash_day
    WHERE days_before < 112
),
weekday AS (
    SELECT subject_id, as_of, weekday, avg(cash_in) AS cash_in, avg(cash_out) AS cash_out, count(*) AS days
    FROM flow
    GROUP BY subject_id, as_of, weekday
),
part AS (
    SELECT
        f.subject_id,
        f.as_of,
        f.part,
        sum(f.cash_out) / nullif(sum(w.cash_out), 0) AS out_factor,
        sum(f.cash_in) / nullif(sum(w.cash_in), 0) AS in_factor
    FROM flow f
    JOIN weekday w ON w.subject_id = f.subject_id AND w.as_of = f.as_of AND w.weekday = f.weekday
    GROUP BY f.subject_id, f.as_of, f.part
),
off AS (
    SELECT
        f.subject_id,
        f.as_of,
        -- By the root of what was expected, as in position.sql.
        sqrt(sum(
            power(f.cash_out - w.cash_out * coalesce(p.out_factor, 1), 2)
            / greatest(w.cash_out * coalesce(p.out_factor, 1), 1)
        ) / greatest(count(*) - 9, 1)) AS scatter
    FROM flow f
    JOIN weekday w ON w.subject_id = f.subject_id AND w.as_of = f.as_of AND w.weekday = f.weekday
    JOIN part p ON p.subject_id = f.subject_id AND p.as_of = f.as_of AND p.part = f.part
    GROUP BY f.subject_id, f.as_of
),
expected AS (
    SELECT
        a.subject_id,
        a.as_of,
        a.day_on,
        w.cash_out * coalesce(p.out_factor, 1) AS cash_out,
        w.cash_in * coalesce(p.in_factor, 1) AS cash_in,
        o.scatter * sqrt(w.cash_out * coalesce(p.out_factor, 1) * (1 + 1 / w.days)) AS spread
    FROM ahead a
    JOIN weekday w ON w.subject_id = a.subject_id AND w.as_of = a.as_of
        AND w.weekday = mod(date_diff('day', make_date(2001, 1, 1), a.day_on), 7)
    JOIN off o ON o.subject_id = a.subject_id AND o.as_of = a.as_of
    LEFT JOIN part p ON p.subject_id = a.subject_id AND p.as_of = a.as_of
        AND p.part = CASE WHEN day(a.day_on) <= 4 THEN 1 WHEN day(a.day_on) >= 25 THEN 3 ELSE 2 END
    WHERE w.days >= 4
),
limited AS (
    SELECT subject_id, as_of, max(cash_limit_base_minor) AS cash_limit
    FROM banking_branch
    GROUP BY subject_id, as_of
)
SELECT
    e.subject_id,
    e.as_of,
    CAST(round(max(e.cash_out) + 0.000001) AS BIGINT) AS banking_cash_out_expected_minor,
    CAST(round(max(e.cash_out + 1.64 * e.spread) + 0.000001) AS BIGINT) AS banking_cash_out_bound_minor,
    CAST(round(avg(e.cash_in) + 0.000001) AS BIGINT) AS banking_cash_in_expected_minor,
    max(l.cash_limit) AS banking_cash_limit_minor,
    count(*) FILTER (WHERE e.cash_out > l.cash_limit) AS banking_days_above_cash_limit
FROM expected e
LEFT JOIN limited l ON l.subject_id = e.subject_id AND l.as_of = e.as_of
GROUP BY e.subject_id, e.as_of
