-- What the customer came with, and how it ended: calls, complaints, requests, offers, surveys.
WITH request AS (
    SELECT subject_id, as_of, days_before, occurred_at, record_id, 'port_out' AS kind
    FROM telecom_port_out_request
    UNION ALL
    SELECT subject_id, as_of, days_before, occurred_at, record_id, 'cancellation'
    FROM telecom_cancellation_request
),
standing AS (
    SELECT r.subject_id, r.as_of, r.days_before, r.kind
    FROM request r
    -- Withdrawn afterwards, for its line or for all.
    WHERE NOT EXISTS (
        SELECT 1
        FROM telecom_request_withdrawal w
        WHERE w.subject_id = r.subject_id AND w.as_of = r.as_of AND w.request = r.kind
            AND w.occurred_at >= r.occurred_at
            AND coalesce(w.record_id, r.record_id, 0) = coalesce(r.record_id, w.record_id, 0)
    )
),
event AS (
    SELECT subject_id, as_of, days_before, 'complaint' AS kind, topic, true AS solved
    FROM telecom_complaint
    UNION ALL
    SELECT subject_id, as_of, days_before, 'call', topic, coalesce(resolved, true)
    FROM telecom_service_call
    UNION ALL
    SELECT subject_id, as_of, days_before, kind, 'contract', true
    FROM standing
    UNION ALL
    SELECT subject_id, as_of, days_before, 'fault', 'network', true
    FROM telecom_network_fault
    UNION ALL
    SELECT subject_id, as_of, days_before, 'plan_down', 'contract', true
    FROM telecom_plan_change
    WHERE move = 'down'
    UNION ALL
    SELECT subject_id, as_of, days_before, 'visit', 'service', true
    FROM telecom_store_visit
    UNION ALL
    SELECT subject_id, as_of, days_before, 'review', 'service', true
    FROM telecom_account_review
    UNION ALL
    SELECT subject_id, as_of, days_before, 'offer_' || result, 'contract', true
    FROM telecom_retention_offer
),
repeated AS (
    SELECT subject_id, as_of, max(contacts) AS contacts
    FROM (
        SELECT subject_id, as_of, topic, count(*) AS contacts
        FROM event
        WHERE days_before < 30 AND kind IN ('complaint', 'call')
        GROUP BY subject_id, as_of, topic
    ) topics
    GROUP BY subject_id, as_of
),
counted AS (
    SELECT
        subject_id,
        as_of,
        count_if(kind = 'complaint' AND days_before < 90) AS complaints,
        count_if(kind = 'complaint' AND topic = 'network' AND days_before < 90) AS network,
        count_if(kind = 'complaint' AND topic = 'service' AND days_before < 90) AS service,
        count_if(kind = 'complaint' AND topic IN ('billing', 'price') AND days_before < 90) AS billing,
        count_if(kind = 'call' AND days_before < 90) AS calls,
        count_if(kind = 'call' AND NOT solved AND days_before < 90) AS unsolved,
        count_if(kind = 'port_out' AND days_before < 60) AS port_outs,
        count_if(kind = 'cancellation' AND days_before < 60) AS cancellations,
        count_if(kind = 'fault' AND days_before < 90) AS faults,
        count_if(kind = 'plan_down' AND days_before < 180) AS plan_downs,
        count_if(kind = 'offer_accepted' AND days_before < 180) AS accepted,
        count_if(starts_with(kind, 'offer_') AND kind <> 'offer_control' AND days_before < 180)
            AS offers,
        min(CASE WHEN kind IN ('call', 'complaint', 'visit') THEN days_before END) AS contact_days,
        min(CASE WHEN kind = 'review' THEN days_before END) AS review_days
    FROM event
    GROUP BY subject_id, as_of
)
SELECT
    c.subject_id,
    c.as_of,
    c.complaints AS telecom_complaints_90d,
    c.network AS telecom_network_complaints_90d,
    c.service AS telecom_service_complaints_90d,
    c.billing AS telecom_billing_complaints_90d,
    c.calls AS telecom_service_calls_90d,
    c.unsolved AS telecom_unsolved_calls_90d,
    coalesce(r.contacts, 0) AS telecom_repeat_contacts_30d,
    c.port_outs AS telecom_port_out_requests_60d,
    c.cancellations AS telecom_cancellation_requests_60d,
    c.faults AS telecom_network_faults_90d,
    c.plan_downs AS telecom_plan_downgrades_180d,
    c.offers AS telecom_retention_offers_180d,
    c.accepted AS telecom_offers_accepted_180d,
    c.contact_days AS telecom_days_since_contact,
    c.review_days AS telecom_days_since_review
FROM counted c
LEFT JOIN repeated r ON r.subject_id = c.subject_id AND r.as_of = c.as_of
