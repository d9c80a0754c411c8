-- What people do before they go: money to their own name elsewhere, orders cancelled, a request.
WITH moved AS (
    SELECT subject_id, as_of, CAST(sum(-amount_base_minor) AS BIGINT) AS away
    FROM banking_transaction
    WHERE own_name AND amount_minor < 0 AND days_before < 30
    GROUP BY subject_id, as_of
),
cancelled AS (
    SELECT subject_id, as_of, count(*) AS orders
    FROM banking_standing_order
    WHERE date_diff('day', cancelled_on, as_of_on) BETWEEN 0 AND 29
    GROUP BY subject_id, as_of
),
asked AS (
    SELECT subject_id, as_of, count(*) AS requests
    FROM banking_closing_request
    WHERE days_before < 60
    GROUP BY subject_id, as_of
),
held AS (
    SELECT subject_id, as_of, count(*) FILTER (WHERE coalesce(status, 'open') <> 'closed') AS open_accounts
    FROM banking_account
    WHERE opened_on IS NULL OR opened_on <= as_of_on
    GROUP BY subject_id, as_of
)
SELECT
    p.subject_id,
    p.as_of,
    coalesce(h.open_accounts, 0) AS banking_open_accounts,
    coalesce(m.away, 0) AS banking_moved_away_30d_minor,
    coalesce(c.orders, 0) AS banking_orders_cancelled_30d,
    coalesce(a.requests, 0) AS banking_closing_requests_60d
FROM population p
LEFT JOIN held h ON h.subject_id = p.subject_id AND h.as_of = p.as_of
LEFT JOIN moved m ON m.subject_id = p.subject_id AND m.as_of = p.as_of
LEFT JOIN cancelled c ON c.subject_id = p.subject_id AND c.as_of = p.as_of
LEFT JOIN asked a ON a.subject_id = p.subject_id AND a.as_of = p.as_of
