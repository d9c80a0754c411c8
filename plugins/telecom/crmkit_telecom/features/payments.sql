-- How often bills were paid after their due date.
SELECT subject_id, as_of, count(*) AS telecom_late_payments_12m
FROM telecom_payment
WHERE days_before < 365 AND occurred_on > due_on
GROUP BY subject_id, as_of
