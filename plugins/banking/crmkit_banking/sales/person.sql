-- Who the customer is to the bank, by the customer's file.
SELECT
    subject_id,
    as_of,
    life_situation AS banking_life_situation,
    coalesce(customer_type, 'retail') AS banking_customer_type,
    education AS banking_education,
    share_of_wallet AS banking_share_of_wallet,
    coalesce(consent_marketing, false) AS banking_consent_marketing,
    CAST(floor(date_diff('day', relationship_since_on, as_of_on) / 30.4375) AS BIGINT)
        AS banking_relationship_months
FROM banking_customer
