-- What each customer brought in 365 days: interest less the cost of funds, fees, the cost of what was
-- done, and the credit loss to be expected in a year.
closing AS (
    SELECT
        t.subject_id,
        t.as_of,
        t.record_id AS account_id,
        t.days_before,
        t.balance_after_base_minor AS balance,
        row_number() OVER (
            PARTITION BY t.subject_id, t.as_of, t.record_id, t.days_before
            ORDER BY t.occurred_at DESC, t.id DESC
        ) AS place
    FROM banking_transaction t
    WHERE t.record_id IS NOT NULL AND t.balance_after_base_minor IS NOT NULL
),
span AS (
    SELECT
        subject_id,
        as_of,
        account_id,
        balance,
        days_before,
        coalesce(lead(days_before) OVER (
            PARTITION BY subject_id, as_of, account_id ORDER BY days_before DESC
        ), -1) AS until
    FROM closing
    WHERE place = 1
),
deposit AS (
    SELECT
        s.subject_id,
        s.as_of,
        sum(
            greatest(s.balance, 0) * greatest(least(s.days_before, 364) - s.until, 0)
            * (a.ftp_rate - CASE WHEN c.type = 'savings' THEN a.savings_rate ELSE a.current_rate END)
        ) / 365 AS interest,
        sum(
            greatest(-s.balance, 0) * greatest(least(s.days_before, 364) - s.until, 0)
            * (a.overdraft_rate - a.ftp_rate)
        ) / 365 AS overdraft_interest,
        sum(greatest(s.balance, 0) * greatest(least(s.days_before, 181) - s.until, 0)) AS latest,
        sum(greatest(s.balance, 0) * greatest(least(s.days_before, 363) - greatest(s.until, 181), 0))
            AS earlier
    FROM span s
    JOIN assumed a ON a.as_of = s.as_of
    LEFT JOIN banking_account c ON c.subject_id = s.subject_id AND c.as_of = s.as_of AND c.id = s.account_id
    GROUP BY s.subject_id, s.as_of
),
term AS (
    SELECT
        d.subject_id,
        d.as_of,
        -- From the day it was opened to its maturity, within the 365 days.
        sum(
            d.amount_base_minor * (a.ftp_rate - coalesce(d.rate, 0) / 100)
            * greatest(date_diff(
                'day', greatest(d.opened_on, d.as_of_on - 365), least(coalesce(d.matures_on, d.as_of_on), d.as_of_on)
            ), 0) / 365
        ) AS interest,
        CAST(sum(CASE WHEN d.matures_on IS NULL OR d.matures_on > d.as_of_on THEN d.amount_base_minor END) AS BIGINT)
            AS held
    FROM banking_term_deposit d
    JOIN assumed a ON a.as_of = d.as_of
    WHERE d.opened_on <= d.as_of_on
    GROUP BY d.subject_id, d.as_of
),
statement AS (
    SELECT
        s.subject_id,
        s.as_of,
        s.record_id,
        s.days_before,
        s.outstanding_base_minor AS owed,
        coalesce(s.days_past_due, 0) AS days_past_due,
        coalesce(s.written_off, false) AS written_off,
        row_number() OVER (
            PARTITION BY s.subject_id, s.as_of, s.record_id ORDER BY s.occurred_at DESC, s.id DESC
        ) AS place
    FROM banking_loan_statement s
    WHERE s.days_before < 365
),
secured AS (
    SELECT subject_id, as_of, owner_id AS loan, sum(value_base_minor) AS value
    FROM banking_collateral
    GROUP BY subject_id, as_of, owner_id
),
credit AS (
    SELECT
        s.subject_id,
        s.as_of,
        -- Interest is not earned on what is in default.
        sum(CASE WHEN s.days_past_due < 90 AND NOT s.written_off
            THEN s.owed * (coalesce(l.rate, 0) / 100 - a.ftp_rate) / 12 ELSE 0 END) AS interest,
        sum(CASE WHEN s.place = 1 AND s.days_before <= 45 AND NOT s.written_off THEN
            s.owed
            * CASE
                WHEN s.days_past_due >= 90 THEN 1
                WHEN s.days_past_due >= 60 THEN a.pd_60_89
                WHEN s.days_past_due >= 30 THEN a.pd_30_59
                WHEN s.days_past_due >= 1 THEN a.pd_1_29
                ELSE a.pd_current
            END
            * CASE
                WHEN c.value IS NULL THEN a.lgd_unsecured
                ELSE least(1, greatest(
                    a.lgd_floor, 1 - c.value * (1 - a.collateral_haircut) / nullif(s.owed, 0)
                ))
            END
        ELSE 0 END) AS expected_loss,
        CAST(sum(CASE WHEN s.place = 1 AND s.days_before <= 45 AND NOT s.written_off
            THEN s.owed ELSE 0 END) AS BIGINT) AS owed
    FROM statement s
    JOIN assumed a ON a.as_of = s.as_of
    LEFT JOIN banking_loan l ON l.subject_id = s.subject_id AND l.as_of = s.as_of AND l.id = s.record_id
    LEFT JOIN secured c ON c.subject_id = s.subject_id AND c.as_of = s.as_of AND c.loan = s.record_id
    GROUP BY s.subject_id, s.as_of
),
plastic AS (
    SELECT s.subject_id, s.as_of, sum(s.balance_base_minor * (a.card_rate - a.ftp_rate) / 12) AS interest
    FROM banking_card_statement s
    JOIN assumed a ON a.as_of = s.as_of
    WHERE s.days_before < 365
    GROUP BY s.subject_id, s.as_of
),
charged AS (
    SELECT subject_id, as_of, CAST(sum(-amount_base_minor) AS BIGINT) AS fees
    FROM banking_transaction
    WHERE type IN ('fee', 'penalty_interest') AND days_before < 365
    GROUP BY subject_id, as_of
),
-- An operator's own cost stands before the declared one, as in value.contribution.
set_cost AS (
    SELECT driver, as_of, arg_max(cost, id) AS cost FROM value_cost GROUP BY driver, as_of
),
spent AS (
    SELECT
        c.subject_id,
        c.as_of,
        sum(CASE WHEN c.kind IN (
            'banking.loan_statement', 'banking.loan_application', 'banking.repayment_reminder',
            'banking.collections_call', 'banking.hardship_request', 'banking.card_statement'
        ) THEN c.quantity * coalesce(o.cost * c.scale, c.rate, 0) ELSE 0 END) / 1000000 AS of_loans,
        sum(c.quantity * coalesce(o.cost * c.scale, c.rate, 0)) / 1000000 AS cost
    FROM activity_cost c
    LEFT JOIN set_cost o ON o.driver = c.driver AND o.as_of = c.as_of
    WHERE c.days_before < 365
    GROUP BY c.subject_id, c.as_of
),
-- Sums of fractions end in their last digits as the order has it, so that a half would be rounded either
-- way (design D18); a millionth more takes every half up.
own AS (
    SELECT
        p.subject_id,
        p.as_of,
        CAST(round(coalesce(d.interest, 0) + coalesce(t.interest, 0) + 0.000001) AS BIGINT) AS deposit_interest,
        CAST(round(coalesce(d.overdraft_interest, 0) + coalesce(c.interest, 0) + coalesce(k.interest, 0) + 0.000001)
            AS BIGINT) AS loan_interest,
        coalesce(f.fees, 0) AS fees,
        CAST(round(coalesce(s.of_loans, 0) + 0.000001) AS BIGINT) AS loan_cost,
        CAST(round(coalesce(s.cost, 0) + 0.000001) AS BIGINT) AS cost,
        CAST(round(coalesce(c.expected_loss, 0) + 0.000001) AS BIGINT) AS expected_loss,
        coalesce(t.held, 0) AS term_deposits,
        coalesce(c.owed, 0) AS owed,
        CASE WHEN d.earlier > 0 THEN d.latest / d.earlier - 1 END AS trend
    FROM population p
    LEFT JOIN deposit d ON d.subject_id = p.subject_id AND d.as_of = p.as_of
    LEFT JOIN term t ON t.subject_id = p.subject_id AND t.as_of = p.as_of
    LEFT JOIN credit c ON c.subject_id = p.subject_id AND c.as_of = p.as_of
    LEFT JOIN plastic k ON k.subject_id = p.subject_id AND k.as_of = p.as_of
    LEFT JOIN charged f ON f.subject_id = p.subject_id AND f.as_of = p.as_of
    LEFT JOIN spent s ON s.subject_id = p.subject_id AND s.as_of = p.as_of
)
