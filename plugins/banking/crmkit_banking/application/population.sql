-- Applications that are there on the day and were not decided elsewhere.
SELECT subject_id, as_of
FROM banking_application
WHERE decision IS NULL AND (applied_on IS NULL OR applied_on <= as_of_on)
