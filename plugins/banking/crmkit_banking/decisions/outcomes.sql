-- How each loan that an application led to went within so many days: 1 for 90 days past due or a
-- write-off, 0 for a loan that was watched for so long without it, nothing for one that is younger.
WITH shown AS (
    SELECT
        record_id AS loan_id,
        min(CASE WHEN days_past_due >= 90 OR written_off THEN occurred_on END) AS bad_on,
        min(occurred_on) AS first_on,
        max(occurred_on) AS last_on
    FROM banking_loan_statement
    WHERE record_id IS NOT NULL
    GROUP BY record_id
),
judged AS (
    SELECT
        l.id AS loan_id,
        l.application,
        date_diff('day', l.granted_on, s.bad_on) AS bad_days,
        -- Of a loan that was repaid no statements follow.
        date_diff('day', l.granted_on, CASE WHEN l.status = 'finished' THEN l.as_of_on ELSE s.last_on END)
            AS watched_days,
        -- A loan whose first months are not shown may have been bad in them.
        date_diff('day', l.granted_on, s.first_on) <= 62 AS from_the_start
    FROM banking_loan l
    JOIN shown s ON s.loan_id = l.id
    WHERE l.application IS NOT NULL AND l.granted_on IS NOT NULL
)
SELECT
    loan_id,
    application,
    CASE
        WHEN bad_days <= $days THEN 1
        WHEN watched_days >= $days AND from_the_start THEN 0
    END AS bad
FROM judged
