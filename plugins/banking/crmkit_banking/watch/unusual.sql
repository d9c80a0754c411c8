-- What is unusual about the as-of day's withdrawals and card payments, against the 180 days before it.
-- The bound is the larger of five times the median and the mean plus four standard deviations; with fewer
-- than five earlier movements of the kind nothing is called unusual.
WITH moved AS (
    SELECT
        subject_id,
        as_of,
        days_before,
        id,
        CASE WHEN type = 'cash_out' THEN 'withdrawal' ELSE 'card' END AS kind,
        via,
        country,
        -amount_base_minor AS drawn
    FROM banking_transaction
    WHERE type IN ('cash_out', 'card_payment') AND amount_minor < 0
),
of_today AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY subject_id, as_of, kind ORDER BY drawn DESC, id) AS place
    FROM moved
    WHERE days_before = 0
),
today AS (
    SELECT
        subject_id,
        as_of,
        kind,
        max(drawn) AS largest,
        max(CASE WHEN place = 1 THEN id END) AS largest_id,
        count(*) FILTER (WHERE via = 'atm') AS draws
    FROM of_today
    GROUP BY subject_id, as_of, kind
),
ranked AS (
    SELECT
        m.subject_id,
        m.as_of,
        m.kind,
        m.drawn,
        row_number() OVER (PARTITION BY m.subject_id, m.as_of, m.kind ORDER BY m.drawn, m.id) AS place,
        count(*) OVER (PARTITION BY m.subject_id, m.as_of, m.kind) AS number
    FROM moved m
    JOIN today t ON t.subject_id = m.subject_id AND t.as_of = m.as_of AND t.kind = m.kind
    WHERE m.days_before BETWEEN 1 AND 180
),
usual AS (
    SELECT
        subject_id,
        as_of,
        kind,
        greatest(
            5 * avg(CASE WHEN place IN ((number + 1) // 2, (number + 2) // 2) THEN drawn END),
            avg(drawn) + 4 * coalesce(stddev_samp(drawn), 0)
        ) AS bound
    FROM ranked
    WHERE number >= 5
    GROUP BY subject_id, as_of, kind
),
judged AS (
    SELECT t.*, u.bound, t.largest > u.bound AS unusual
    FROM today t
    LEFT JOIN usual u ON u.subject_id = t.subject_id AND u.as_of = t.as_of AND u.kind = t.kind
),
abroad AS (
    -- A country of today that the 180 days before did not see, of a customer whom they saw.
    SELECT n.subject_id, n.as_of, min(n.country) AS country, min(n.id) AS abroad_id
    FROM moved n
    JOIN (
        SELECT subject_id, as_of FROM moved WHERE days_before BETWEEN 1 AND 180 AND country IS NOT NULL
        GROUP BY subject_id, as_of HAVING count(*) >= 5
    ) k ON k.subject_id = n.subject_id AND k.as_of = n.as_of
    LEFT JOIN (
        SELECT subject_id, as_of, country FROM moved WHERE days_before BETWEEN 1 AND 180
        GROUP BY subject_id, as_of, country
    ) b ON b.subject_id = n.subject_id AND b.as_of = n.as_of AND b.country = n.country
    WHERE n.days_before = 0 AND n.country IS NOT NULL AND b.country IS NULL
    GROUP BY n.subject_id, n.as_of
)
SELECT
    j.subject_id,
    j.as_of,
    max(CASE WHEN j.kind = 'withdrawal' THEN j.largest END) AS banking_withdrawal_today_minor,
    CAST(max(CASE WHEN j.kind = 'withdrawal' THEN round(j.bound + 0.000001) END) AS BIGINT)
        AS banking_withdrawal_bound_minor,
    coalesce(bool_or(j.kind = 'withdrawal' AND j.unusual), false) AS banking_unusual_withdrawal,
    max(CASE WHEN j.kind = 'card' THEN j.largest END) AS banking_card_payment_today_minor,
    CAST(max(CASE WHEN j.kind = 'card' THEN round(j.bound + 0.000001) END) AS BIGINT)
        AS banking_card_payment_bound_minor,
    coalesce(bool_or(j.kind = 'card' AND j.unusual), false) AS banking_unusual_card_payment,
    CAST(max(CASE WHEN j.kind = 'withdrawal' THEN j.draws ELSE 0 END) AS BIGINT) AS banking_atm_draws_today,
    max(a.country) AS banking_new_country,
    CAST(coalesce(
        max(CASE WHEN j.unusual THEN j.largest_id END),
        max(a.abroad_id),
        max(CASE WHEN j.draws > 5 THEN j.largest_id END)
    ) AS VARCHAR) AS banking_unusual_transaction
FROM judged j
LEFT JOIN abroad a ON a.subject_id = j.subject_id AND a.as_of = j.as_of
GROUP BY j.subject_id, j.as_of
