-- Running loans: how late the oldest unpaid instalment is on the very day, and how late they have been.
-- The oldest unpaid instalment is the oldest of which less was paid than was due, or came back; else, as
-- instalments are paid in order, it is due a month after the last that was paid in full: on the same day
-- of the month, or on the last day of a month without it. A loan runs while a statement of the last 45 days shows something owed.
WITH statement AS (
    SELECT
        subject_id,
        as_of,
        record_id AS loan,
        days_before,
        outstanding_minor,
        outstanding_base_minor,
        days_past_due,
        coalesce(written_off, false) AS written_off,
        row_number() OVER (
            PARTITION BY subject_id, as_of, record_id ORDER BY occurred_at DESC, id DESC
        ) AS place
    FROM banking_loan_statement
    WHERE record_id IS NOT NULL
),
instalment AS (
    SELECT
        r.subject_id,
        r.as_of,
        r.record_id AS loan,
        r.due_on,
        -- A file without amounts lists what was paid.
        count(r.due_minor) = 0 OR count(r.paid_minor) = 0
            OR coalesce(
                sum(CASE WHEN r.paid_currency = r.due_currency THEN r.paid_minor END)
                    >= max(CASE WHEN r.paid_currency = r.due_currency THEN r.due_minor END),
                false
            ) AS met,
        -- Of an older one a part may have been paid before what is looked at.
        date_diff('day', r.due_on, q.as_of_on) <= 185 AS all_seen
    FROM banking_repayment r
    JOIN population q ON q.subject_id = r.subject_id AND q.as_of = r.as_of
    WHERE r.record_id IS NOT NULL AND r.due_on IS NOT NULL
    GROUP BY r.subject_id, r.as_of, r.record_id, r.due_on, q.as_of_on
),
met AS (
    SELECT subject_id, as_of, loan, due_on FROM instalment WHERE met
),
paid AS (
    SELECT
        subject_id,
        as_of,
        loan,
        max(due_on) AS last_due_on,
        max(day(due_on)) AS latest_day,
        -- The month begun and 31 days are a day of the next month.
        CAST(date_trunc('month', CAST(date_trunc('month', max(due_on)) AS DATE) + 31) AS DATE) AS next_month_on
    FROM met
    GROUP BY subject_id, as_of, loan
),
next_due AS (
    SELECT
        p.subject_id,
        p.as_of,
        p.loan,
        make_date(
            year(p.next_month_on),
            month(p.next_month_on),
            least(
                CASE
                    -- A last day of a month may stand for a later day, which other months show.
                    WHEN month(p.last_due_on + 1) <> month(p.last_due_on)
                        THEN greatest(p.latest_day, coalesce(day(l.next_due_on), p.latest_day))
                    ELSE day(p.last_due_on)
                END,
                day(CAST(date_trunc('month', p.next_month_on + 31) AS DATE) - 1)
            )
        ) AS due_on
    FROM paid p
    LEFT JOIN banking_loan l ON l.subject_id = p.subject_id AND l.as_of = p.as_of AND l.id = p.loan
),
unpaid AS (
    SELECT subject_id, as_of, loan, min(due_on) AS due_on
    FROM (
        SELECT subject_id, as_of, loan, due_on FROM next_due
        UNION ALL
        SELECT subject_id, as_of, loan, due_on FROM instalment WHERE NOT met AND all_seen
    ) due
    GROUP BY subject_id, as_of, loan
),
late AS (
    SELECT
        subject_id,
        as_of,
        CAST(max(days_past_due) AS BIGINT) AS worst,
        count(DISTINCT CASE WHEN days_past_due > 0 THEN days_before END) AS months_late
    FROM statement
    WHERE days_before < 185
    GROUP BY subject_id, as_of
),
loan AS (
    SELECT
        s.subject_id,
        s.as_of,
        s.outstanding_base_minor,
        CASE
            WHEN u.due_on IS NOT NULL THEN greatest(0, date_diff('day', u.due_on, q.as_of_on))
            WHEN s.days_past_due > 0 THEN s.days_past_due + s.days_before
            ELSE 0
        END AS days_past_due
    FROM statement s
    JOIN population q ON q.subject_id = s.subject_id AND q.as_of = s.as_of
    LEFT JOIN unpaid u ON u.subject_id = s.subject_id AND u.as_of = s.as_of AND u.loan = s.loan
    WHERE s.place = 1 AND s.days_before <= 45 AND s.outstanding_minor > 0 AND NOT s.written_off
),
running AS (
    SELECT
        subject_id,
        as_of,
        count(*) AS loans,
        CAST(sum(outstanding_base_minor) AS BIGINT) AS outstanding,
        CAST(max(days_past_due) AS BIGINT) AS days_past_due
    FROM loan
    GROUP BY subject_id, as_of
)
SELECT
    p.subject_id,
    p.as_of,
    coalesce(r.loans, 0) AS banking_loans,
    coalesce(r.outstanding, 0) AS banking_outstanding_minor,
    coalesce(r.days_past_due, 0) AS banking_days_past_due,
    coalesce(l.worst, 0) AS banking_worst_days_past_due_6m,
    coalesce(l.months_late, 0) AS banking_months_late_6m
FROM population p
LEFT JOIN running r ON r.subject_id = p.subject_id AND r.as_of = p.as_of
LEFT JOIN late l ON l.subject_id = p.subject_id AND l.as_of = p.as_of
