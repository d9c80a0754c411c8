-- Customers with revenue or cost in the period.
SELECT
    subject_id AS customer_id,
    purchases,
    activities,
    revenue AS revenue_minor,
    cost AS cost_minor,
    contribution AS contribution_minor
FROM own
WHERE active
