-- A statement within the year shows 90 days past due, or a write-off.
SELECT subject_id, as_of, 1 AS label
FROM banking_loan_statement
WHERE days_after > 0 AND days_after <= 365 AND (days_past_due >= 90 OR written_off)
GROUP BY subject_id, as_of
