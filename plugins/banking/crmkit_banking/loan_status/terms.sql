-- Terms of a loan, and the district of the account that it is repaid from. All of it is known when the
-- loan is granted; how the loan went is an outcome and not here.
WITH terms AS (
    SELECT
        l.subject_id,
        l.as_of,
        l.principal_base_minor,
        l.term_months,
        l.instalment_base_minor,
        a.statement_frequency,
        a.branch
    FROM banking_loan l
    LEFT JOIN (
        SELECT
            subject_id,
            as_of,
            branch,
            statement_frequency,
            row_number() OVER (PARTITION BY subject_id, as_of ORDER BY opened_on, id) AS place
        FROM banking_account
    ) a ON a.subject_id = l.subject_id AND a.as_of = l.as_of AND a.place = 1
),
district AS (
    SELECT as_of, district, max(region) AS region, max(average_salary_base_minor) AS salary,
        max(inhabitants) AS inhabitants, max(unemployment) AS unemployment
    FROM banking_branch
    WHERE district IS NOT NULL
    GROUP BY as_of, district
)
SELECT
    t.subject_id,
    t.as_of,
    t.principal_base_minor AS banking_loan_principal_minor,
    t.term_months AS banking_loan_term_months,
    t.instalment_base_minor AS banking_loan_instalment_minor,
    t.statement_frequency AS banking_loan_statement_frequency,
    d.region AS banking_loan_region,
    -- The instalment against what is earned in the district, for want of the customer's own income.
    t.instalment_base_minor / nullif(d.salary, 0) AS banking_loan_instalment_to_salary,
    d.unemployment AS banking_loan_unemployment,
    d.inhabitants AS banking_loan_inhabitants
FROM terms t
LEFT JOIN district d ON d.as_of = t.as_of AND d.district = t.branch
