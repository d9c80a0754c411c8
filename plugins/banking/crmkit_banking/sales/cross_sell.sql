-- Product by product: who holds it, what was offered and taken, in tenths of what the score of acceptance
-- said before the offer, and what takers of a treated list did more than its control group.
WITH offered AS (
    SELECT
        o.subject_id,
        o.product,
        CASE WHEN o.response = 'accepted' THEN 1 ELSE 0 END AS took,
        s.value,
        row_number() OVER (
            PARTITION BY o.subject_id, o.product ORDER BY o.occurred_at, o.id, s.days_before, s.run DESC
        ) AS place
    FROM banking_product_offer o
    -- Of several runs before the offer the last one counts: a score of today knows of the answer.
    LEFT JOIN outcome s ON s.subject_id = o.subject_id AND s.name = 'banking.acceptance'
        AND s.value IS NOT NULL AND s.days_before >= o.days_before
    WHERE o.days_before < $days
),
ranked AS (
    SELECT
        *,
        CASE WHEN value IS NOT NULL THEN
            ntile(10) OVER (PARTITION BY product, value IS NULL ORDER BY value DESC, subject_id)
        END AS tenth
    FROM offered
    WHERE place = 1
),
-- Who was listed for an offer, treated or held back, and took the product within the days after.
listed AS (
    SELECT
        l.subject_id,
        l.offer AS product,
        CASE WHEN l.state = 'control' THEN 0 ELSE 1 END AS treated,
        max(CASE WHEN o.took = 1 OR l.outcome = 'accepted' THEN 1 ELSE 0 END) AS took
    FROM outreach_row l
    LEFT JOIN ranked o ON o.subject_id = l.subject_id AND o.product = l.offer
    WHERE l.offer IS NOT NULL AND l.state IN ('done', 'control')
    GROUP BY l.subject_id, l.offer, CASE WHEN l.state = 'control' THEN 0 ELSE 1 END
),
uplift AS (
    SELECT
        product,
        avg(CASE WHEN treated = 1 THEN took END) - avg(CASE WHEN treated = 0 THEN took END) AS uplift
    FROM listed
    GROUP BY product
),
held AS (
    SELECT 'savings' AS product, subject_id FROM banking_account
    WHERE type = 'savings' AND coalesce(status, 'open') <> 'closed'
    UNION
    SELECT 'current' AS product, subject_id FROM banking_account
    WHERE type = 'current' AND coalesce(status, 'open') <> 'closed'
    UNION
    SELECT 'term_deposit' AS product, subject_id FROM banking_term_deposit
    WHERE matures_on IS NULL OR matures_on > as_of_on
    UNION
    SELECT CASE product WHEN 'mortgage' THEN 'mortgage' WHEN 'auto' THEN 'auto_loan'
        WHEN 'consumer' THEN 'consumer_loan' WHEN 'business' THEN 'business_loan' ELSE product END AS product,
        subject_id
    FROM banking_loan
    UNION
    SELECT CASE kind WHEN 'credit' THEN 'credit_card' ELSE 'debit_card' END AS product, subject_id
    FROM banking_card WHERE coalesce(status, 'active') = 'active'
),
base AS (
    SELECT count(*) AS customers FROM feature WHERE banking_open_accounts >= 1
),
holding AS (
    SELECT h.product, count(*) AS holders
    FROM held h
    JOIN feature f ON f.subject_id = h.subject_id
    WHERE f.banking_open_accounts >= 1 AND h.product IS NOT NULL
    GROUP BY h.product
),
answered AS (
    SELECT product, coalesce(tenth, 0) AS tenth, count(*) AS offers, sum(took) AS accepted
    FROM ranked
    GROUP BY product, coalesce(tenth, 0)
),
line AS (
    SELECT coalesce(a.product, h.product) AS product, coalesce(a.tenth, 0) AS tenth,
        h.holders, a.offers, a.accepted
    FROM holding h
    FULL OUTER JOIN answered a ON a.product = h.product
)
SELECT
    l.product,
    CAST(l.tenth AS BIGINT) AS propensity_tenth,
    coalesce(l.holders, 0) AS holders,
    coalesce(l.holders, 0) / nullif(b.customers, 0) AS penetration,
    coalesce(l.offers, 0) AS offers,
    CAST(coalesce(l.accepted, 0) AS BIGINT) AS accepted,
    l.accepted / l.offers AS acceptance,
    u.uplift
FROM line l
CROSS JOIN base b
LEFT JOIN uplift u ON u.product = l.product
