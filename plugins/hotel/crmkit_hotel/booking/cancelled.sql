-- Cancelled or not kept; a booking that is still open tells nothing (NULL).
WITH after AS (
    SELECT subject_id, as_of, 1 AS label FROM hotel_cancellation WHERE days_after >= 0
    UNION ALL
    SELECT subject_id, as_of, 0 FROM hotel_check_in WHERE days_after >= 0
),
seen AS (
    SELECT subject_id, as_of, max(label) AS label
    FROM after
    GROUP BY subject_id, as_of
)
SELECT
    r.subject_id,
    r.as_of,
    coalesce(
        s.label,
        CASE
            WHEN r.status IN ('cancelled', 'no_show') THEN 1
            WHEN r.status IN ('in_house', 'checked_out') THEN 0
        END
    ) AS label
FROM hotel_reservation r
LEFT JOIN seen s ON s.subject_id = r.subject_id AND s.as_of = r.as_of
