-- Late shipments whose consignee or shipper was told before the promise passed (D-R4, D-R17).
WITH told AS (
    SELECT record_id AS id, min(occurred_at) AS told_at
    FROM delivery_late_pre_notice
    GROUP BY record_id
),
late AS (
    SELECT
        CASE WHEN $by = 'region' THEN coalesce(d.region, 'unknown') WHEN $by = 'product' THEN coalesce(d.product, 'unknown') ELSE 'all' END
            AS slice,
        CASE WHEN t.told_at < d.late_after_at THEN 1 ELSE 0 END AS in_time,
        CASE WHEN t.told_at >= d.late_after_at THEN 1 ELSE 0 END AS too_late
    FROM due d
    LEFT JOIN told t ON t.id = d.id
    WHERE d.on_time = 0 AND ($days = 0 OR date_diff('day', d.promise_on, d.as_of_on) < $days)
),
counted AS (
    SELECT
        slice,
        count(*) AS late,
        CAST(sum(in_time) AS BIGINT) AS told_in_time,
        CAST(sum(too_late) AS BIGINT) AS told_too_late,
        sum(in_time) * 1.0 / count(*) AS rate
    FROM late
    GROUP BY slice
)
SELECT
    slice,
    late,
    told_in_time,
    told_too_late,
    rate AS told_share,
    wilson_low(rate, late) AS told_low,
    wilson_high(rate, late) AS told_high
FROM counted
