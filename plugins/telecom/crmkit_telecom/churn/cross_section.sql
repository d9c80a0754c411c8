-- One moment, no dates (the IBM sample): label 1 where every line has ended.
SELECT
    subject_id,
    as_of,
    CASE WHEN bool_or(status = 'active') THEN 0 ELSE 1 END AS label
FROM telecom_subscription
WHERE status IN ('active', 'ported_out', 'terminated')
GROUP BY subject_id, as_of
