-- Whom to offer which product: by life situation, ranked by how often customers alike took or hold it.
-- Nobody past due, on watch, with an open complaint or without consent; the list that is made of it asks
-- the contact policy for each of them.
WITH base AS (
    SELECT
        f.subject_id,
        f.banking_life_situation AS life_situation,
        f.banking_life_event AS event,
        f.banking_next_product AS product,
        coalesce(f.banking_income_3m_minor, 0) AS income,
        ntile(3) OVER (ORDER BY coalesce(f.banking_income_3m_minor, 0), f.subject_id) AS income_third,
        f.banking_consent_marketing AND f.banking_open_accounts >= 1 AND f.banking_days_past_due = 0
            AND NOT f.banking_on_watch AND NOT f.banking_open_complaint
            AND NOT f.banking_unusual_withdrawal AND NOT f.banking_unusual_card_payment
            AND coalesce(f.banking_income_change_3m, 0) > -0.4 AS free
    FROM feature f
),
-- What was offered to whom in a year and a half, and taken.
offered AS (
    SELECT
        b.life_situation,
        o.product,
        b.income_third,
        count(*) AS offers,
        count(*) FILTER (WHERE o.response = 'accepted') AS accepted
    FROM banking_product_offer o
    JOIN base b ON b.subject_id = o.subject_id
    WHERE o.days_before < 548
    GROUP BY b.life_situation, o.product, b.income_third
),
overall AS (
    SELECT product, sum(accepted) / nullif(sum(offers), 0) AS rate FROM offered GROUP BY product
),
everything AS (
    SELECT coalesce(sum(accepted) / nullif(sum(offers), 0), 0) AS rate FROM offered
),
-- Of few offers to customers alike little is known: they weigh against twenty at the product's own rate.
rated AS (
    SELECT
        b.subject_id,
        b.life_situation,
        b.event,
        b.product,
        coalesce(o.offers, 0) AS offers,
        (coalesce(o.accepted, 0) + 20 * coalesce(v.rate, e.rate)) / (coalesce(o.offers, 0) + 20) AS propensity
    FROM base b
    CROSS JOIN everything e
    LEFT JOIN offered o ON o.life_situation = b.life_situation AND o.product = b.product
        AND o.income_third = b.income_third
    LEFT JOIN overall v ON v.product = b.product
    WHERE b.free AND b.product IS NOT NULL
),
placed AS (
    SELECT
        *,
        row_number() OVER (
            ORDER BY CASE WHEN event IS NULL THEN 1 ELSE 0 END, propensity DESC, subject_id
        ) AS place_in_list
    FROM rated
)
SELECT
    place_in_list,
    subject_id AS customer_id,
    product,
    life_situation,
    event,
    offers AS offers_to_peers,
    propensity
FROM placed
WHERE place_in_list <= $most
