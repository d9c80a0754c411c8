-- Ended a line of their own will in the outcome window. Departures within the gap come too soon to be
-- acted on; those for non-payment, death, fraud or a move are other questions (competing risks).
SELECT subject_id, as_of, 1 AS label
FROM telecom_termination
WHERE kind = 'voluntary' AND days_after > 14 AND days_after <= 75
GROUP BY subject_id, as_of
