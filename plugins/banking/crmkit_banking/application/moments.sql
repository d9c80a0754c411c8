-- The end of the day of the application, of those that led to a loan: of the others no outcome is known.
-- A card is learnt from applications as they stood then.
SELECT a.subject_id, CAST(a.applied_on + 1 AS TIMESTAMP) AS moment
FROM banking_application a
JOIN banking_loan l ON l.subject_id = a.subject_id AND l.as_of = a.as_of
    AND date_diff('day', a.applied_on, l.granted_on) BETWEEN 0 AND 90
WHERE a.applied_on IS NOT NULL
GROUP BY a.subject_id, a.applied_on
