-- Claims filed within the days asked for: how many per 10,000 shipments, what was paid of what was
-- claimed, and how long it took. A shipment counts once in the rate, however often it is claimed.
WITH filed AS (
    SELECT
        CASE
            WHEN $by = 'responsible' THEN coalesce(c.liability_party, 'unknown')
            WHEN $by = 'depot' THEN coalesce(w.depot, 'unknown')
            ELSE coalesce(c.kind, 'unknown')
        END AS slice,
        coalesce(c.claimed_currency, 'unknown') AS currency,
        c.owner_id, c.state, c.claimed_minor, c.approved_minor, c.paid_minor,
        date_diff('minute', c.filed_at, c.decided_at) / 1440.0 AS days_to_decide,
        date_diff('minute', c.decided_at, c.paid_at) / 1440.0 AS days_to_pay
    FROM delivery_claim c
    JOIN delivery_waybill w ON w.id = c.owner_id AND w.as_of = c.as_of
    WHERE $days = 0 OR date_diff('minute', c.filed_at, c.as_of) < 1440 * $days
),
volume AS (
    SELECT count(*) AS waybills
    FROM delivery_waybill
    WHERE $days = 0 OR date_diff('minute', ordered_at, as_of) < 1440 * $days
),
counted AS (
    SELECT
        f.slice,
        f.currency,
        count(*) AS claims,
        count(*) FILTER (WHERE f.state IN ('approved', 'partly_approved', 'paid', 'closed')) AS approved,
        count(*) FILTER (WHERE f.state = 'rejected') AS rejected,
        CAST(sum(f.claimed_minor) AS BIGINT) AS claimed_minor,
        CAST(sum(coalesce(f.paid_minor, 0)) AS BIGINT) AS paid_minor,
        avg(f.days_to_decide) AS days_to_decide,
        avg(f.days_to_pay) AS days_to_pay,
        -- Claims on shipments that were ordered before the days asked for may be more than these.
        max(v.waybills) AS waybills,
        least(count(DISTINCT f.owner_id) * 1.0 / nullif(max(v.waybills), 0), 1.0) AS rate
    FROM filed f
    CROSS JOIN volume v
    GROUP BY f.slice, f.currency
)
SELECT
    slice,
    currency,
    claims,
    approved,
    rejected,
    10000 * rate AS per_10000,
    10000 * wilson_low(rate, waybills) AS per_10000_low,
    10000 * wilson_high(rate, waybills) AS per_10000_high,
    claimed_minor,
    paid_minor,
    paid_minor * 1.0 / nullif(claimed_minor, 0) AS paid_share,
    days_to_decide,
    days_to_pay
FROM counted
