-- Who the customer is to the bank, by the customer's file.
SELECT
    subject_id,
    as_of,
    life_situation AS banking_life_situation,
    coalesce(customer_type, 'retail') AS banking_customer_type,
    education AS banking_education,
    share_of_wallet AS banking_share_of_wallet,
    coalesce(consent_marketing, false) AS banking_consent_marketing,
    CAST(
        (year(as_of_on) - year(relationship_since_on)) * 12 + month(as_of_on) - month(relationship_since_on)
            - CASE WHEN day(as_of_on) < day(relationship_since_on) AND month(as_of_on + 1) = month(as_of_on) THEN 1 ELSE 0 END
        AS BIGINT
    ) AS banking_relationship_months
FROM banking_customer
