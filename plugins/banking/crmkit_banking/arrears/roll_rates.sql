-- From one month end to the next: how many loans, and how much money, went from bucket to bucket.
WITH statement AS (
    SELECT
        record_id AS loan,
        outstanding_base_minor,
        year(occurred_on) * 12 + month(occurred_on) AS month_no,
        (year(as_of_on) * 12 + month(as_of_on)) - (year(occurred_on) * 12 + month(occurred_on)) AS age,
        CASE
            WHEN written_off THEN '5 written off'
            WHEN days_past_due >= 90 THEN '4 90+'
            WHEN days_past_due >= 60 THEN '3 60-89'
            WHEN days_past_due >= 30 THEN '2 30-59'
            WHEN days_past_due >= 1 THEN '1 1-29'
            ELSE '0 current'
        END AS bucket,
        row_number() OVER (
            PARTITION BY record_id, year(occurred_on) * 12 + month(occurred_on)
            ORDER BY occurred_at DESC, id DESC
        ) AS place
    FROM banking_loan_statement
    WHERE record_id IS NOT NULL
),
moved AS (
    SELECT
        a.bucket AS from_bucket,
        -- No statement follows a loan that was repaid.
        coalesce(b.bucket, CASE WHEN a.bucket = '5 written off' THEN '5 written off' ELSE '6 repaid' END)
            AS to_bucket,
        a.outstanding_base_minor
    FROM statement a
    LEFT JOIN statement b ON b.loan = a.loan AND b.month_no = a.month_no + 1 AND b.place = 1
    WHERE a.place = 1 AND a.age BETWEEN 1 AND $months
)
SELECT
    from_bucket,
    to_bucket,
    count(*) AS loans,
    count(*) / sum(count(*)) OVER (PARTITION BY from_bucket) AS share,
    CAST(sum(outstanding_base_minor) AS BIGINT) AS outstanding_minor,
    CASE WHEN sum(sum(outstanding_base_minor)) OVER (PARTITION BY from_bucket) > 0 THEN
        sum(outstanding_base_minor) / sum(sum(outstanding_base_minor)) OVER (PARTITION BY from_bucket)
    END AS outstanding_share
FROM moved
GROUP BY from_bucket, to_bucket
