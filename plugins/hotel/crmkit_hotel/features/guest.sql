-- What is known of a guest: stays, gaps between them, fulfilment, complaints, points and profile.
WITH {visit},
stay AS (
    SELECT
        v.*,
        date_diff('day', b.checked_out_on, v.checked_in_on) AS gap_days,
        row_number() OVER (PARTITION BY v.subject_id, v.as_of ORDER BY v.nth DESC) AS place
    FROM visit v
    LEFT JOIN visit b ON b.subject_id = v.subject_id AND b.as_of = v.as_of AND b.nth = v.nth - 1
),
gap AS (
    SELECT
        subject_id, as_of, gap_days,
        row_number() OVER (PARTITION BY subject_id, as_of ORDER BY gap_days, id) AS nth,
        count(*) OVER (PARTITION BY subject_id, as_of) AS gaps
    FROM stay
    WHERE gap_days IS NOT NULL
),
usual AS (
    -- The median gap, the lower one of two in the middle.
    SELECT subject_id, as_of, gap_days AS usual_gap
    FROM gap
    WHERE nth = (gaps + 1) // 2
),
stayed AS (
    SELECT
        subject_id,
        as_of,
        count(*) AS stays,
        CAST(sum(nights) AS BIGINT) AS nights,
        count(*) FILTER (WHERE date_diff('day', checked_out_on, as_of_on) < 365) AS stays_365d,
        CAST(coalesce(sum(CASE WHEN date_diff('day', checked_out_on, as_of_on) < 365 THEN nights END), 0) AS BIGINT) AS nights_365d,
        min(date_diff('day', checked_out_on, as_of_on)) AS since_last,
        count(*) FILTER (WHERE place = 1 AND without_benefits > 0) AS without_benefits
    FROM stay
    GROUP BY subject_id, as_of
),
slept AS (
    SELECT subject_id, as_of, owner_id FROM hotel_stay GROUP BY subject_id, as_of, owner_id
),
marked AS (
    -- Fulfilment of each stay that was prepared, latest first; a booking that was not kept is none.
    SELECT
        p.subject_id, p.as_of, p.owner_id, p.arrival_on,
        (count_if(p.result = 'met') + 0.5 * count_if(p.result = 'partly')) / count(*) AS rate
    FROM hotel_preparation p
    JOIN slept s ON s.subject_id = p.subject_id AND s.as_of = p.as_of AND s.owner_id = p.owner_id
    WHERE p.result IN ('met', 'partly', 'not_met', 'unavailable') AND p.arrival_on <= p.as_of_on
    GROUP BY p.subject_id, p.as_of, p.owner_id, p.arrival_on
),
latest AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY subject_id, as_of ORDER BY arrival_on DESC, owner_id DESC) AS place
    FROM marked
),
fulfilled AS (
    SELECT
        subject_id, as_of,
        max(CASE WHEN place = 1 THEN rate END) AS last_rate,
        count(*) FILTER (WHERE place <= 2 AND rate < 0.7) AS poor
    FROM latest
    GROUP BY subject_id, as_of
),
complaint AS (
    SELECT
        subject_id,
        as_of,
        count(*) FILTER (WHERE days_before < 365) AS complaints,
        min(days_before) AS since_complaint,
        count(*) FILTER (WHERE NOT coalesce(solved, false) AND days_before < 60) AS unsolved,
        count(*) FILTER (WHERE in_house AND NOT coalesce(solved, false) AND days_before <= 14) AS in_house
    FROM hotel_complaint
    GROUP BY subject_id, as_of
),
acted AS (
    SELECT subject_id, as_of, min(days_before) AS since_gesture
    FROM hotel_recovery_gesture
    WHERE first_action
    GROUP BY subject_id, as_of
),
asked AS (
    SELECT subject_id, as_of, count(*) AS refused
    FROM hotel_presence_question
    WHERE answer = 'refused' AND days_before < 7
    GROUP BY subject_id, as_of
),
posted AS (
    SELECT subject_id, as_of, CAST(sum(amount) AS BIGINT) AS points,
        min(CASE WHEN kind = 'earn' THEN days_before END) AS since_earned,
        min(CASE WHEN kind IN ('earn', 'burn') THEN days_before END) AS since_active
    FROM ledger_entry
    WHERE ledger = 'hotel.points'
    GROUP BY subject_id, as_of
),
standing AS (
    -- A guest of two merged profiles has two: the higher one counts.
    SELECT
        subject_id, as_of, tier, rank AS tier_rank, grace_until,
        row_number() OVER (PARTITION BY subject_id, as_of ORDER BY rank DESC, id) AS place
    FROM ledger_standing
    WHERE scheme = 'hotel.club'
),
liked AS (
    SELECT
        subject_id,
        as_of,
        count(*) FILTER (WHERE status = 'learnt') AS learnt,
        count(*) FILTER (WHERE status = 'learnt' AND days_before < 7) AS newly_learnt,
        count(*) FILTER (WHERE status = 'ask') AS to_ask,
        count(*) FILTER (WHERE status IN ('declared', 'learnt') AND (fresh_until IS NULL OR fresh_until >= as_of_on)) AS fresh
    FROM hotel_preference
    GROUP BY subject_id, as_of
),
refused AS (
    SELECT subject_id, as_of, code, min(days_before) AS since
    FROM hotel_preference_refusal
    GROUP BY subject_id, as_of, code
),
seen AS (
    SELECT subject_id, as_of, code, days_before, companion FROM hotel_housekeeping_observation
    UNION ALL
    SELECT subject_id, as_of, code, days_before, companion FROM hotel_housekeeping_request
    UNION ALL
    SELECT subject_id, as_of, code, days_before, companion FROM hotel_concierge_request
    UNION ALL
    SELECT subject_id, as_of, code, days_before, companion FROM hotel_fnb_order
),
again AS (
    SELECT s.subject_id, s.as_of, count(*) AS n
    FROM seen s
    JOIN refused r ON r.subject_id = s.subject_id AND r.as_of = s.as_of AND r.code = s.code
    WHERE s.days_before < r.since
    GROUP BY s.subject_id, s.as_of
),
others AS (
    SELECT subject_id, as_of, count(*) AS n
    FROM seen
    WHERE companion AND days_before < 30
    GROUP BY subject_id, as_of
),
friend AS (
    SELECT subject_id, as_of, count(*) AS open_referrals
    FROM hotel_referral
    WHERE state = 'open'
    GROUP BY subject_id, as_of
),
withdrawal AS (
    SELECT c.subject_id, c.as_of, c.channel, c.purpose, c.at AS said_at
    FROM contact_consent c
    WHERE c.state = 'withdrawn'
),
revoked AS (
    SELECT DISTINCT g.subject_id, g.as_of, g.id
    FROM contact_consent g
    JOIN withdrawal w ON w.subject_id = g.subject_id AND w.as_of = g.as_of AND w.said_at >= g.at
        AND w.channel IN (g.channel, 'any') AND w.purpose IN (g.purpose, 'any')
    WHERE g.state = 'given'
),
consented AS (
    -- A consent of the ledger that no later withdrawal covers, whatever it is for.
    SELECT g.subject_id, g.as_of, count(*) AS n
    FROM contact_consent g
    LEFT JOIN revoked r ON r.subject_id = g.subject_id AND r.as_of = g.as_of AND r.id = g.id
    WHERE g.state = 'given' AND r.id IS NULL
    GROUP BY g.subject_id, g.as_of
),
profile AS (
    SELECT
        subject_id, as_of,
        coalesce(vip_level, 'none') AS vip,
        coalesce(occasion_consent, false) AS occasion_consent,
        coalesce(list_contains(guest_flags, 'previous_complaint'), false) AS flagged,
        anonymised_on IS NOT NULL AS anonymous,
        coalesce(stated_stays, 0) AS stated_stays
    FROM hotel_customer
)
SELECT
    p.subject_id,
    p.as_of,
    coalesce(s.stays, 0) + coalesce(g.stated_stays, 0) AS hotel_stays,
    coalesce(s.nights, 0) AS hotel_nights,
    coalesce(s.stays_365d, 0) AS hotel_stays_365d,
    coalesce(s.nights_365d, 0) AS hotel_nights_365d,
    s.since_last AS hotel_days_since_stay,
    u.usual_gap AS hotel_usual_gap_days,
    s.since_last / nullif(u.usual_gap, 0) AS hotel_gap_ratio,
    f.last_rate AS hotel_last_fulfilment,
    coalesce(f.poor, 0) AS hotel_poor_stays,
    coalesce(s.without_benefits, 0) > 0 AS hotel_benefits_missed,
    coalesce(c.complaints, 0) AS hotel_complaints_365d,
    c.since_complaint AS hotel_days_since_complaint,
    coalesce(c.unsolved, 0) AS hotel_unsolved_complaints,
    coalesce(c.in_house, 0) AS hotel_in_house_complaints,
    coalesce(a.since_gesture > c.since_complaint, c.since_complaint IS NOT NULL) AS hotel_no_first_action,
    coalesce(q.refused, 0) AS hotel_refusals_7d,
    coalesce(l.points, 0) AS hotel_points_balance,
    l.since_active AS hotel_days_since_points,
    coalesce(s.since_last >= 1 AND (l.since_earned IS NULL OR l.since_earned > s.since_last), false) AS hotel_points_missing,
    coalesce(t.tier, 'none') AS hotel_tier,
    coalesce(t.tier_rank, 0) AS hotel_tier_rank,
    t.grace_until IS NOT NULL AS hotel_tier_in_grace,
    coalesce(k.learnt, 0) AS hotel_learnt_preferences,
    coalesce(k.newly_learnt, 0) AS hotel_newly_learnt_7d,
    coalesce(k.to_ask, 0) AS hotel_preferences_to_ask,
    coalesce(k.fresh, 0) AS hotel_fresh_preferences,
    coalesce(n.n, 0) AS hotel_seen_after_refusal,
    coalesce(o.n, 0) AS hotel_of_companions_30d,
    coalesce(r.open_referrals, 0) AS hotel_open_referrals,
    coalesce(g.vip, 'none') AS hotel_vip,
    coalesce(e.n, 0) > 0 AS hotel_consented,
    coalesce(g.flagged, false) AS hotel_previous_complaint,
    coalesce(g.anonymous, false) AS hotel_anonymised
