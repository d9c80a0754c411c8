-- Loans that run.
SELECT subject_id, as_of FROM banking_loan WHERE granted_on <= as_of_on
