-- Salary and pension by full calendar months: 1 is the last month that has ended, the as-of day's own
-- where that is its last day. Months and not days, because pay days wander around weekends.
WITH paid AS (
    SELECT
        subject_id,
        as_of,
        days_before,
        amount_base_minor,
        (year(as_of_on + 1) * 12 + month(as_of_on + 1))
            - (year(occurred_on) * 12 + month(occurred_on)) AS months_back
    FROM banking_transaction
    WHERE type IN ('salary', 'pension') AND amount_minor > 0
),
summed AS (
    SELECT
        subject_id,
        as_of,
        CAST(sum(CASE WHEN months_back = 1 THEN amount_base_minor ELSE 0 END) AS BIGINT) AS last_month,
        CAST(sum(CASE WHEN months_back BETWEEN 1 AND 3 THEN amount_base_minor ELSE 0 END) AS BIGINT) AS latest,
        CAST(sum(CASE WHEN months_back BETWEEN 4 AND 6 THEN amount_base_minor ELSE 0 END) AS BIGINT) AS earlier,
        count(DISTINCT CASE WHEN months_back BETWEEN 4 AND 6 THEN months_back END) AS earlier_months,
        count(DISTINCT CASE WHEN months_back BETWEEN 1 AND 6 THEN months_back END) AS months,
        min(days_before) AS days_since,
        count(*) FILTER (WHERE days_before >= 46 AND days_before <= 136) AS before_stop
    FROM paid
    GROUP BY subject_id, as_of
)
SELECT
    subject_id,
    as_of,
    CAST(latest // 3 AS BIGINT) AS banking_income_3m_minor,
    -- An income that began a month ago has not risen.
    CASE WHEN earlier_months = 3 THEN latest / earlier - 1 END AS banking_income_change_3m,
    CASE WHEN earlier_months = 3 THEN last_month / (earlier / 3) END AS banking_income_last_month_ratio,
    days_since AS banking_days_since_salary,
    days_since <= 45 AS banking_salary_in,
    days_since > 45 AND before_stop >= 2 AS banking_salary_stopped,
    months AS banking_income_months_6m
FROM summed
