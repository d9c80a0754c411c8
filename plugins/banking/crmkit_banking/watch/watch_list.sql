-- Who was put on the watch list, the transactions behind it, and what came of it.
WITH fired AS (
    SELECT
        o.subject_id,
        o.days_before AS age,
        CASE o.name
            WHEN 'banking.watch-withdrawal' THEN 'withdrawal'
            WHEN 'banking.watch-card-use' THEN 'card_use'
            WHEN 'banking.watch-about-to-close' THEN 'about_to_close'
            WHEN 'banking.watch-income-drop' THEN 'income_drop'
            ELSE 'balance_drop'
        END AS flag,
        max(o.reasons) AS evidence,
        min(o.as_of_on) AS as_of_on
    FROM outcome o
    WHERE o.kind = 'rule' AND o.days_before < $days AND o.name LIKE 'banking.watch-%'
    GROUP BY o.subject_id, o.days_before, o.name
),
line AS (
    SELECT
        f.subject_id,
        f.age,
        f.flag,
        t.id,
        t.occurred_on,
        t.type,
        t.via,
        t.country,
        t.amount_base_minor,
        row_number() OVER (
            PARTITION BY f.subject_id, f.age, f.flag
            ORDER BY CASE
                WHEN f.flag IN ('withdrawal', 'card_use', 'balance_drop') THEN t.amount_base_minor
                ELSE t.days_before
            END, t.id
        ) AS position
    FROM fired f
    JOIN banking_transaction t ON t.subject_id = f.subject_id
    WHERE f.flag = 'withdrawal' AND t.days_before = f.age AND t.type = 'cash_out'
        OR f.flag = 'card_use' AND t.days_before = f.age AND t.amount_minor < 0
            AND (t.type = 'card_payment' OR t.via = 'atm')
        OR f.flag = 'about_to_close' AND t.days_before BETWEEN f.age AND f.age + 29
            AND (t.own_name AND t.amount_minor < 0)
        OR f.flag = 'income_drop' AND t.days_before BETWEEN f.age AND f.age + 184
            AND t.type IN ('salary', 'pension')
        OR f.flag = 'balance_drop' AND t.days_before BETWEEN f.age AND f.age + 29 AND t.amount_minor < 0
),
-- What was found out stands in the case that the rule opened, or in a watch item of another system.
told AS (
    SELECT subject_id, topic AS flag, opened_on AS raised_on, state AS resolution
    FROM service_case
    WHERE kind IN ('banking.watch', 'banking.departure')
    UNION ALL
    SELECT subject_id, flag, raised_on, coalesce(resolution, 'open') AS resolution
    FROM banking_watch_item
),
resolved AS (
    SELECT
        f.subject_id,
        f.age,
        f.flag,
        arg_max(t.resolution, t.raised_on) AS resolution
    FROM fired f
    JOIN told t ON t.subject_id = f.subject_id AND t.flag = f.flag
        AND t.raised_on >= f.as_of_on - CAST(f.age AS INTEGER)
    GROUP BY f.subject_id, f.age, f.flag
)
SELECT
    f.as_of_on - CAST(f.age AS INTEGER) AS raised_on,
    f.subject_id AS customer_id,
    f.flag,
    coalesce(l.position, 1) AS position,
    CASE WHEN coalesce(l.position, 1) = 1 THEN f.evidence END AS evidence,
    l.occurred_on AS moved_on,
    l.type,
    l.via,
    l.country,
    l.amount_base_minor AS amount_minor,
    l.id AS transaction_id,
    r.resolution
FROM fired f
LEFT JOIN line l ON l.subject_id = f.subject_id AND l.age = f.age AND l.flag = f.flag
LEFT JOIN resolved r ON r.subject_id = f.subject_id AND r.age = f.age AND r.flag = f.flag
WHERE coalesce(l.position, 1) <= $lines
