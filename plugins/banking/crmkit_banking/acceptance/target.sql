-- An offer of the next 31 days was accepted: 1; it was answered otherwise or not at all: 0; nobody asked:
-- nothing can be told.
SELECT p.subject_id, p.as_of, o.label
FROM population p
LEFT JOIN (
    SELECT subject_id, as_of, max(CASE WHEN response = 'accepted' THEN 1 ELSE 0 END) AS label
    FROM banking_product_offer
    WHERE days_after BETWEEN 1 AND 31 AND response IS NOT NULL
    GROUP BY subject_id, as_of
) o ON o.subject_id = p.subject_id AND o.as_of = p.as_of
