-- What a waybill waits for from us: compensation, an answer, an explanation, an owner, a complete
-- excuse, and claims that are decided as they ought to be (D-R3 to D-R5, D-R7, D-R9, D-R18).
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
party AS (
    -- Who answers by the incidents: the one named by the latest.
    SELECT
        owner_id, as_of, responsible,
        row_number() OVER (PARTITION BY owner_id, as_of ORDER BY opened_at DESC, id DESC) AS newest
    FROM delivery_incident
    WHERE responsible IS NOT NULL AND opened_at < as_of
),
judged AS (
    -- A claim that waits for a second person; one whose bearer is not who answers; and one that was
    -- approved above min(proven loss, insured or declared value) x share damaged + freight refund.
    -- What a contract caps may be owed less: this tells only what cannot be owed.
    SELECT
        m.owner_id,
        m.as_of,
        count(*) FILTER (
            WHERE m.state = 'investigating' AND m.approved_minor IS NOT NULL AND m.decided_at IS NULL
        ) AS to_second,
        count(*) FILTER (
            WHERE m.state IN ('approved', 'partly_approved', 'paid')
                AND (m.liability_party IS NULL OR m.liability_party <> p.responsible)
        ) AS unborne,
        count(*) FILTER (
            WHERE m.kind = 'loss' AND m.state IN ('approved', 'partly_approved', 'paid', 'closed')
                AND m.approved_minor IS NOT NULL AND c.last_scan_at > m.filed_at
                AND c.status NOT IN ('lost', 'disputed', 'disposed')
        ) AS found,
        count(*) FILTER (
            WHERE m.approved_minor > 0.5 + coalesce(m.freight_refund_minor, 0) + coalesce(m.share_damaged, 1)
                * least(m.proven_loss_minor, coalesce(w.insured_value_minor, w.declared_value_minor, m.proven_loss_minor))
        ) AS above_owed
    FROM delivery_claim m
    JOIN delivery_waybill w ON w.id = m.owner_id AND w.as_of = m.as_of
    LEFT JOIN current c ON c.owner_id = m.owner_id AND c.as_of = m.as_of
    LEFT JOIN party p ON p.owner_id = m.owner_id AND p.as_of = m.as_of AND p.newest = 1
    WHERE m.state <> 'withdrawn'
    GROUP BY m.owner_id, m.as_of
),
stop AS (
    -- Stops of the clock that lack a reason, a party, evidence or an end, and so excuse nothing. One
    -- that runs needs no end yet; once the shipment has ended it does.
    SELECT i.owner_id, i.as_of, count(*) AS incomplete
    FROM delivery_incident i
    LEFT JOIN excuse e ON e.reason = i.reason
    LEFT JOIN current c ON c.owner_id = i.owner_id AND c.as_of = i.as_of
    WHERE (i.reason IS NULL OR e.excused)
        AND (
            i.reason IS NULL OR i.responsible IS NULL OR i.evidence IS NULL
            OR (i.ended_at IS NULL AND c.status IN ('delivered', 'returned', 'disposed'))
        )
    GROUP BY i.owner_id, i.as_of
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
    coalesce(j.to_second, 0) AS delivery_claims_to_second,
    coalesce(j.unborne, 0) AS delivery_claims_unborne,
    coalesce(j.above_owed, 0) AS delivery_claims_above_owed,
    coalesce(j.found, 0) AS delivery_claims_found,
    coalesce(k.incomplete, 0) AS delivery_stops_incomplete,
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
LEFT JOIN judged j ON j.owner_id = w.id AND j.as_of = w.as_of
LEFT JOIN stop k ON k.owner_id = w.id AND k.as_of = w.as_of
LEFT JOIN claim m ON m.owner_id = w.id AND m.as_of = w.as_of
LEFT JOIN line b ON b.owner_id = w.id AND b.as_of = w.as_of
LEFT JOIN incident i ON i.owner_id = w.id AND i.as_of = w.as_of
LEFT JOIN disorder d ON d.owner_id = w.id AND d.as_of = w.as_of
