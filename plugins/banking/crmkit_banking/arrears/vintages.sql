-- Loans by the quarter in which they were granted: the share that was ever so many days past due by the
-- end of so many months on book. A month is shown once every loan of the quarter could have reached it.
WITH digit AS (
    SELECT d FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS v (d)
),
age AS (
    SELECT tens.d * 10 + ones.d AS months
    FROM digit tens
    CROSS JOIN digit ones
    WHERE tens.d * 10 + ones.d BETWEEN 1 AND $months
),
loan AS (
    SELECT
        id,
        coalesce(principal_base_minor, 0) AS principal,
        CAST(year(granted_on) AS VARCHAR) || ' Q' || CAST(quarter(granted_on) AS VARCHAR) AS vintage,
        year(granted_on) * 12 + month(granted_on) AS granted_no,
        (year(as_of_on) * 12 + month(as_of_on)) - (year(granted_on) * 12 + month(granted_on)) AS watched
    FROM banking_loan
    WHERE granted_on <= as_of_on AND ($product = 'all' OR product = $product)
),
bad AS (
    SELECT
        l.id,
        min(year(s.occurred_on) * 12 + month(s.occurred_on)) - l.granted_no AS months
    FROM loan l
    JOIN banking_loan_statement s ON s.record_id = l.id
    WHERE s.days_past_due >= $days OR s.written_off
    GROUP BY l.id, l.granted_no
),
-- A loan that was granted before its statements begin cannot be judged: what went bad then is gone.
seen AS (
    SELECT min(year(occurred_on) * 12 + month(occurred_on)) AS first_no FROM banking_loan_statement
),
vintage AS (
    SELECT l.vintage, count(*) AS loans, sum(l.principal) AS principal, min(l.watched) AS watched
    FROM loan l
    CROSS JOIN seen
    WHERE l.granted_no + 1 >= seen.first_no
    GROUP BY l.vintage
)
SELECT
    v.vintage,
    CAST(a.months AS BIGINT) AS months_on_book,
    v.loans,
    CAST(sum(CASE WHEN b.months <= a.months THEN 1 ELSE 0 END) AS BIGINT) AS bad,
    sum(CASE WHEN b.months <= a.months THEN 1 ELSE 0 END) / v.loans AS bad_rate,
    sum(CASE WHEN b.months <= a.months THEN l.principal ELSE 0 END)
        / nullif(v.principal, 0) AS bad_principal_share
FROM vintage v
JOIN age a ON a.months <= v.watched
JOIN loan l ON l.vintage = v.vintage
CROSS JOIN seen
LEFT JOIN bad b ON b.id = l.id
WHERE l.granted_no + 1 >= seen.first_no
GROUP BY v.vintage, v.loans, v.principal, a.months
