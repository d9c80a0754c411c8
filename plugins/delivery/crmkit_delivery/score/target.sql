-- Late: delivered after the promise with its grace, or not delivered although it passed within the
-- horizon. NULL where the source does not record the end, or the promise is further than the horizon.
SELECT
    w.subject_id,
    w.as_of,
    CASE
        WHEN d.delivered_at <= w.late_after_at THEN 0
        WHEN d.delivered_at > w.late_after_at THEN 1
        WHEN w.end_state IS NOT NULL OR w.late_after_at IS NULL THEN NULL
        WHEN date_diff('minute', w.as_of, w.late_after_at) <= 43200 THEN 1
    END AS label
FROM delivery_waybill w
LEFT JOIN (
    SELECT subject_id, as_of, min(occurred_at) AS delivered_at
    FROM delivery_delivered
    GROUP BY subject_id, as_of
) d ON d.subject_id = w.subject_id AND d.as_of = w.as_of
