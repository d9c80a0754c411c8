-- Shared part: what the scans that were known by the as-of instant say of each waybill.
-- A scan whose anomaly is backward or after_end never moved the shipment (tables/transitions.csv).
seen AS (
    SELECT
        s.owner_id, s.as_of, s.as_of_on, s.id, s.event_at, s.recorded_at, s.sequence, s.status, s.substatus,
        s.place, s.lat, s.lon, s.courier, s.reason, s.responsible, s.action, s.condition, s.leg,
        s.pod_relation, s.pod_proof, s.days_before, a.kind AS anomaly, a.from_status
    FROM delivery_scan s
    LEFT JOIN delivery_anomaly a
        ON a.owner_id = s.owner_id AND a.as_of = s.as_of AND a.scan_id = s.id AND a.kind <> 'none'
    WHERE s.status IS NOT NULL AND (s.recorded_at IS NULL OR s.recorded_at < s.as_of)
),
accepted AS (
    SELECT *
    FROM seen
    WHERE anomaly IS NULL OR anomaly = 'skipped'
),
stands AS (
    SELECT
        owner_id, as_of, event_at, status, place, courier, condition, days_before,
        -- A repeat of the status keeps its beginning. All in one order, so that it is sorted once.
        lag(status) OVER (PARTITION BY owner_id, as_of ORDER BY event_at, sequence, id) AS status_before,
        lag(event_at) OVER (PARTITION BY owner_id, as_of ORDER BY event_at, sequence, id) AS event_before,
        lead(id) OVER (PARTITION BY owner_id, as_of ORDER BY event_at, sequence, id) AS id_after
    FROM accepted
),
current AS (
    SELECT
        owner_id,
        as_of,
        max(CASE WHEN id_after IS NULL THEN status END) AS status,
        max(CASE WHEN id_after IS NULL THEN place END) AS place,
        max(CASE WHEN id_after IS NULL THEN courier END) AS courier,
        max(CASE WHEN id_after IS NULL THEN days_before END) AS last_scan_days,
        max(event_at) AS last_scan_at,
        max(CASE WHEN status_before IS NULL OR status_before <> status THEN event_at END) AS status_since,
        min(CASE WHEN status = 'picked_up' THEN event_at END) AS picked_up_at,
        min(CASE WHEN status = 'delivered' THEN event_at END) AS delivered_at,
        min(CASE WHEN status IN ('delivered', 'attempt_failed') THEN event_at END) AS first_attempt_at,
        count(*) FILTER (WHERE status IN ('delivered', 'attempt_failed')) AS attempts,
        count(*) FILTER (WHERE status = 'at_hub') AS hubs,
        count(*) AS scans,
        max(CASE WHEN condition IN ('damaged', 'part_missing', 'wet', 'opened') THEN event_at END)
            AS damaged_at
    FROM stands
    GROUP BY owner_id, as_of
)
