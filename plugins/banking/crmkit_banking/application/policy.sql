-- What policy asks of the applicant whatever the score. Age counts from the date of birth, else as
-- the file states it; it is asked for the age of majority alone and is no input of the card.
-- What the bank's policy lets be unknown is asked for no more.
WITH policy AS (
    SELECT as_of, may_be_unknown, row_number() OVER (PARTITION BY as_of ORDER BY id DESC) AS place
    FROM banking_credit_policy
)
SELECT
    a.subject_id,
    a.as_of,
    CASE
        WHEN c.born_on IS NULL THEN c.age_years
        ELSE year(a.as_of_on) - year(c.born_on)
            - CASE
                WHEN month(a.as_of_on) * 100 + day(a.as_of_on)
                    < month(c.born_on) * 100 + day(c.born_on) THEN 1
                ELSE 0
            END
    END AS banking_applicant_age,
    c.bankrupt AS banking_applicant_bankrupt,
    c.kyc_status AS banking_applicant_kyc_status,
    (c.born_on IS NULL AND c.age_years IS NULL AND NOT coalesce(list_contains(p.may_be_unknown, 'age'), false))
        OR (c.kyc_status IS NULL AND NOT coalesce(list_contains(p.may_be_unknown, 'kyc_status'), false))
        OR (
            a.dsti IS NULL
            AND (a.debt_service_minor IS NULL OR nullif(a.income_minor, 0) IS NULL
                OR coalesce(a.debt_service_currency <> a.income_currency, false))
            AND NOT coalesce(list_contains(p.may_be_unknown, 'dsti'), false)
        ) AS banking_applicant_unknown,
    c.gender AS banking_applicant_gender,
    c.marital AS banking_applicant_marital,
    c.nationality AS banking_applicant_nationality,
    c.foreign_worker AS banking_applicant_foreign_worker
FROM banking_application a
LEFT JOIN banking_customer c ON c.subject_id = a.subject_id AND c.as_of = a.as_of
LEFT JOIN policy p ON p.as_of = a.as_of AND p.place = 1
