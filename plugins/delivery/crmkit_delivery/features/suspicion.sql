-- Deliveries of which it is doubtful that they were made (D-R8).
WITH judged AS (
    SELECT
        p.owner_id,
        p.as_of,
        bool_or(coalesce(p.pod_proof, 'none') = 'none') AS missing,
        max(p.metres) AS metres,
        max(b.pods) AS burst
    FROM pod p
    LEFT JOIN pod_burst b
        ON b.courier = p.courier AND b.as_of = p.as_of
        AND b.minute = date_diff('minute', TIMESTAMP '2020-01-01 00:00:00', p.event_at)
    WHERE p.days_before < 30
    GROUP BY p.owner_id, p.as_of
)
SELECT
    w.subject_id,
    w.as_of,
    coalesce(j.missing, false) AS delivery_pod_missing,
    j.metres AS delivery_pod_metres,
    coalesce(j.burst, 0) AS delivery_pod_burst
FROM delivery_waybill w
LEFT JOIN judged j ON j.owner_id = w.id AND j.as_of = w.as_of
