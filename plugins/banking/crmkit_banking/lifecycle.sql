-- The stage in which every customer ought to be, and the first ground for it.
-- A quarter: the first quarter is for settling in. Half a year without any movement is dormant, as
-- banks' own terms have it. Two months without the salary: one pay day may be late, two are not.
WITH account AS (
    SELECT
        subject_id,
        as_of,
        count(*) AS accounts,
        count_if(coalesce(status, 'open') = 'closed') AS closed,
        count_if(status = 'closing') AS closing,
        min(date_diff('day', opened_on, as_of_on)) AS youngest,
        max(date_diff('day', opened_on, as_of_on)) AS oldest,
        min(date_diff('day', last_salary_on, as_of_on)) AS salary_days
    FROM banking_account
    WHERE opened_on IS NULL OR opened_on <= as_of_on
    GROUP BY subject_id, as_of
),
movement AS (
    SELECT
        subject_id,
        as_of,
        min(days_before) AS quiet,
        min(CASE WHEN type IN ('salary', 'pension') THEN days_before END) AS salary_days
    FROM banking_transaction
    GROUP BY subject_id, as_of
),
request AS (
    SELECT subject_id, as_of, count(*) AS requests
    FROM banking_closing_request
    WHERE days_before < 60 AND NOT coalesce(retained, false)
    GROUP BY subject_id, as_of
),
product AS (
    SELECT subject_id, as_of, count(*) AS products
    FROM (
        SELECT subject_id, as_of, id FROM banking_term_deposit
        UNION ALL
        SELECT subject_id, as_of, id FROM banking_loan
        UNION ALL
        SELECT subject_id, as_of, id FROM banking_card
    ) AS held
    GROUP BY subject_id, as_of
),
known AS (
    SELECT
        p.subject_id,
        p.as_of,
        coalesce(a.accounts, 0) AS accounts,
        coalesce(a.closed, 0) AS closed,
        coalesce(a.closing, 0) + coalesce(r.requests, 0) AS closing,
        a.youngest,
        a.oldest,
        m.quiet,
        least(coalesce(a.salary_days, 9999), coalesce(m.salary_days, 9999)) AS salary_days,
        coalesce(h.products, 0) AS products
    FROM population p
    LEFT JOIN account a ON a.subject_id = p.subject_id AND a.as_of = p.as_of
    LEFT JOIN movement m ON m.subject_id = p.subject_id AND m.as_of = p.as_of
    LEFT JOIN request r ON r.subject_id = p.subject_id AND r.as_of = p.as_of
    LEFT JOIN product h ON h.subject_id = p.subject_id AND h.as_of = p.as_of
),
staged AS (
    SELECT
        *,
        CASE
            WHEN accounts = 0 AND products = 0 THEN 'prospect'
            WHEN accounts > 0 AND accounts = closed THEN 'left'
            WHEN closing > 0 THEN 'about-to-close'
            WHEN quiet >= 180 THEN 'dormant'
            WHEN oldest < 90 THEN 'new'
            WHEN salary_days < 62 THEN 'main-bank'
            WHEN oldest < 730 OR products >= 2 THEN 'growing'
            ELSE 'established'
        END AS stage
    FROM known
)
SELECT
    subject_id,
    as_of,
    stage,
    CASE stage
        WHEN 'prospect' THEN 'no account or product yet'
        WHEN 'left' THEN 'every account is closed'
        WHEN 'about-to-close' THEN 'asked to close an account'
        WHEN 'dormant' THEN 'days without a movement: ' || CAST(quiet AS VARCHAR)
        WHEN 'new' THEN 'days since the first account: ' || CAST(oldest AS VARCHAR)
        WHEN 'main-bank' THEN 'days since the last salary: ' || CAST(salary_days AS VARCHAR)
        WHEN 'growing' THEN 'products beside the account: ' || CAST(products AS VARCHAR)
        ELSE 'no movement in the relation'
    END AS reason
FROM staged
