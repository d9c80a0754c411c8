-- Offers are answered in their own record; the answer that is known by now labels them.
SELECT subject_id, as_of, CASE WHEN accepted THEN 1 ELSE 0 END AS label
FROM banking_offer
WHERE accepted IS NOT NULL
