-- Loans at the last month end and some months before it, measured alike on both: stages and expected
-- loss by days past due alone, because a score of then is not always there.
statement AS (
    SELECT
        s.record_id AS loan_id,
        s.subject_id,
        s.as_of_on,
        s.outstanding_base_minor,
        s.days_past_due,
        coalesce(s.written_off, false) AS written_off,
        (year(s.as_of_on + 1) * 12 + month(s.as_of_on + 1))
            - (year(s.occurred_on) * 12 + month(s.occurred_on)) - 1 AS age,
        row_number() OVER (
            PARTITION BY s.record_id, year(s.occurred_on) * 12 + month(s.occurred_on)
            ORDER BY s.occurred_at DESC, s.id DESC
        ) AS place
    FROM banking_loan_statement s
    WHERE s.record_id IS NOT NULL
),
secured AS (
    SELECT owner_id AS loan, sum(value_base_minor) AS value FROM banking_collateral GROUP BY owner_id
),
measured AS (
    SELECT
        s.loan_id,
        s.subject_id,
        CASE WHEN s.age = 0 THEN 0 ELSE 1 END AS side,
        s.written_off,
        s.outstanding_base_minor AS ead,
        CASE WHEN s.days_past_due >= 90 THEN 3 WHEN s.days_past_due >= 30 THEN 2 ELSE 1 END AS stage,
        greatest(1, ceil((
            coalesce(l.term_months, 12) - date_diff('day', coalesce(l.granted_on, s.as_of_on), s.as_of_on) / 30.4375
            + s.age
        ) / 12)) AS years,
        CASE WHEN s.days_past_due >= 90 THEN 1.0 WHEN s.days_past_due >= 60 THEN a.pd_60_89
            WHEN s.days_past_due >= 30 THEN a.pd_30_59 WHEN s.days_past_due >= 1 THEN a.pd_1_29
            ELSE a.pd_current END AS pd,
        CASE WHEN e.value IS NULL THEN a.lgd_unsecured
            ELSE least(1, greatest(
                a.lgd_floor, 1 - e.value * (1 - a.collateral_haircut) / nullif(s.outstanding_base_minor, 0)
            ))
        END AS lgd
    FROM statement s
    CROSS JOIN assumed a
    LEFT JOIN banking_loan l ON l.id = s.loan_id
    LEFT JOIN secured e ON e.loan = s.loan_id
    WHERE s.place = 1 AND s.age IN (0, $months)
),
valued AS (
    SELECT
        *,
        -- In stage 2 over all years, of a mean exposure that falls in equal steps.
        CASE
            WHEN written_off THEN 0
            WHEN stage = 2 THEN (1 - power(1 - pd, years)) * lgd * ead * (1 + 1 / years) / 2
            ELSE pd * lgd * ead
        END AS ecl
    FROM measured
),
paired AS (
    SELECT
        coalesce(a.loan_id, b.loan_id) AS loan_id,
        coalesce(a.subject_id, b.subject_id) AS subject_id,
        a.stage AS from_stage,
        b.stage AS to_stage,
        coalesce(a.written_off, false) AS was_written_off,
        coalesce(b.written_off, false) AS written_off,
        coalesce(a.ecl, 0) AS from_ecl,
        coalesce(b.ecl, 0) AS to_ecl,
        coalesce(a.ead, 0) AS from_ead,
        coalesce(b.ead, 0) AS to_ead
    FROM (SELECT * FROM valued WHERE side = 1) a
    FULL OUTER JOIN (SELECT * FROM valued WHERE side = 0) b ON b.loan_id = a.loan_id
)
