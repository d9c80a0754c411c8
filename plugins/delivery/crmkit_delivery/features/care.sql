-- What a waybill waits for from us: compensation, an answer, an explanation, an owner (D-R3 to D-R5,
-- D-R18).
WITH report AS (
    SELECT record_id AS owner_id, as_of, occurred_at, 'damage' AS about FROM delivery_damage_report
    UNION ALL
    SELECT record_id, as_of, occurred_at, 'damage' FROM delivery_complaint WHERE topic = 'damage'
    UNION ALL
    SELECT record_id, as_of, occurred_at, 'missing' FROM delivery_non_receipt_report
    UNION ALL
    SELECT owner_id, as_of, damaged_at, 'damage' FROM current WHERE damaged_at IS NOT NULL
    UNION ALL
    SELECT owner_id, as_of, status_since, 'missing' FROM current WHERE status IN ('lost', 'disputed')
),
trouble AS (
    SELECT
        owner_id,
        as_of,
        min(CASE WHEN about = 'damage' THEN occurred_at END) AS damaged_at,
        max(CASE WHEN about = 'missing' THEN occurred_at END) AS missing_at
    FROM report
    GROUP BY owner_id, as_of
),
answer AS (
    -- A person's answer: a message by the system is none.
    SELECT record_id AS owner_id, as_of, max(occurred_at) AS answered_at
    FROM interaction
    WHERE direction = 'out' AND record_type = 'delivery.waybill'
        AND (channel IS NULL OR channel <> 'system')
    GROUP BY record_id, as_of
),
notice AS (
    SELECT record_id AS owner_id, as_of, max(occurred_at) AS told_at
    FROM delivery_late_pre_notice
    GROUP BY record_id, as_of
),
claim AS (
    SELECT
        owner_id,
        as_of,
        count(*) AS claims,
        max(CASE
            WHEN state IN ('approved', 'partly_approved')
                THEN date_diff('minute', decided_at, as_of) / 1440.0
        END) AS unpaid_days
    FROM delivery_claim
    WHERE state <> 'withdrawn'
    GROUP BY owner_id, as_of
),
line AS (
    SELECT
        owner_id,
        as_of,
        max(abs(billed_minor - quoted_minor) * 1.0 / nullif(quoted_minor, 0)) AS overbilled,
        bool_or(coalesce(surcharges_minor, 0) > 0 AND surcharge_reason IS NULL) AS unexplained
    FROM delivery_invoice_line
    WHERE explained_at IS NULL OR explained_at >= as_of
    GROUP BY owner_id, as_of
),
incident AS (
    SELECT owner_id, as_of, count(*) AS unowned
    FROM delivery_incident
    WHERE assignee IS NULL AND (ended_at IS NULL OR ended_at >= as_of)
    GROUP BY owner_id, as_of
),
disorder AS (
    SELECT
        owner_id,
        as_of,
        count(*) FILTER (WHERE anomaly = 'skipped') AS skipped,
        count(*) FILTER (WHERE anomaly IN ('backward', 'after_end')) AS impossible
    FROM seen
    WHERE date_diff('minute', coalesce(recorded_at, event_at), as_of) < 1440
    GROUP BY owner_id, as_of
)
SELECT
    w.subject_id,
    w.as_of,
    date_diff('minute', t.damaged_at, w.as_of) / 60.0 AS delivery_damage_hours,
    coalesce(m.claims, 0) AS delivery_claims,
    m.unpaid_days AS delivery_claim_unpaid_days,
    CASE
        WHEN a.answered_at IS NULL OR a.answered_at < t.missing_at
            THEN date_diff('minute', t.missing_at, w.as_of) / 60.0
    END AS delivery_unanswered_hours,
    n.told_at IS NOT NULL AS delivery_told_late,
    b.overbilled AS delivery_overbilled_share,
    coalesce(b.unexplained, false) AS delivery_unexplained_surcharge,
    coalesce(i.unowned, 0) AS delivery_incidents_unowned,
    coalesce(
        c.status = 'at_hub' AND c.place IS NOT NULL AND NOT list_contains(l.hubs, c.place), false
    ) AS delivery_misrouted,
    coalesce(d.skipped, 0) AS delivery_steps_skipped,
    coalesce(d.impossible, 0) AS delivery_scans_out_of_order
FROM delivery_waybill w
LEFT JOIN current c ON c.owner_id = w.id AND c.as_of = w.as_of
LEFT JOIN delivery_lane l ON l.code = w.lane AND l.as_of = w.as_of
LEFT JOIN trouble t ON t.owner_id = w.id AND t.as_of = w.as_of
LEFT JOIN answer a ON a.owner_id = w.id AND a.as_of = w.as_of
LEFT JOIN notice n ON n.owner_id = w.id AND n.as_of = w.as_of
LEFT JOIN claim m ON m.owner_id = w.id AND m.as_of = w.as_of
LEFT JOIN line b ON b.owner_id = w.id AND b.as_of = w.as_of
LEFT JOIN incident i ON i.owner_id = w.id AND i.as_of = w.as_of
LEFT JOIN disorder d ON d.owner_id = w.id AND d.as_of = w.as_of
