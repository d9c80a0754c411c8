-- What the offers earned: customers kept for some days after the offer, against the control group.
WITH made AS (
    SELECT
        o.id,
        o.subject_id,
        CASE WHEN o.result = 'control' THEN 'control' ELSE o.offer END AS offer,
        o.result,
        o.occurred_on,
        o.cost_base_minor,
        row_number() OVER (PARTITION BY o.subject_id ORDER BY o.occurred_at, o.id) AS place
    FROM telecom_retention_offer o
    WHERE o.days_before >= $kept_days AND o.days_before < $days
),
followed AS (
    SELECT m.id, max(CASE WHEN t.id IS NULL THEN 0 ELSE 1 END) AS gone
    FROM made m
    LEFT JOIN telecom_termination t
        ON t.subject_id = m.subject_id AND t.kind = 'voluntary'
        AND date_diff('day', m.occurred_on, t.occurred_on) BETWEEN 0 AND $kept_days
    WHERE m.place = 1
    GROUP BY m.id
),
grouped AS (
    SELECT
        m.offer,
        count(*) AS customers,
        count_if(m.result = 'accepted') AS accepted,
        count(*) - sum(f.gone) AS kept,
        sum(coalesce(m.cost_base_minor, 0)) AS cost_minor
    FROM made m
    JOIN followed f ON f.id = m.id
    GROUP BY m.offer
),
control AS (
    SELECT sum(customers) AS customers, sum(kept) AS kept FROM grouped WHERE offer = 'control'
)
SELECT
    g.offer,
    g.customers,
    g.accepted,
    CAST(g.kept AS BIGINT) AS kept,
    g.kept / g.customers AS kept_share,
    g.kept / g.customers - c.kept / c.customers AS uplift_share,
    1.96 * sqrt(
        (g.kept / g.customers) * (1 - g.kept / g.customers) / g.customers
        + (c.kept / c.customers) * (1 - c.kept / c.customers) / c.customers
    ) AS uplift_share_margin,
    CAST(g.cost_minor AS BIGINT) AS cost_minor
FROM grouped g
CROSS JOIN control c
