-- Who the customer is to the bank, by the customer's file.
SELECT
    c.subject_id,
    c.as_of,
    c.life_situation AS banking_life_situation,
    coalesce(c.customer_type, 'retail') AS banking_customer_type,
    c.education AS banking_education,
    c.share_of_wallet AS banking_share_of_wallet,
    e.subject_id IS NOT NULL AS banking_consent_marketing,
    CAST(
        (year(c.as_of_on) - year(c.relationship_since_on)) * 12
            + month(c.as_of_on) - month(c.relationship_since_on)
            -- A month is over on the same day of the next, or on its last day.
            - CASE WHEN day(c.as_of_on) < day(c.relationship_since_on)
                AND month(c.as_of_on + 1) = month(c.as_of_on) THEN 1 ELSE 0 END
        AS BIGINT
    ) AS banking_relationship_months
FROM banking_customer c
LEFT JOIN consented e ON e.subject_id = c.subject_id AND e.as_of = c.as_of
