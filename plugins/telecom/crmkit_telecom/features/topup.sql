-- Prepaid: when money was last put on the line, and how much.
SELECT
    subject_id,
    as_of,
    min(days_before) AS telecom_days_since_topup,
    count_if(days_before < 90) AS telecom_topups_90d,
    CAST(coalesce(sum(CASE WHEN days_before < 90 THEN amount_base_minor END), 0) AS BIGINT)
        AS telecom_topup_amount_90d
FROM telecom_topup
GROUP BY subject_id, as_of
