-- Documents with a last day: how soon the next one ends, and how many have ended.
SELECT
    d.subject_id,
    d.as_of,
    min(CASE WHEN d.expires_on >= d.as_of_on THEN date_diff('day', d.as_of_on, d.expires_on) END)
        AS core_days_to_document_expiry,
    count_if(d.expires_on < d.as_of_on) AS core_expired_documents
FROM document d
WHERE NOT d.removed
GROUP BY d.subject_id, d.as_of
