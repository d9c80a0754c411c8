-- What the customer holds, what has changed in the customer's life, and whether this is a time to leave
-- them in peace.
WITH person AS (
    SELECT
        subject_id,
        as_of,
        life_situation
    FROM banking_customer
),
flow AS (
    SELECT
        subject_id,
        as_of,
        min(CASE WHEN type = 'salary' AND amount_minor > 0 THEN days_before END) AS salary_last,
        max(CASE WHEN type = 'salary' AND amount_minor > 0 THEN days_before END) AS salary_first,
        max(CASE WHEN type = 'pension' THEN days_before END) AS pension_first,
        max(CASE WHEN type = 'child_benefit' THEN days_before END) AS child_first,
        max(days_before) AS seen_first
    FROM banking_transaction
    GROUP BY subject_id, as_of
),
asked AS (
    SELECT subject_id, as_of, min(days_before) AS days
    FROM (
        SELECT subject_id, as_of, days_before FROM banking_branch_appointment
        WHERE purpose = 'mortgage' AND days_before < 60
        UNION ALL
        SELECT subject_id, as_of, days_before FROM banking_loan_application
        WHERE product = 'mortgage' AND days_before < 60
    ) a
    GROUP BY subject_id, as_of
),
-- Asked for talks about investing, or took an investment, within the year.
investing AS (
    SELECT subject_id, as_of FROM banking_adviser_meeting WHERE topic = 'investing' AND days_before < 365
    UNION
    SELECT subject_id, as_of FROM banking_branch_appointment
    WHERE purpose = 'investment' AND days_before < 365
    UNION
    SELECT subject_id, as_of FROM banking_product_offer
    WHERE product = 'investment' AND response = 'accepted' AND days_before < 365
),
watched AS (
    SELECT subject_id, as_of FROM banking_watch_item WHERE cleared_on IS NULL OR cleared_on > as_of_on
    UNION
    SELECT subject_id, as_of FROM service_case WHERE kind IN ('banking.watch', 'banking.departure') AND is_open
),
complained AS (
    SELECT subject_id, as_of FROM banking_complaint
    WHERE days_before < 30 AND NOT coalesce(resolved, false)
    GROUP BY subject_id, as_of
),
account AS (
    SELECT
        subject_id,
        as_of,
        bool_or(type = 'savings') AS savings,
        bool_or(type = 'current') AS current
    FROM banking_account
    WHERE coalesce(status, 'open') <> 'closed' AND (opened_on IS NULL OR opened_on <= as_of_on)
    GROUP BY subject_id, as_of
),
term AS (
    SELECT subject_id, as_of FROM banking_term_deposit
    WHERE opened_on <= as_of_on AND (matures_on IS NULL OR matures_on > as_of_on)
    GROUP BY subject_id, as_of
),
loan AS (
    SELECT
        subject_id,
        as_of,
        bool_or(product = 'mortgage') AS mortgage,
        bool_or(product IN ('consumer', 'auto')) AS consumer
    FROM banking_loan
    WHERE granted_on <= as_of_on
    GROUP BY subject_id, as_of
),
card AS (
    SELECT subject_id, as_of FROM banking_card
    WHERE kind = 'credit' AND coalesce(status, 'active') = 'active'
        AND (issued_on IS NULL OR issued_on <= as_of_on)
    GROUP BY subject_id, as_of
),
known AS (
    SELECT
        p.subject_id,
        p.as_of,
        c.life_situation,
        i.subject_id IS NOT NULL AS invests,
        w.subject_id IS NOT NULL AS watched,
        k.subject_id IS NOT NULL AS complained,
        coalesce(a.savings, false) AS savings,
        t.subject_id IS NOT NULL AS term,
        coalesce(l.mortgage, false) AS mortgage,
        coalesce(l.consumer, false) AS consumer,
        d.subject_id IS NOT NULL AS card,
        -- A change is one against what was seen before: of a new customer nothing is.
        CASE
            WHEN q.days IS NOT NULL THEN 'home_loan_inquiry'
            WHEN f.pension_first <= 31 AND f.seen_first >= 92 THEN 'retirement'
            WHEN f.child_first <= 31 AND f.seen_first >= 92 THEN 'child_benefit'
            WHEN f.salary_first <= 31 AND f.seen_first >= 92 AND f.pension_first IS NULL THEN 'salary_start'
        END AS event
    FROM population p
    LEFT JOIN person c ON c.subject_id = p.subject_id AND c.as_of = p.as_of
    LEFT JOIN flow f ON f.subject_id = p.subject_id AND f.as_of = p.as_of
    LEFT JOIN asked q ON q.subject_id = p.subject_id AND q.as_of = p.as_of
    LEFT JOIN investing i ON i.subject_id = p.subject_id AND i.as_of = p.as_of
    LEFT JOIN watched w ON w.subject_id = p.subject_id AND w.as_of = p.as_of
    LEFT JOIN complained k ON k.subject_id = p.subject_id AND k.as_of = p.as_of
    LEFT JOIN account a ON a.subject_id = p.subject_id AND a.as_of = p.as_of
    LEFT JOIN term t ON t.subject_id = p.subject_id AND t.as_of = p.as_of
    LEFT JOIN loan l ON l.subject_id = p.subject_id AND l.as_of = p.as_of
    LEFT JOIN card d ON d.subject_id = p.subject_id AND d.as_of = p.as_of
)
SELECT
    subject_id,
    as_of,
    invests AS banking_wish_to_invest,
    event AS banking_life_event,
    watched AS banking_on_watch,
    complained AS banking_open_complaint,
    CASE WHEN savings THEN 1 ELSE 0 END + CASE WHEN term THEN 1 ELSE 0 END
        + CASE WHEN mortgage THEN 1 ELSE 0 END + CASE WHEN consumer THEN 1 ELSE 0 END
        + CASE WHEN card THEN 1 ELSE 0 END AS banking_products,
    CASE
        WHEN event = 'home_loan_inquiry' AND NOT mortgage THEN 'mortgage'
        WHEN event = 'retirement' AND NOT term THEN 'term_deposit'
        WHEN event IN ('child_benefit', 'salary_start') AND NOT savings THEN 'savings'
        WHEN event = 'salary_start' AND NOT card THEN 'credit_card'
        WHEN life_situation IN ('student', 'first_job') AND NOT savings THEN 'savings'
        WHEN life_situation = 'first_job' AND NOT card THEN 'credit_card'
        WHEN life_situation IN ('couple', 'family') AND NOT mortgage THEN 'mortgage'
        WHEN life_situation IN ('couple', 'family') AND NOT card THEN 'credit_card'
        WHEN life_situation = 'family' AND NOT savings THEN 'savings'
        WHEN life_situation IN ('pre_retirement', 'retired') AND NOT term THEN 'term_deposit'
        WHEN life_situation = 'pre_retirement' THEN 'investment'
        WHEN NOT savings THEN 'savings'
    END AS banking_next_product
FROM known
