-- Where a waybill stands on its way, and what is known of it beforehand. Minutes count beginnings of
-- minutes, so an elapsed time is right to a minute.
WITH goods AS (
    SELECT
        i.owner_id,
        i.as_of,
        count(*) AS items,
        CAST(sum(i.freight_base_minor) AS BIGINT) AS freight,
        max(i.ship_by) AS ship_by,
        min(s.zone) AS sender_zone
    FROM delivery_item i
    LEFT JOIN delivery_sender s ON s.code = i.sender_code AND s.as_of = i.as_of
    GROUP BY i.owner_id, i.as_of
),
known AS (
    SELECT
        w.*,
        c.status, c.status_since, c.last_scan_at, c.picked_up_at, c.attempts, c.hubs, c.last_scan_days,
        c.first_attempt_at, c.delivered_at,
        g.items, g.freight,
        coalesce(w.origin_zone, g.sender_zone) AS from_zone,
        coalesce(w.dest_zone, p.region) AS to_zone,
        coalesce(w.pickup_to, g.ship_by) AS ship_by
    FROM delivery_waybill w
    LEFT JOIN current c ON c.owner_id = w.id AND c.as_of = w.as_of
    LEFT JOIN goods g ON g.owner_id = w.id AND g.as_of = w.as_of
    -- Where the waybill names no zone, the customer's region is where it goes.
    LEFT JOIN customer p ON p.subject_id = w.subject_id AND p.as_of = w.as_of
),
quiet AS (
    -- What was not scanned yet is silent since it was to be collected.
    SELECT
        k.*,
        date_diff('minute', coalesce(k.last_scan_at, k.pickup_to, k.ordered_at), k.as_of) / 60.0 AS quiet_hours,
        t.silence_hours
    FROM known k
    LEFT JOIN patience t ON t.status = coalesce(k.status, 'ordered')
)
SELECT
    subject_id,
    as_of,
    coalesce(status, 'ordered') AS delivery_status,
    date_diff('minute', status_since, as_of) / 60.0 AS delivery_status_hours,
    date_diff('minute', last_scan_at, as_of) / 60.0 AS delivery_silent_hours,
    CASE WHEN quiet_hours > silence_hours THEN quiet_hours END AS delivery_overdue_silence_hours,
    coalesce(status = 'out_for_delivery' AND last_scan_days >= 1, false) AS delivery_overnight,
    coalesce(attempts, 0) AS delivery_attempts,
    coalesce(hubs, 0) AS delivery_hubs_passed,
    date_diff('minute', as_of, late_after_at) / 1440.0 AS delivery_slack_days,
    coalesce(late_after_at < as_of AND delivered_at IS NULL, false) AS delivery_past_promise,
    date_diff('minute', ordered_at, as_of) / 1440.0 AS delivery_days_since_order,
    date_diff('minute', ship_by, coalesce(picked_up_at, as_of)) / 1440.0 AS delivery_days_past_ship_by,
    date_diff('minute', ordered_at, late_after_at) / 1440.0 AS delivery_promised_days,
    product AS delivery_product,
    scope AS delivery_scope,
    from_zone AS delivery_from_zone,
    to_zone AS delivery_to_zone,
    from_zone = to_zone AS delivery_same_zone,
    coalesce(weight_charged, weight_actual) AS delivery_weight_kg,
    coalesce(price_quoted_base_minor, freight) AS delivery_freight,
    items AS delivery_items
FROM quiet
