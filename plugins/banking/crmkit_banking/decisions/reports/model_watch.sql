-- The last check of each card, and whether it raises the alarm.
SELECT
    score,
    card_version,
    checked_on,
    decisions,
    psi,
    psi_by_chance,
    csi_worst,
    csi_input,
    observed_expected,
    override_rate,
    verdict,
    verdict = 'act' AS alarm
FROM banking_model_check
