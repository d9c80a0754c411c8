-- Recency and frequency of everything that happened with a customer, and complaints.
SELECT
    subject_id,
    as_of,
    min(days_before) AS core_days_since_last_interaction,
    count_if(days_before < 90) AS core_interactions_90d,
    count_if(days_before < 90 AND direction = 'in') AS core_contacts_90d,
    count_if(days_before < 90 AND kind LIKE '%.complaint') AS core_complaints_90d,
    CAST(count_if(days_before < 90) AS DOUBLE)
        / nullif(count_if(days_before >= 90 AND days_before < 180), 0) AS core_interaction_trend
FROM interaction
GROUP BY subject_id, as_of
