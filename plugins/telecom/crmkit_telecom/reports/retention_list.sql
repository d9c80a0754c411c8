-- Whom to call, with what, when, by which channel, and why, within a budget.
-- Every candidate gets the offer with the highest expected gain; the list is then filled in order of
-- gain per money spent until the budget is used up.
WITH scored AS (
    SELECT
        subject_id,
        value AS probability,
        band,
        reasons,
        row_number() OVER (PARTITION BY subject_id ORDER BY days_before, run DESC) AS place
    FROM outcome
    WHERE name = 'telecom.churn'
),
habit AS (
    -- The channel by which the customer came most often in the last year.
    SELECT
        subject_id,
        channel,
        row_number() OVER (PARTITION BY subject_id ORDER BY count(*) DESC, channel) AS place
    FROM interaction
    WHERE direction = 'in' AND days_before < 365
        AND channel IN ('phone', 'app', 'web', 'email', 'sms', 'counter')
    GROUP BY subject_id, channel
),
candidate AS (
    SELECT
        s.subject_id,
        s.probability,
        s.band,
        s.reasons,
        h.channel,
        f.telecom_months_to_end AS months_to_end,
        f.telecom_port_out_requests_60d + f.telecom_cancellation_requests_60d AS requests,
        -- A prepaid customer pays no fee: a third of what was topped up in three months stands for it.
        greatest(coalesce(f.telecom_monthly_fee, 0), f.telecom_topup_amount_90d / 3) AS monthly,
        f.telecom_bill_shock_3m >= 1.5 OR f.telecom_billing_complaints_90d >= 1 AS price_trouble,
        f.telecom_dropped_call_rate >= 0.02 OR f.telecom_outage_minutes_3m >= 240
            OR f.telecom_network_complaints_90d >= 1 OR f.telecom_service_complaints_90d >= 1
            OR f.telecom_unsolved_calls_90d >= 2 AS service_trouble,
        coalesce(f.telecom_contract_state IN ('expired', 'expiring'), false) AS contract_trouble,
        f.telecom_full_months_3m >= 2 OR f.telecom_overage_share_3m >= 0.1 AS plan_trouble
    FROM scored s
    JOIN feature f ON f.subject_id = s.subject_id
    LEFT JOIN habit h ON h.subject_id = s.subject_id AND h.place = 1
    WHERE s.place = 1
        AND f.telecom_subscriptions >= 1
        AND f.contact_marketing_by_phone <> 'withdrawn'
        -- Who does not pay is for the dunning desk: no discount there.
        AND f.telecom_late_payments_12m < 2 AND f.telecom_days_overdue < 30
),
offer AS (
    -- What an offer costs in monthly fees when it is accepted, and how much better or worse than the
    -- stated rate it is accepted by those whom it suits and by the others.
    SELECT * FROM (VALUES
        ('discount', 1.2, 1.3, 0.8),
        ('larger_plan', 0.5, 1.2, 0.5),
        ('renewal_gift', 1.0, 1.2, 0.6),
        ('service_credit', 0.5, 1.2, 0.5)
    ) AS o (offer, fees, suited, unsuited)
),
option AS (
    SELECT
        c.*,
        o.offer,
        c.monthly * $margin * $value_months AS value,
        o.fees * c.monthly AS offer_cost,
        least($accept_rate * CASE
            WHEN o.offer = 'discount' AND coalesce(c.price_trouble, false) THEN o.suited
            WHEN o.offer = 'larger_plan' AND coalesce(c.plan_trouble, false) THEN o.suited
            WHEN o.offer = 'renewal_gift' AND c.contract_trouble THEN o.suited
            WHEN o.offer = 'service_credit' AND coalesce(c.service_trouble, false) THEN o.suited
            ELSE o.unsuited
        END, 1.0) AS accept
    FROM candidate c
    CROSS JOIN offer o
),
weighed AS (
    SELECT
        *,
        $contact_cost + accept * offer_cost AS cost,
        probability * accept * value - $contact_cost - accept * offer_cost AS gain
    FROM option
),
best AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY subject_id ORDER BY gain DESC, offer) AS place
    FROM weighed
),
listed AS (
    SELECT
        *,
        row_number() OVER (ORDER BY gain / cost DESC, subject_id) AS place_in_list,
        sum(cost) OVER (
            ORDER BY gain / cost DESC, subject_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS spent
    FROM best
    WHERE place = 1 AND gain > 0 AND cost > 0
)
SELECT
    place_in_list,
    subject_id AS customer_id,
    probability,
    band,
    CAST(round(probability * value) AS BIGINT) AS expected_loss_minor,
    offer,
    accept AS accept_probability,
    CAST(round(cost) AS BIGINT) AS expected_cost_minor,
    CAST(round(gain) AS BIGINT) AS expected_gain_minor,
    CAST(round(spent) AS BIGINT) AS budget_used_minor,
    CASE
        WHEN requests >= 1 THEN 'today'
        WHEN months_to_end BETWEEN 0 AND 1 THEN 'within three days'
        ELSE 'this week'
    END AS call_when,
    coalesce(channel, 'phone') AS channel,
    -- The list of words is JSON text: ["first", "second"].
    replace(replace(replace(coalesce(reasons, ''), '["', ''), '"]', ''), '", "', '; ') AS reasons
FROM listed
WHERE spent <= $budget
