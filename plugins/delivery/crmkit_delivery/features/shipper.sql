-- Volume of a shipper, against what the twelve weeks before let expect; whole weeks on both sides, so
-- every weekday counts as often (D-R10). Credit as the account stands (D-R11).
WITH volume AS (
    SELECT
        subject_id,
        as_of,
        count(*) FILTER (WHERE date_diff('minute', ordered_at, as_of) < 10080) AS week,
        count(*) FILTER (WHERE date_diff('minute', ordered_at, as_of) < 40320) AS month,
        count(*) FILTER (WHERE date_diff('minute', ordered_at, as_of) >= 40320) AS before
    FROM delivery_waybill
    WHERE date_diff('minute', ordered_at, as_of) < 161280
    GROUP BY subject_id, as_of
),
by_lane AS (
    SELECT
        subject_id,
        as_of,
        lane,
        count(*) FILTER (WHERE date_diff('minute', ordered_at, as_of) < 40320) AS month,
        count(*) FILTER (WHERE date_diff('minute', ordered_at, as_of) >= 40320) AS before
    FROM delivery_waybill
    WHERE date_diff('minute', ordered_at, as_of) < 161280 AND lane IS NOT NULL
    GROUP BY subject_id, as_of, lane
),
lanes AS (
    -- A lane that was used every week on average, and no more.
    SELECT subject_id, as_of, count(*) AS gone, min(lane) AS first_gone
    FROM by_lane
    WHERE before >= 12 AND month = 0
    GROUP BY subject_id, as_of
),
complaint AS (
    SELECT subject_id, as_of, count(*) AS complaints
    FROM delivery_complaint
    WHERE days_before < 30
    GROUP BY subject_id, as_of
),
account AS (
    SELECT
        subject_id,
        as_of,
        max(days_overdue) AS days_overdue,
        CAST(sum(receivable_base_minor) AS BIGINT) AS receivable,
        CAST(sum(credit_limit_base_minor) AS BIGINT) AS credit_limit
    FROM delivery_shipper_account
    GROUP BY subject_id, as_of
)
SELECT
    p.subject_id,
    p.as_of,
    coalesce(v.week, 0) AS delivery_volume_week,
    coalesce(v.month, 0) AS delivery_volume_4w,
    coalesce(v.before, 0) / 3.0 AS delivery_volume_expected_4w,
    coalesce(v.before, 0) / 3.0 - 3 * sqrt(coalesce(v.before, 0) / 3.0) AS delivery_volume_limit_4w,
    coalesce(l.gone, 0) AS delivery_lanes_gone,
    l.first_gone AS delivery_lane_gone,
    coalesce(c.complaints, 0) AS delivery_complaints_30d,
    a.days_overdue AS delivery_days_overdue,
    a.receivable AS delivery_receivable,
    a.credit_limit AS delivery_credit_limit
FROM population p
LEFT JOIN volume v ON v.subject_id = p.subject_id AND v.as_of = p.as_of
LEFT JOIN lanes l ON l.subject_id = p.subject_id AND l.as_of = p.as_of
LEFT JOIN complaint c ON c.subject_id = p.subject_id AND c.as_of = p.as_of
LEFT JOIN account a ON a.subject_id = p.subject_id AND a.as_of = p.as_of
