-- Offers that are planned and not answered yet.
SELECT subject_id, as_of
FROM banking_offer
WHERE accepted IS NULL
