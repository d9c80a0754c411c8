-- Who the customer is to the bank, by the customer's file; consents hold of those without one too.
SELECT
    p.subject_id,
    p.as_of,
    c.life_situation AS banking_life_situation,
    CASE WHEN c.subject_id IS NOT NULL THEN coalesce(c.customer_type, 'retail') END AS banking_customer_type,
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
FROM population p
LEFT JOIN banking_customer c ON c.subject_id = p.subject_id AND c.as_of = p.as_of
LEFT JOIN consented e ON e.subject_id = p.subject_id AND e.as_of = p.as_of
