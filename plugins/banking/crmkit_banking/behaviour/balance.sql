-- Balances of all accounts of the customer, end of day, from what the movements state.
-- A balance stands from the day of its last movement until the day before the next.
WITH closing AS (
    SELECT
        subject_id,
        as_of,
        record_id AS account_id,
        days_before,
        balance_after_base_minor AS balance,
        row_number() OVER (
            PARTITION BY subject_id, as_of, record_id, days_before ORDER BY occurred_at DESC, id DESC
        ) AS place
    FROM banking_transaction
    WHERE record_id IS NOT NULL AND balance_after_base_minor IS NOT NULL
),
span AS (
    -- From the day "days_before" back to the day after "until"; -1 is still standing.
    SELECT
        subject_id,
        as_of,
        balance,
        days_before,
        coalesce(lead(days_before) OVER (
            PARTITION BY subject_id, as_of, account_id ORDER BY days_before DESC
        ), -1) AS until
    FROM closing
    WHERE place = 1
),
summed AS (
    SELECT
        subject_id,
        as_of,
        CAST(sum(CASE WHEN until = -1 THEN balance ELSE 0 END) AS BIGINT) AS balance,
        sum(CASE WHEN days_before >= 30 AND until < 30 THEN balance END) AS balance_before,
        sum(balance * greatest(least(days_before, 29) - until, 0)) / 30 AS average_30d,
        sum(balance * greatest(least(days_before, 119) - greatest(until, 29), 0)) / 90 AS average_before,
        max(days_before) AS first_day,
        CAST(sum(CASE WHEN balance < 0 THEN greatest(least(days_before, 89) - until, 0) ELSE 0 END)
            AS BIGINT) AS overdraft_days
    FROM span
    GROUP BY subject_id, as_of
)
SELECT
    subject_id,
    as_of,
    balance AS banking_balance_minor,
    CAST(round(average_30d) AS BIGINT) AS banking_average_balance_30d_minor,
    CASE WHEN first_day >= 119 THEN CAST(round(average_before) AS BIGINT) END
        AS banking_average_balance_before_minor,
    CASE WHEN balance_before > 0 THEN balance / balance_before - 1 END AS banking_balance_change_30d,
    CASE WHEN first_day >= 119 AND average_before > 0 THEN average_30d / average_before - 1 END
        AS banking_average_balance_change,
    -- Two accounts that are overdrawn on one day count once at most.
    least(overdraft_days, 90) AS banking_overdraft_days_90d
FROM summed
