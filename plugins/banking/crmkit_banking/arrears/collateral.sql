-- The oldest valuation and the highest loan to value among what secures the customer's loans.
SELECT
    subject_id,
    as_of,
    max(date_diff('day', valued_on, as_of_on)) AS banking_collateral_valued_days,
    max(ltv) AS banking_collateral_ltv
FROM banking_collateral
WHERE coalesce(kind, 'none') <> 'none'
GROUP BY subject_id, as_of
