-- Accounts closed by month and reason, and what stands at risk now.
WITH closed AS (
    SELECT
        CAST(date_trunc('month', c.occurred_on) AS DATE) AS month_on,
        coalesce(c.reason, 'unknown') AS reason,
        coalesce(c.competitor, '') AS competitor,
        c.subject_id,
        c.occurred_on
    FROM banking_account_closure c
    WHERE c.days_before < $days
),
-- What the customer held ninety days before, less what has gone since: the largest balance of that time.
held AS (
    SELECT c.subject_id, c.occurred_on, max(b.balance) AS lost
    FROM closed c
    JOIN (
        SELECT subject_id, occurred_on, sum(balance_after_base_minor) AS balance
        FROM (
            SELECT
                subject_id, record_id, occurred_on, balance_after_base_minor,
                row_number() OVER (
                    PARTITION BY subject_id, record_id, occurred_on ORDER BY occurred_at DESC, id DESC
                ) AS place
            FROM banking_transaction
            WHERE days_before < $days + 90 AND balance_after_base_minor IS NOT NULL
        ) t
        WHERE place = 1
        GROUP BY subject_id, occurred_on
    ) b ON b.subject_id = c.subject_id AND date_diff('day', b.occurred_on, c.occurred_on) BETWEEN 0 AND 90
    GROUP BY c.subject_id, c.occurred_on
),
risk AS (
    SELECT
        f.subject_id,
        coalesce(f.banking_assets_minor, 0) AS assets,
        -- Of an account about to close much has gone: what was there 30 days ago is at risk.
        coalesce(f.banking_average_balance_before_minor, 0) AS before
    FROM feature f
    WHERE f.banking_open_accounts >= 1 AND (
        f.banking_closing_requests_60d >= 1
        OR f.banking_balance_change_30d <= -0.6 AND f.banking_average_balance_before_minor >= 50000
            AND (f.banking_salary_stopped OR f.banking_orders_cancelled_30d >= 2
                OR f.banking_moved_away_30d_minor > 0)
    )
)
SELECT
    'closed' AS what,
    c.month_on,
    c.reason,
    c.competitor,
    count(DISTINCT c.subject_id) AS customers,
    CAST(coalesce(sum(h.lost), 0) AS BIGINT) AS deposits_minor
FROM closed c
LEFT JOIN held h ON h.subject_id = c.subject_id AND h.occurred_on = c.occurred_on
GROUP BY c.month_on, c.reason, c.competitor
UNION ALL
SELECT
    'at risk' AS what,
    CAST(NULL AS DATE) AS month_on,
    'about to close' AS reason,
    '' AS competitor,
    count(*) AS customers,
    CAST(coalesce(sum(greatest(assets, before)), 0) AS BIGINT) AS deposits_minor
FROM risk
