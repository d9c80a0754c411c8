-- Bills and what is owed of them, line by line and then added up for the customer.
-- Half a year of bills: three to look at and three to compare each with.
WITH bill AS (
    SELECT
        b.subject_id,
        b.as_of,
        b.days_before,
        b.amount_base_minor AS amount,
        b.overage_base_minor AS overage,
        row_number() OVER (
            PARTITION BY b.subject_id, b.as_of, b.record_id
            ORDER BY b.occurred_at DESC, b.id DESC
        ) AS place,
        avg(b.amount_base_minor) OVER (
            PARTITION BY b.subject_id, b.as_of, b.record_id
            ORDER BY b.occurred_at, b.id
            ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING
        ) AS usual,
        count(*) OVER (
            PARTITION BY b.subject_id, b.as_of, b.record_id
            ORDER BY b.occurred_at, b.id
            ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING
        ) AS earlier
    FROM telecom_bill b
    -- A credit note is no bill.
    WHERE b.amount_minor >= 0
),
month AS (
    -- The last three bills of the customer, lines added up; a line is compared with itself only.
    SELECT
        subject_id,
        as_of,
        place,
        sum(CASE WHEN earlier = 3 THEN amount END)
            / nullif(sum(CASE WHEN earlier = 3 THEN usual END), 0) AS shock,
        sum(amount) AS billed,
        sum(overage) AS overage
    FROM bill
    WHERE place <= 6
    GROUP BY subject_id, as_of, place
),
billed AS (
    SELECT
        subject_id,
        as_of,
        max(CASE WHEN place <= 3 THEN shock END) AS bill_shock_3m,
        sum(CASE WHEN place = 2 THEN billed END) AS bill_before,
        sum(CASE WHEN place <= 3 THEN overage END)
            / nullif(sum(CASE WHEN place <= 3 AND overage IS NOT NULL THEN billed END), 0)
            AS overage_share_3m,
        CASE WHEN count(*) = 6 THEN
            sum(CASE WHEN place <= 3 THEN billed END)
            / nullif(sum(CASE WHEN place > 3 THEN billed END), 0) - 1
        END AS spend_trend_3m
    FROM month
    GROUP BY subject_id, as_of
),
entry AS (
    -- In every currency by itself: what was billed, paid, reversed (a negative payment) and credited (a negative bill).
    SELECT
        subject_id, as_of, coalesce(record_id, 0) AS line, currency, due_on, occurred_at, as_of_on,
        amount_minor AS billed, 0 AS paid
    FROM telecom_bill
    UNION ALL
    SELECT
        subject_id, as_of, coalesce(record_id, 0), currency, due_on, occurred_at, as_of_on,
        0, amount_minor
    FROM telecom_payment
),
due AS (
    -- One row for each due date of a line, with what is left to pay or was paid too much.
    SELECT
        subject_id,
        as_of,
        line,
        currency,
        due_on,
        as_of_on,
        min(CASE WHEN billed > 0 THEN occurred_at END) AS billed_at,
        sum(billed - paid) AS balance
    FROM entry
    WHERE due_on IS NOT NULL
    GROUP BY subject_id, as_of, as_of_on, line, currency, due_on
),
began AS (
    SELECT
        subject_id,
        as_of,
        line,
        currency,
        min(billed_at) AS billed_at,
        sum(CASE WHEN billed_at IS NOT NULL THEN greatest(-balance, 0) END) AS surplus
    FROM due
    GROUP BY subject_id, as_of, line, currency
),
unassigned AS (
    -- Payments and credit notes without a due date, and credit notes of one that has no bill here.
    -- What came before the first bill here belongs to a bill that is too old to be seen.
    SELECT e.subject_id, e.as_of, e.line, e.currency, sum(e.paid - e.billed) AS amount
    FROM entry e
    JOIN began g
        ON g.subject_id = e.subject_id AND g.as_of = e.as_of AND g.line = e.line
        AND coalesce(g.currency, '') = coalesce(e.currency, '')
    LEFT JOIN due d
        ON d.subject_id = e.subject_id AND d.as_of = e.as_of AND d.line = e.line
        AND coalesce(d.currency, '') = coalesce(e.currency, '') AND d.due_on = e.due_on
    WHERE e.billed <= 0 AND e.occurred_at >= g.billed_at AND d.billed_at IS NULL
        AND (e.due_on IS NULL OR e.billed < 0)
    GROUP BY e.subject_id, e.as_of, e.line, e.currency
),
open AS (
    -- What is left to pay up to each due date: the rest is settled from the oldest on.
    SELECT
        d.subject_id,
        d.as_of,
        d.line,
        d.currency,
        d.due_on,
        d.as_of_on,
        sum(d.balance) OVER (
            PARTITION BY d.subject_id, d.as_of, d.line, d.currency
            ORDER BY d.due_on
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS balance
    FROM due d
    WHERE d.billed_at IS NOT NULL AND d.balance > 0
),
owed AS (
    SELECT o.subject_id, o.as_of, max(date_diff('day', o.due_on, o.as_of_on)) AS days_overdue
    FROM open o
    JOIN began g
        ON g.subject_id = o.subject_id AND g.as_of = o.as_of AND g.line = o.line
        AND coalesce(g.currency, '') = coalesce(o.currency, '')
    LEFT JOIN unassigned u
        ON u.subject_id = o.subject_id AND u.as_of = o.as_of AND u.line = o.line
        AND coalesce(u.currency, '') = coalesce(o.currency, '')
    WHERE o.due_on < o.as_of_on AND o.balance > g.surplus + coalesce(u.amount, 0)
    GROUP BY o.subject_id, o.as_of
)
SELECT
    b.subject_id,
    b.as_of,
    m.shock AS telecom_bill_shock_ratio,
    b.bill_shock_3m AS telecom_bill_shock_3m,
    CAST(m.billed AS BIGINT) AS telecom_bill_amount,
    m.billed / nullif(b.bill_before, 0) - 1 AS telecom_bill_change,
    b.overage_share_3m AS telecom_overage_share_3m,
    b.spend_trend_3m AS telecom_spend_trend_3m,
    coalesce(o.days_overdue, 0) AS telecom_days_overdue
FROM billed b
JOIN month m ON m.subject_id = b.subject_id AND m.as_of = b.as_of AND m.place = 1
LEFT JOIN owed o ON o.subject_id = b.subject_id AND o.as_of = b.as_of
