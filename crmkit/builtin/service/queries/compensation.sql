-- What was given for complaints, by department, kind and currency.
SELECT
    coalesce(c.department, '') AS department,
    coalesce(p.kind, '') AS kind,
    p.amount_currency AS currency,
    count(*) AS compensations,
    count(DISTINCT c.id) AS cases,
    CAST(sum(p.amount_minor) AS BIGINT) AS total_minor
FROM service_compensation p
JOIN service_case c ON c.id = p.owner_id
WHERE p.state = 'approved' AND p.decided_at < p.as_of
GROUP BY coalesce(c.department, ''), coalesce(p.kind, ''), p.amount_currency
