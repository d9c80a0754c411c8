-- The six ills as they stand: every open one with the shipment, since when, who must act, and what to
-- say to the customer (W2; D-R1 to D-R5, D-R18).
WITH shipment AS (
    SELECT
        w.id, w.customer_id, w.waybill_no, w.depot, w.scope, w.lane, w.as_of, w.late_after_at,
        coalesce(c.status, 'ordered') AS status, c.place, c.status_since,
        -- What was not scanned yet is silent since it was to be collected.
        coalesce(c.last_scan_at, w.pickup_to, w.ordered_at) AS last_scan_at,
        c.last_scan_days, c.damaged_at, c.delivered_at, w.end_state,
        date_diff('minute', c.status_since, w.as_of) / 60.0 AS status_hours,
        date_diff('minute', coalesce(c.last_scan_at, w.pickup_to, w.ordered_at), w.as_of) / 60.0
            AS silent_hours,
        greatest(
            1.5 * coalesce(l.p95_hours, 0),
            CASE WHEN w.scope = 'same_city' THEN $city_hours ELSE $trace_hours END
        ) AS trace_hours,
        CASE WHEN w.scope = 'international' THEN $lost_days_abroad ELSE $lost_days END AS lost_days
    FROM delivery_waybill w
    LEFT JOIN current c ON c.owner_id = w.id AND c.as_of = w.as_of
    LEFT JOIN lane_leg l ON l.lane = w.lane AND l.as_of = w.as_of
),
report AS (
    SELECT record_id AS id, occurred_at AS since_at, 'damage' AS about FROM delivery_damage_report
    UNION ALL
    SELECT record_id, occurred_at, 'damage' FROM delivery_complaint WHERE topic = 'damage'
    UNION ALL
    SELECT record_id, occurred_at, 'missing' FROM delivery_non_receipt_report
    UNION ALL
    SELECT id, damaged_at, 'damage' FROM shipment WHERE damaged_at IS NOT NULL
    UNION ALL
    SELECT id, status_since, 'missing' FROM shipment WHERE status IN ('lost', 'disputed')
),
trouble AS (
    SELECT
        id,
        min(CASE WHEN about = 'damage' THEN since_at END) AS damaged_at,
        max(CASE WHEN about = 'missing' THEN since_at END) AS missing_at
    FROM report
    WHERE id IS NOT NULL
    GROUP BY id
),
answer AS (
    SELECT record_id AS id, max(occurred_at) AS answered_at
    FROM interaction
    WHERE direction = 'out' AND record_type = 'delivery.waybill'
        AND (channel IS NULL OR channel <> 'system')
    GROUP BY record_id
),
claim AS (
    SELECT
        owner_id AS id,
        count(*) AS claims,
        max(CASE WHEN state IN ('approved', 'partly_approved') THEN decided_at END) AS approved_at,
        max(CASE
            WHEN kind = 'loss' AND state IN ('approved', 'partly_approved', 'paid', 'closed')
                AND approved_minor IS NOT NULL THEN filed_at
        END) AS lost_at
    FROM delivery_claim
    WHERE state <> 'withdrawn'
    GROUP BY owner_id
),
line AS (
    SELECT
        owner_id AS id,
        min(valid_from) AS since_at,
        bool_or(abs(billed_minor - quoted_minor) > 0.01 * quoted_minor) AS differs
    FROM delivery_invoice_line
    WHERE (explained_at IS NULL OR explained_at >= as_of)
        AND (
            abs(billed_minor - quoted_minor) > 0.01 * quoted_minor
            OR (coalesce(surcharges_minor, 0) > 0 AND surcharge_reason IS NULL)
        )
    GROUP BY owner_id
),
incident AS (
    SELECT owner_id AS id, min(opened_at) AS since_at
    FROM delivery_incident
    WHERE assignee IS NULL AND (ended_at IS NULL OR ended_at >= as_of)
    GROUP BY owner_id
),
disorder AS (
    SELECT
        owner_id AS id,
        min(CASE WHEN anomaly = 'skipped' THEN event_at END) AS skipped_at,
        min(CASE WHEN anomaly IN ('backward', 'after_end') THEN event_at END) AS impossible_at
    FROM seen
    WHERE anomaly IS NOT NULL AND date_diff('minute', coalesce(recorded_at, event_at), as_of) < 1440
    GROUP BY owner_id
),
ill AS (
    SELECT
        1 AS no, 'not handed over' AS ill, 'D-R1' AS rule, s.id, s.status_since AS since_at,
        'depot: ask the courier' AS must_act,
        'Your parcel is with the courier and was not handed over. We are calling the courier now and ring you within the hour.' AS say
    FROM shipment s
    WHERE s.status = 'out_for_delivery'
        AND (s.status_hours > $out_hours OR s.late_after_at < s.as_of OR s.last_scan_days >= 1)
    UNION ALL
    SELECT
        2, 'collected, not arrived', 'D-R2', s.id, s.last_scan_at, 'tracing: find it',
        'Your parcel was collected and has not reached its next stop. We are tracing it and tell you tomorrow what we found.'
    FROM shipment s
    WHERE s.status IN ('picked_up', 'at_hub', 'in_transit', 'returning')
        AND s.silent_hours > s.trace_hours AND s.silent_hours <= 24 * s.lost_days
    UNION ALL
    SELECT
        2, 'collected, not arrived', 'D-R2 lost', s.id, s.last_scan_at, 'tracing: declare it lost',
        'We have not found your parcel. We propose to settle it as lost and need the proof of its value.'
    FROM shipment s
    WHERE s.status IN ('picked_up', 'at_hub', 'in_transit', 'returning', 'out_for_delivery')
        AND s.silent_hours > 24 * s.lost_days
    UNION ALL
    SELECT
        3, 'damaged, not compensated', 'D-R3', s.id, t.damaged_at, 'claims: open the claim',
        'Your parcel was damaged. We have opened the claim for you; please keep the packaging and send us photos.'
    FROM shipment s
    JOIN trouble t ON t.id = s.id
    LEFT JOIN claim c ON c.id = s.id
    WHERE date_diff('minute', t.damaged_at, s.as_of) > 60 * $claim_hours AND coalesce(c.claims, 0) = 0
    UNION ALL
    SELECT
        3, 'damaged, not compensated', 'D-R3 unpaid', s.id, c.approved_at, 'finance: pay',
        'Your claim is approved and the money is late. It is paid today.'
    FROM shipment s
    JOIN claim c ON c.id = s.id
    WHERE date_diff('minute', c.approved_at, s.as_of) > 1440 * $pay_days
    UNION ALL
    SELECT
        4, 'lost, nobody answers', 'D-R4', s.id, t.missing_at, 'customer service: answer',
        'You told us that your parcel is missing and nobody answered. I am responsible for it from now on.'
    FROM shipment s
    JOIN trouble t ON t.id = s.id
    LEFT JOIN answer a ON a.id = s.id
    WHERE date_diff('minute', t.missing_at, s.as_of) > 60 * $answer_hours
        AND (a.answered_at IS NULL OR a.answered_at < t.missing_at)
    UNION ALL
    SELECT
        6, 'price unclear', 'D-R5', s.id, l.since_at, 'billing: hold and explain',
        CASE
            WHEN l.differs THEN 'The bill differs from the quote. It is held until we have explained weight, zone, surcharge and discount to you.'
            ELSE 'The bill has a surcharge without a reason. It is held until we have explained it to you.'
        END
    FROM shipment s
    JOIN line l ON l.id = s.id
    UNION ALL
    SELECT
        5, 'disorder', 'D-R18 unowned', s.id, i.since_at, 'depot manager: name an owner',
        'Something held up your parcel. From today somebody is responsible for it.'
    FROM shipment s
    JOIN incident i ON i.id = s.id
    UNION ALL
    SELECT
        5, 'disorder', 'D-R18 misrouted', s.id, s.status_since, 'depot manager: send it back to its lane',
        'Your parcel went to the wrong place. It is on its way back and arrives later than promised.'
    FROM shipment s
    JOIN delivery_lane n ON n.code = s.lane AND n.as_of = s.as_of
    WHERE s.status = 'at_hub' AND s.place IS NOT NULL AND NOT list_contains(n.hubs, s.place)
    UNION ALL
    SELECT
        5, 'disorder', 'D-R18 silent', s.id, s.last_scan_at, 'depot manager: move it on',
        'Your parcel has not moved on as it should. We find out why and tell you today how it goes on.'
    FROM shipment s
    JOIN patience p ON p.status = s.status
    LEFT JOIN claim c ON c.id = s.id
    WHERE s.silent_hours > p.silence_hours AND s.end_state IS NULL
        AND (s.status NOT IN ('lost', 'disputed') OR coalesce(c.claims, 0) = 0)
    UNION ALL
    SELECT
        3, 'damaged, not compensated', 'D-R9 found', s.id, s.last_scan_at,
        'claims: stop the payment or take the goods back',
        'Your parcel was found after we settled it as lost. We call you to agree on what happens with it.'
    FROM shipment s
    JOIN claim c ON c.id = s.id
    WHERE s.last_scan_at > c.lost_at AND s.status NOT IN ('lost', 'disputed', 'disposed')
    UNION ALL
    SELECT
        5, 'disorder', 'D-R18 skipped', s.id, d.skipped_at, 'depot manager: find the missing scans',
        'Nothing to say: the parcel moved on.'
    FROM shipment s
    JOIN disorder d ON d.id = s.id
    WHERE d.skipped_at IS NOT NULL
    UNION ALL
    SELECT
        5, 'disorder', 'D-R18 impossible', s.id, d.impossible_at, 'depot manager: correct the scan',
        'Nothing to say: the status did not change.'
    FROM shipment s
    JOIN disorder d ON d.id = s.id
    WHERE d.impossible_at IS NOT NULL
)
SELECT
    CAST(i.no AS BIGINT) AS no,
    i.ill,
    i.rule,
    s.id AS shipment_id,
    s.waybill_no,
    s.customer_id,
    s.depot,
    i.since_at,
    date_diff('minute', i.since_at, s.as_of) / 60.0 AS hours,
    i.must_act,
    i.say
FROM ill i
JOIN shipment s ON s.id = i.id
WHERE $depot = '' OR s.depot = $depot
