-- Offers that were answered: label 1 where the customer took the product. Where the file has no
-- dates, its order tells the time.
SELECT
    subject_id,
    as_of,
    CASE WHEN accepted THEN 1 ELSE 0 END AS label,
    coalesce(date_diff('day', make_date(2000, 1, 1), planned_on), position) AS position
FROM banking_offer
WHERE accepted IS NOT NULL
