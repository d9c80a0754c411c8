-- Deliveries of which it is doubtful that they were made: without proof, far from the address, or too
-- many by one courier in ten minutes (D-R8).
WITH judged AS (
    SELECT
        p.owner_id,
        p.as_of,
        p.event_at,
        p.courier,
        p.pod_proof,
        p.metres,
        coalesce(b.pods, 0) AS burst
    FROM pod p
    LEFT JOIN pod_burst b
        ON b.courier = p.courier AND b.as_of = p.as_of
        AND b.minute = date_diff('minute', TIMESTAMP '2020-01-01 00:00:00', p.event_at)
    WHERE date_diff('minute', p.event_at, p.as_of) < 1440 * $days
)
SELECT
    w.id AS shipment_id,
    w.waybill_no,
    w.customer_id,
    j.courier,
    j.event_at AS delivered_at,
    coalesce(j.pod_proof, 'none') = 'none' AS without_proof,
    j.metres,
    j.burst,
    CASE
        WHEN coalesce(j.pod_proof, 'none') = 'none' THEN 'no proof of delivery'
        WHEN j.metres > $metres THEN 'far from the address'
        ELSE 'too many in ten minutes'
    END AS reason
FROM judged j
JOIN delivery_waybill w ON w.id = j.owner_id AND w.as_of = j.as_of
WHERE coalesce(j.pod_proof, 'none') = 'none' OR j.metres > $metres OR j.burst > $burst
QUALIFY row_number() OVER (PARTITION BY w.id ORDER BY j.event_at, j.burst) = 1
