-- Customers with an active line as of the instant.
SELECT subject_id, as_of
FROM telecom_subscription
WHERE status = 'active'
GROUP BY subject_id, as_of
