-- What is known of an offer before the customer is spoken to. How long the talk lasted is not.
SELECT
    subject_id,
    as_of,
    age_years AS banking_offer_age,
    job AS banking_offer_job,
    marital AS banking_offer_marital,
    education AS banking_offer_education,
    in_default AS banking_offer_in_default,
    balance_year_base_minor AS banking_offer_balance,
    housing_loan AS banking_offer_housing_loan,
    personal_loan AS banking_offer_personal_loan,
    medium AS banking_offer_medium,
    contact_month AS banking_offer_month,
    contact_day AS banking_offer_day,
    contacts AS banking_offer_contacts,
    contacts_before AS banking_offer_contacts_before,
    days_since_contact AS banking_offer_days_since_contact,
    outcome_before AS banking_offer_outcome_before,
    talk_seconds AS banking_offer_talk_seconds
FROM banking_offer
