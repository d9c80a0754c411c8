-- The last check of each card.
SELECT
    subject_id,
    as_of,
    -- An index that chance alone reaches is none.
    CASE WHEN psi <= psi_by_chance THEN 0.0 ELSE psi END AS banking_check_psi,
    observed_expected AS banking_check_observed_expected,
    override_rate AS banking_check_override_rate,
    csi_worst AS banking_check_csi_worst,
    date_diff('day', checked_on, as_of_on) AS banking_check_age
FROM banking_model_check
