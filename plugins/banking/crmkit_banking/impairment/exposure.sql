-- Every running loan with its stage, probability of default, exposure and loss given default.
statement AS (
    SELECT
        s.*,
        row_number() OVER (PARTITION BY s.record_id ORDER BY s.occurred_at DESC, s.id DESC) AS place
    FROM banking_loan_statement s
    WHERE s.record_id IS NOT NULL
),
scored AS (
    SELECT
        subject_id,
        value,
        row_number() OVER (PARTITION BY subject_id ORDER BY days_before, run DESC) AS place
    FROM outcome
    WHERE name = 'banking.behaviour' AND value IS NOT NULL AND days_before < 62
),
secured AS (
    SELECT owner_id AS loan, sum(value_base_minor) AS value FROM banking_collateral GROUP BY owner_id
),
loan AS (
    SELECT
        s.record_id AS loan_id,
        s.subject_id,
        coalesce(l.product, 'unknown') AS product,
        coalesce(n.branch_name, l.branch, 'unknown') AS branch,
        coalesce(c.region, 'unknown') AS region,
        s.outstanding_base_minor AS ead,
        -- A statement that shows arrears grows older by the day.
        s.days_past_due + CASE WHEN s.days_past_due > 0 THEN s.days_before ELSE 0 END AS days_past_due,
        coalesce(l.forborne, false) OR coalesce(l.watch, false) AS eased,
        coalesce(l.rate, 0) / 100 AS rate,
        -- Whole years that are left, one at least.
        greatest(1, ceil((
            coalesce(l.term_months, 12) - date_diff('day', coalesce(l.granted_on, s.as_of_on), s.as_of_on) / 30.4375
        ) / 12)) AS years,
        e.value AS collateral,
        o.value AS score
    FROM statement s
    LEFT JOIN banking_loan l ON l.id = s.record_id
    LEFT JOIN banking_branch n ON n.code = l.branch
    LEFT JOIN customer c ON c.subject_id = s.subject_id
    LEFT JOIN secured e ON e.loan = s.record_id
    LEFT JOIN scored o ON o.subject_id = s.subject_id AND o.place = 1
    WHERE s.place = 1 AND s.days_before <= 45 AND NOT coalesce(s.written_off, false)
        AND s.outstanding_minor > 0
),
rated AS (
    SELECT
        l.*,
        CASE
            WHEN l.days_past_due >= 90 THEN 1.0
            -- The score tells of 184 days.
            WHEN l.score IS NOT NULL THEN 1 - power(1 - l.score, 365.0 / 184)
            WHEN l.days_past_due >= 60 THEN a.pd_60_89
            WHEN l.days_past_due >= 30 THEN a.pd_30_59
            WHEN l.days_past_due >= 1 THEN a.pd_1_29
            ELSE a.pd_current
        END AS pd_12m,
        CASE WHEN l.collateral IS NULL THEN a.lgd_unsecured
            ELSE least(1, greatest(a.lgd_floor, 1 - l.collateral * (1 - a.collateral_haircut) / l.ead))
        END AS lgd,
        a.sicr_pd
    FROM loan l
    CROSS JOIN assumed a
),
staged AS (
    SELECT
        *,
        CASE
            WHEN days_past_due >= 90 THEN 3
            WHEN days_past_due >= 30 OR eased OR pd_12m >= sicr_pd THEN 2
            ELSE 1
        END AS stage
    FROM rated
)
