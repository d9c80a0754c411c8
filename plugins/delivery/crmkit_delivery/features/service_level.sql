-- Net on-time rates of the last two whole months against the shipper's contract (D-R12).
WITH monthly AS (
    SELECT
        subject_id,
        as_of,
        (year(as_of_on) * 12 + month(as_of_on)) - (year(promise_on) * 12 + month(promise_on)) AS months_ago,
        count(*) AS due,
        sum(on_time_net) * 1.0 / count(*) AS rate
    FROM due
    WHERE promise_on IS NOT NULL
    GROUP BY subject_id, as_of,
        (year(as_of_on) * 12 + month(as_of_on)) - (year(promise_on) * 12 + month(promise_on))
),
target AS (
    SELECT subject_id, as_of, max(sla_target) AS sla_target
    FROM delivery_shipper_account
    GROUP BY subject_id, as_of
)
SELECT
    t.subject_id,
    t.as_of,
    t.sla_target AS delivery_sla_target,
    a.rate AS delivery_on_time_last_month,
    b.rate AS delivery_on_time_month_before,
    CASE
        WHEN a.rate < t.sla_target AND b.rate < t.sla_target THEN 2
        WHEN a.rate < t.sla_target THEN 1
        ELSE 0
    END AS delivery_months_below_sla
FROM target t
LEFT JOIN monthly a ON a.subject_id = t.subject_id AND a.as_of = t.as_of AND a.months_ago = 1
LEFT JOIN monthly b ON b.subject_id = t.subject_id AND b.as_of = t.as_of AND b.months_ago = 2
