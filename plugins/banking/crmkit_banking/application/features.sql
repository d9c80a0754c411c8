-- An application as it stood: what the applicant states, and what the bureau answered.
-- Debt service to income is counted where both are stated, and else as the file states it.
-- Special codes of the bureau (-7, -8, -9) stay as they are: a card gives each a bin of its own.
SELECT
    subject_id,
    as_of,
    checking_status AS banking_application_checking_status,
    credit_history AS banking_application_credit_history,
    savings_band AS banking_application_savings_band,
    employment_band AS banking_application_employment_band,
    product AS banking_application_product,
    purpose AS banking_application_purpose,
    amount_base_minor AS banking_application_amount,
    term_months AS banking_application_term_months,
    instalment_rate AS banking_application_instalment_rate,
    other_debtors AS banking_application_other_debtors,
    residence_years AS banking_application_residence_years,
    property AS banking_application_property,
    other_plans AS banking_application_other_plans,
    housing AS banking_application_housing,
    existing_credits AS banking_application_existing_credits,
    job AS banking_application_job,
    dependants AS banking_application_dependants,
    telephone AS banking_application_telephone,
    income_base_minor AS banking_application_income,
    dti AS banking_application_dti,
    coalesce(
        CASE WHEN debt_service_currency <> income_currency THEN NULL
            ELSE debt_service_minor / nullif(income_minor, 0) END,
        dsti
    ) AS banking_application_dsti,
    free_income_base_minor AS banking_application_free_income,
    bureau_score AS banking_application_bureau_score,
    bureau_delinquencies_24m AS banking_application_bureau_delinquencies_24m,
    bureau_inquiries_6m AS banking_application_bureau_inquiries_6m,
    bureau_open_lines AS banking_application_bureau_open_lines,
    bureau_months_on_file AS banking_application_bureau_months_on_file
FROM banking_application
