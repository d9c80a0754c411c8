-- The features of bills and payments as an analyst would write them for one date, straight on the Parquet files.
WITH bill AS (
    SELECT
        customer_id,
        coalesce(record_id, 0) AS line,
        amount_minor,
        overage_minor,
        due_on,
        row_number() OVER (
            PARTITION BY customer_id, coalesce(record_id, 0) ORDER BY occurred_at DESC, id DESC
        ) AS place,
        avg(amount_minor) OVER earlier_three AS usual,
        count(*) OVER earlier_three AS earlier
    FROM read_parquet($bills)
    WHERE occurred_at < $instant AND occurred_on >= $day - 200
    WINDOW earlier_three AS (
        PARTITION BY customer_id, coalesce(record_id, 0) ORDER BY occurred_at, id
        ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING
    )
),
payment AS (
    SELECT customer_id, coalesce(record_id, 0) AS line, due_on, occurred_on
    FROM read_parquet($payments)
    WHERE occurred_at < $instant AND occurred_on >= $day - 365
),
month AS (
    SELECT
        customer_id,
        place,
        sum(CASE WHEN earlier = 3 THEN amount_minor END)
            / nullif(sum(CASE WHEN earlier = 3 THEN usual END), 0) AS shock,
        sum(amount_minor) AS billed,
        sum(overage_minor) AS overage
    FROM bill
    WHERE place <= 6
    GROUP BY customer_id, place
),
billed AS (
    SELECT
        customer_id,
        max(shock) FILTER (WHERE place = 1) AS bill_shock_ratio,
        max(shock) FILTER (WHERE place <= 3) AS bill_shock_3m,
        CAST(max(billed) FILTER (WHERE place = 1) AS BIGINT) AS bill_amount,
        max(billed) FILTER (WHERE place = 1)
            / nullif(max(billed) FILTER (WHERE place = 2), 0) - 1 AS bill_change,
        sum(overage) FILTER (WHERE place <= 3)
            / nullif(sum(billed) FILTER (WHERE place <= 3 AND overage IS NOT NULL), 0)
            AS overage_share_3m,
        CASE WHEN count(*) = 6 THEN
            sum(billed) FILTER (WHERE place <= 3)
            / nullif(sum(billed) FILTER (WHERE place > 3), 0) - 1
        END AS spend_trend_3m
    FROM month
    GROUP BY customer_id
),
owed AS (
    SELECT customer_id, max(date_diff('day', due_on, $day)) AS days_overdue
    FROM bill ANTI JOIN payment USING (customer_id, line, due_on)
    WHERE due_on < $day
    GROUP BY customer_id
),
late AS (
    SELECT customer_id, count(*) AS late_payments_12m
    FROM payment
    WHERE occurred_on > due_on AND occurred_on > $day - 365
    GROUP BY customer_id
)
SELECT
    c.id AS subject_id,
    b.bill_shock_ratio AS telecom_bill_shock_ratio,
    b.bill_shock_3m AS telecom_bill_shock_3m,
    b.bill_amount AS telecom_bill_amount,
    b.bill_change AS telecom_bill_change,
    b.overage_share_3m AS telecom_overage_share_3m,
    b.spend_trend_3m AS telecom_spend_trend_3m,
    CASE WHEN b.customer_id IS NOT NULL THEN coalesce(o.days_overdue, 0) END AS telecom_days_overdue,
    coalesce(l.late_payments_12m, 0) AS telecom_late_payments_12m
FROM read_parquet($customers) c
LEFT JOIN billed b ON b.customer_id = c.id
LEFT JOIN owed o ON o.customer_id = c.id
LEFT JOIN late l ON l.customer_id = c.id
