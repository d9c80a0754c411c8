-- Ended a line of their own will in the outcome window. A departure within the gap comes too soon to
-- be acted on: its row is left out (NULL), for it is neither an outcome to learn nor a loyal customer.
-- Departures for non-payment, death, fraud or a move are other questions (competing risks).
SELECT subject_id, as_of, max(CASE WHEN days_after > 14 THEN 1 END) AS label
FROM telecom_termination
WHERE kind = 'voluntary' AND days_after > 0 AND days_after <= 75
GROUP BY subject_id, as_of
