-- What became of cases that were resolved or closed: solved at first contact, opened again, merged.
WITH said AS (
    SELECT
        CASE $by
            WHEN 'department' THEN c.department WHEN 'region' THEN c.region
            WHEN 'channel' THEN c.channel WHEN 'product' THEN c.product
            WHEN 'product-department'
                THEN coalesce(c.product, '') || ' / ' || coalesce(c.department, '')
            WHEN 'cause' THEN c.cause WHEN 'root_cause' THEN c.root_cause ELSE c.topic
        END AS part,
        c.resolved_at < c.as_of OR coalesce(c.reopen_count, 0) > 0 AS was_resolved,
        c.first_contact,
        coalesce(c.reopen_count, 0) > 0 AS was_reopened,
        c.recurrence_of IS NOT NULL AS recurs,
        c.recovery_score
    FROM service_case c
    WHERE c.opened_at < c.as_of
)
SELECT
    coalesce(part, '') AS part,
    count(*) AS cases,
    count(*) FILTER (WHERE was_resolved) AS resolved,
    CAST(count(*) FILTER (WHERE was_resolved AND first_contact) AS DOUBLE)
        / nullif(count(*) FILTER (WHERE was_resolved), 0) AS first_contact_share,
    CAST(count(*) FILTER (WHERE was_reopened) AS DOUBLE)
        / nullif(count(*) FILTER (WHERE was_resolved), 0) AS reopened_share,
    count(*) FILTER (WHERE recurs) AS recurring,
    avg(recovery_score) AS recovery_score
FROM said
GROUP BY coalesce(part, '')
