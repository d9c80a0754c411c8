-- How full the credit cards are, and how often other lenders asked the bureau.
WITH statement AS (
    SELECT
        subject_id,
        as_of,
        record_id AS card,
        utilisation,
        row_number() OVER (
            PARTITION BY subject_id, as_of, record_id ORDER BY occurred_at DESC, id DESC
        ) AS place
    FROM banking_card_statement
    WHERE utilisation IS NOT NULL
),
filled AS (
    SELECT
        subject_id,
        as_of,
        card,
        max(CASE WHEN place = 1 THEN utilisation END) AS now,
        max(CASE WHEN place = 4 THEN utilisation END) AS earlier,
        count(*) FILTER (WHERE place <= 3 AND utilisation > 0.9) AS full_months
    FROM statement
    GROUP BY subject_id, as_of, card
),
cards AS (
    SELECT
        subject_id,
        as_of,
        max(now) AS now,
        max(now - earlier) AS risen,
        max(full_months) AS full_months
    FROM filled
    GROUP BY subject_id, as_of
),
report AS (
    SELECT
        subject_id,
        as_of,
        days_before,
        -- Negative values are the bureau's codes for "not known".
        CASE WHEN bureau_inquiries_6m >= 0 THEN bureau_inquiries_6m END AS inquiries,
        row_number() OVER (PARTITION BY subject_id, as_of ORDER BY occurred_at DESC, id DESC) AS place
    FROM banking_bureau_report
)
SELECT
    p.subject_id,
    p.as_of,
    c.now AS banking_card_utilisation,
    c.risen AS banking_card_utilisation_change_3m,
    c.full_months AS banking_card_full_months_3m,
    r.inquiries AS banking_inquiries_6m
FROM population p
LEFT JOIN cards c ON c.subject_id = p.subject_id AND c.as_of = p.as_of
LEFT JOIN report r ON r.subject_id = p.subject_id AND r.as_of = p.as_of AND r.place = 1
