SELECT
    subject_id,
    as_of,
    deposit_interest + loan_interest AS banking_net_interest_minor,
    fees AS banking_fees_minor,
    cost AS banking_cost_to_serve_minor,
    expected_loss AS banking_expected_loss_minor,
    deposit_interest + fees - (cost - loan_cost) AS banking_deposit_contribution_minor,
    loan_interest - loan_cost - expected_loss AS banking_loan_contribution_minor,
    deposit_interest + loan_interest + fees - cost - expected_loss AS banking_contribution_minor,
    term_deposits AS banking_term_deposits_minor,
    trend AS banking_balance_trend
FROM own
