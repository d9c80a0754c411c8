, named AS (
    SELECT
        CASE
            WHEN $by = 'product' THEN s.product
            WHEN $by = 'branch' THEN s.branch
            WHEN $by = 'region' THEN s.region
            WHEN $by = 'sector' THEN coalesce(b.job, b.customer_type, 'unknown')
            ELSE CAST(s.subject_id AS VARCHAR)
        END AS part,
        CASE WHEN $by = 'customer' THEN s.subject_id END AS customer_id,
        s.ead,
        s.stage,
        s.loan_id
    FROM staged s
    LEFT JOIN banking_customer b ON b.subject_id = s.subject_id
),
grouped AS (
    SELECT
        part,
        max(customer_id) AS customer_id,
        count(*) AS loans,
        sum(ead) AS ead,
        sum(CASE WHEN stage = 3 THEN ead ELSE 0 END) AS bad
    FROM named
    GROUP BY part
),
shared AS (
    SELECT
        *,
        ead / sum(ead) OVER () AS share,
        row_number() OVER (ORDER BY ead DESC, part) AS place
    FROM grouped
),
whole AS (
    SELECT sum(share * share) AS hhi FROM shared
)
SELECT
    place,
    CASE WHEN $by = 'customer' THEN NULL ELSE part END AS part,
    customer_id,
    loans,
    CAST(ead AS BIGINT) AS ead_minor,
    share,
    bad / ead AS bad_share,
    hhi
FROM shared
CROSS JOIN whole
WHERE place <= $most
