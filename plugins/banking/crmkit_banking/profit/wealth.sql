-- Assets with the bank and the wealth band that they make, now and 90 days before.
, closing AS (
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
held AS (
    SELECT
        subject_id,
        as_of,
        sum(CASE WHEN until = -1 THEN balance ELSE 0 END) AS now,
        sum(CASE WHEN days_before >= 90 AND until < 90 THEN balance ELSE 0 END) AS before,
        max(days_before) AS seen_days
    FROM span
    GROUP BY subject_id, as_of
),
term AS (
    SELECT
        subject_id,
        as_of,
        sum(CASE WHEN days_left > 0 OR days_left IS NULL THEN amount_base_minor END) AS now,
        -- What has matured since was held then all the same.
        sum(CASE WHEN days_open >= 90 AND (days_left > -90 OR days_left IS NULL) THEN amount_base_minor END)
            AS before,
        min(CASE WHEN days_left > 0 THEN days_left END) AS days_to_maturity,
        sum(CASE WHEN days_left > 0 AND place = 1 THEN amount_base_minor END) AS maturing
    FROM (
        SELECT
            subject_id,
            as_of,
            amount_base_minor,
            date_diff('day', opened_on, as_of_on) AS days_open,
            date_diff('day', as_of_on, matures_on) AS days_left,
            -- The next to mature first.
            row_number() OVER (
                PARTITION BY subject_id, as_of, coalesce(matures_on > as_of_on, false) ORDER BY matures_on, id
            ) AS place
        FROM banking_term_deposit
        WHERE opened_on <= as_of_on
    ) d
    GROUP BY subject_id, as_of
),
earned AS (
    SELECT
        subject_id,
        as_of,
        sum(CASE WHEN days_before < 92 THEN amount_base_minor ELSE 0 END) / 3 AS now,
        sum(CASE WHEN days_before BETWEEN 92 AND 183 THEN amount_base_minor ELSE 0 END) / 3 AS before
    FROM banking_transaction
    WHERE type IN ('salary', 'pension') AND amount_minor > 0
    GROUP BY subject_id, as_of
),
-- What was verified in the last three years: who has the salary paid in elsewhere earns all the same.
verified AS (
    SELECT subject_id, as_of, income_base_minor AS income
    FROM banking_customer
    WHERE date_diff('day', income_verified_on, as_of_on) BETWEEN 0 AND 1096
),
known AS (
    SELECT
        p.subject_id,
        p.as_of,
        coalesce(h.now, 0) + coalesce(t.now, 0) AS assets,
        coalesce(h.before, 0) + coalesce(t.before, 0) AS assets_before,
        coalesce(h.seen_days, 0) AS seen_days,
        coalesce(e.now, 0) AS income,
        coalesce(e.before, 0) AS income_before,
        greatest(coalesce(e.now, 0), coalesce(v.income, 0)) AS capacity,
        t.days_to_maturity,
        t.maturing,
        a.affluent_from * 100 AS affluent_from,
        a.private_from * 100 AS private_from,
        a.affluent_income * 100 AS affluent_income
    FROM population p
    JOIN assumed a ON a.as_of = p.as_of
    LEFT JOIN held h ON h.subject_id = p.subject_id AND h.as_of = p.as_of
    LEFT JOIN term t ON t.subject_id = p.subject_id AND t.as_of = p.as_of
    LEFT JOIN earned e ON e.subject_id = p.subject_id AND e.as_of = p.as_of
    LEFT JOIN verified v ON v.subject_id = p.subject_id AND v.as_of = p.as_of
),
banded AS (
    SELECT
        *,
        CASE WHEN assets >= private_from THEN 2
            WHEN assets >= affluent_from OR income >= affluent_income THEN 1 ELSE 0 END AS band,
        CASE WHEN assets_before >= private_from THEN 2
            WHEN assets_before >= affluent_from OR income_before >= affluent_income THEN 1 ELSE 0
        END AS band_before
    FROM known
)
SELECT
    subject_id,
    as_of,
    CAST(assets AS BIGINT) AS banking_assets_minor,
    assets / affluent_from AS banking_assets_to_affluent,
    assets / private_from AS banking_assets_to_private,
    income / affluent_income AS banking_income_to_affluent,
    capacity / affluent_income AS banking_capacity_to_affluent,
    CASE band WHEN 2 THEN 'private' WHEN 1 THEN 'affluent' ELSE 'mass' END AS banking_wealth_band,
    -- Who was not seen 90 days ago has not risen.
    seen_days >= 90 AND band > band_before AS banking_wealth_risen,
    days_to_maturity AS banking_days_to_maturity,
    CAST(maturing AS BIGINT) AS banking_maturing_deposit_minor
FROM banded
