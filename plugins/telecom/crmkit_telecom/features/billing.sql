-- Bills and what is owed of them, line by line and then added up for the customer.
-- Half a year of bills: three to look at and three to compare each with.
WITH bill AS (
    SELECT
        b.subject_id,
        b.as_of,
        b.days_before,
        coalesce(b.record_id, 0) AS line,
        b.amount_minor,
        b.overage_minor,
        b.due_on,
        b.as_of_on,
        row_number() OVER (
            PARTITION BY b.subject_id, b.as_of, coalesce(b.record_id, 0)
            ORDER BY b.occurred_at DESC, b.id DESC
        ) AS place,
        avg(b.amount_minor) OVER (
            PARTITION BY b.subject_id, b.as_of, coalesce(b.record_id, 0)
            ORDER BY b.occurred_at, b.id
            ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING
        ) AS usual,
        count(*) OVER (
            PARTITION BY b.subject_id, b.as_of, coalesce(b.record_id, 0)
            ORDER BY b.occurred_at, b.id
            ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING
        ) AS earlier
    FROM telecom_bill b
),
month AS (
    -- The last three bills of the customer, lines added up; a line is compared with itself only.
    SELECT
        subject_id,
        as_of,
        place,
        sum(CASE WHEN earlier = 3 THEN amount_minor END)
            / nullif(sum(CASE WHEN earlier = 3 THEN usual END), 0) AS shock,
        sum(amount_minor) AS billed,
        sum(overage_minor) AS overage
    FROM bill
    WHERE place <= 6
    GROUP BY subject_id, as_of, place
),
billed AS (
    SELECT
        subject_id,
        as_of,
        max(CASE WHEN place = 1 THEN shock END) AS bill_shock_ratio,
        max(CASE WHEN place <= 3 THEN shock END) AS bill_shock_3m,
        CAST(max(CASE WHEN place = 1 THEN billed END) AS BIGINT) AS bill_amount,
        max(CASE WHEN place = 1 THEN billed END)
            / nullif(max(CASE WHEN place = 2 THEN billed END), 0) - 1 AS bill_change,
        sum(CASE WHEN place <= 3 THEN overage END)
            / nullif(sum(CASE WHEN place <= 3 AND overage IS NOT NULL THEN billed END), 0)
            AS overage_share_3m,
        CASE WHEN count(*) = 6 THEN
            sum(CASE WHEN place <= 3 THEN billed END)
            / nullif(sum(CASE WHEN place > 3 THEN billed END), 0) - 1
        END AS spend_trend_3m
    FROM month
    GROUP BY subject_id, as_of
),
owed AS (
    -- A bill counts as paid when a payment for the same line and due date has been seen.
    SELECT b.subject_id, b.as_of, max(date_diff('day', b.due_on, b.as_of_on)) AS days_overdue
    FROM bill b
    LEFT JOIN (
        SELECT subject_id, as_of, coalesce(record_id, 0) AS line, due_on
        FROM telecom_payment
        GROUP BY subject_id, as_of, coalesce(record_id, 0), due_on
    ) paid
        ON paid.subject_id = b.subject_id AND paid.as_of = b.as_of
        AND paid.line = b.line AND paid.due_on = b.due_on
    WHERE b.due_on < b.as_of_on AND paid.due_on IS NULL
    GROUP BY b.subject_id, b.as_of
)
SELECT
    b.subject_id,
    b.as_of,
    b.bill_shock_ratio AS telecom_bill_shock_ratio,
    b.bill_shock_3m AS telecom_bill_shock_3m,
    b.bill_amount AS telecom_bill_amount,
    b.bill_change AS telecom_bill_change,
    b.overage_share_3m AS telecom_overage_share_3m,
    b.spend_trend_3m AS telecom_spend_trend_3m,
    coalesce(o.days_overdue, 0) AS telecom_days_overdue
FROM billed b
LEFT JOIN owed o ON o.subject_id = b.subject_id AND o.as_of = b.as_of