FROM population p
LEFT JOIN stayed s ON s.subject_id = p.subject_id AND s.as_of = p.as_of
LEFT JOIN usual u ON u.subject_id = p.subject_id AND u.as_of = p.as_of
LEFT JOIN fulfilled f ON f.subject_id = p.subject_id AND f.as_of = p.as_of
LEFT JOIN complaint c ON c.subject_id = p.subject_id AND c.as_of = p.as_of
LEFT JOIN acted a ON a.subject_id = p.subject_id AND a.as_of = p.as_of
LEFT JOIN asked q ON q.subject_id = p.subject_id AND q.as_of = p.as_of
LEFT JOIN posted l ON l.subject_id = p.subject_id AND l.as_of = p.as_of
LEFT JOIN standing t ON t.subject_id = p.subject_id AND t.as_of = p.as_of AND t.place = 1
LEFT JOIN liked k ON k.subject_id = p.subject_id AND k.as_of = p.as_of
LEFT JOIN again n ON n.subject_id = p.subject_id AND n.as_of = p.as_of
LEFT JOIN others o ON o.subject_id = p.subject_id AND o.as_of = p.as_of
LEFT JOIN friend r ON r.subject_id = p.subject_id AND r.as_of = p.as_of
LEFT JOIN consented e ON e.subject_id = p.subject_id AND e.as_of = p.as_of
LEFT JOIN profile g ON g.subject_id = p.subject_id AND g.as_of = p.as_of
