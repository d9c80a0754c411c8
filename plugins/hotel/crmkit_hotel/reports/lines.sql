-- What each arriving guest expects: what they said and what was learnt for such a trip, what the
-- booking promised, what the tier gives, what is owed after a complaint, and occasions within three
-- days; each line with where it comes from, who prepares it, and what stands in where it is sold out.
WITH catalogue(code, grp, most, department, room, sensitive, required, many, title) AS ({catalogue}),
substitute(code, val, other) AS ({substitutes}),
benefit(tier, code, department, title) AS ({benefits}),
arrival AS (
    SELECT
        r.subject_id,
        r.as_of,
        r.as_of_on,
        r.customer_id,
        r.id AS reservation_id,
        r.property,
        r.arrival_on,
        r.departure_on,
        r.eta,
        r.booked_on,
        r.room_type_booked,
        coalesce(r.purpose, 'unknown') AS purpose
    FROM hotel_reservation r
    WHERE r.status IN ('confirmed', 'in_house')
        AND r.arrival_on >= coalesce(CAST($date AS DATE), r.as_of_on + 1)
        AND r.arrival_on < coalesce(CAST($date AS DATE), r.as_of_on + 1) + $days
        AND ($property = '' OR r.property = $property)
),
arriving AS (
    SELECT subject_id, as_of FROM arrival GROUP BY subject_id, as_of
),
past AS (
    SELECT s.subject_id, s.as_of, count(*) AS stays, max(s.checked_out_on) AS last_stay_on
    FROM hotel_stay s
    JOIN arriving a ON a.subject_id = s.subject_id AND a.as_of = s.as_of
    WHERE s.checked_out_on <= s.as_of_on
    GROUP BY s.subject_id, s.as_of
),
complaint AS (
    SELECT c.subject_id, c.as_of, count(*) AS cases
    FROM service_case c
    JOIN arriving a ON a.subject_id = c.subject_id AND a.as_of = c.as_of
    WHERE c.is_open
    GROUP BY c.subject_id, c.as_of
),
standing AS (
    SELECT subject_id, as_of, arg_max(tier, rank) AS tier, max(rank) AS tier_rank
    FROM ledger_standing
    WHERE scheme = 'hotel.club'
    GROUP BY subject_id, as_of
),
guest AS (
    SELECT
        a.*,
        coalesce(g.vip_level, 'none') AS vip,
        coalesce(g.privacy_level, 'normal') AS privacy,
        coalesce(g.occasion_consent, false) AS occasion_consent,
        g.birth_date,
        coalesce(list_contains(g.guest_flags, 'previous_complaint'), false) AS complained,
        coalesce(p.stays, 0) + coalesce(g.stated_stays, 0) AS stays,
        p.last_stay_on,
        coalesce(c.cases, 0) AS open_cases,
        coalesce(t.tier, 'none') AS tier,
        coalesce(t.tier_rank, 0) AS tier_rank
    FROM arrival a
    LEFT JOIN hotel_customer g ON g.subject_id = a.subject_id AND g.as_of = a.as_of
    LEFT JOIN past p ON p.subject_id = a.subject_id AND p.as_of = a.as_of
    LEFT JOIN complaint c ON c.subject_id = a.subject_id AND c.as_of = a.as_of
    LEFT JOIN standing t ON t.subject_id = a.subject_id AND t.as_of = a.as_of
),
weighed AS (
    -- Confidence on the day of arrival: what is held fades by half a year after year.
    SELECT
        p.subject_id,
        p.as_of,
        a.reservation_id,
        p.id AS preference_id,
        p.code,
        p.value AS val,
        p.status,
        coalesce(p.strength, 'preferred') = 'avoid' AS avoided,
        CASE
            WHEN p.fades THEN power(2.0, -date_diff('day', p.weighed_on, a.arrival_on) / 365.0)
            ELSE 1.0
        END AS kept,
        p.weight_for,
        p.weight_against,
        coalesce(p.fresh_until < a.arrival_on, false) AS stale
    FROM hotel_preference p
    JOIN arrival a ON a.subject_id = p.subject_id AND a.as_of = p.as_of
    WHERE p.status IN ('declared', 'learnt', 'ask')
        AND (a.purpose = 'unknown' OR p.purpose IN ('any', 'unknown', a.purpose))
        AND coalesce(p.scope, 'chain') IN ('chain', a.property)
        AND (p.valid_to_on IS NULL OR p.valid_to_on >= a.arrival_on)
),
held AS (
    SELECT
        w.*,
        (1 + weight_for * kept) / (2 + (weight_for + weight_against) * kept) AS confidence
    FROM weighed w
),
wanted AS (
    SELECT
        h.subject_id,
        h.as_of,
        h.reservation_id,
        h.code,
        h.val,
        CASE
            WHEN h.status = 'ask' OR (h.status = 'declared' AND h.stale) OR h.confidence < 0.6
                THEN 'ask'
            WHEN h.avoided THEN 'avoid'
            ELSE h.status
        END AS origin,
        h.avoided,
        h.confidence,
        k.grp,
        k.most,
        k.required,
        row_number() OVER (
            PARTITION BY h.reservation_id, h.code, h.avoided, CASE WHEN k.many OR h.avoided THEN h.val ELSE '' END
            ORDER BY
                CASE WHEN h.status = 'declared' AND NOT h.stale THEN 0 ELSE 1 END,
                h.confidence DESC, h.preference_id
        ) AS place
    FROM held h
    JOIN catalogue k ON k.code = h.code
    WHERE h.confidence >= 0.4
),
chosen AS (
    SELECT
        w.*,
        row_number() OVER (
            PARTITION BY w.reservation_id, w.grp, w.avoided, w.required ORDER BY w.confidence DESC, w.code, w.val
        ) AS nth
    FROM wanted w
    WHERE w.place = 1
),
anniversary AS (
    SELECT subject_id, as_of, 'BIRTHDAY' AS code, month(birth_date) AS m, day(birth_date) AS d
    FROM hotel_customer
    WHERE birth_date IS NOT NULL
    UNION ALL
    SELECT
        p.subject_id, p.as_of, p.code,
        -- Written 05-21 or 1980-05-21.
        CAST(floor(TRY_CAST(CASE WHEN length(p.value) = 5 THEN substring(p.value, 1, 2)
            ELSE substring(p.value, 6, 2) END AS DOUBLE)) AS BIGINT),
        CAST(floor(TRY_CAST(CASE WHEN length(p.value) = 5 THEN substring(p.value, 4, 2)
            ELSE substring(p.value, 9, 2) END AS DOUBLE)) AS BIGINT)
    FROM hotel_preference p
    WHERE p.code IN ('BIRTHDAY', 'ANNIVERSARY', 'HONEYMOON', 'FESTIVAL') AND p.status = 'declared'
),
shift(years) AS (VALUES (-1), (0), (1)),
dated AS (
    -- The 29th of February is kept on the 28th; a day that no calendar has, as 02-30, is none.
    SELECT
        g.reservation_id, g.subject_id, g.as_of, o.code,
        CASE
            WHEN o.m = 2 AND o.d = 29 THEN make_date(year(g.arrival_on) + t.years, 2, 28)
            WHEN o.d BETWEEN 1 AND CASE WHEN o.m = 2 THEN 28 WHEN o.m IN (4, 6, 9, 11) THEN 30 ELSE 31 END
                AND o.m BETWEEN 1 AND 12
                THEN make_date(year(g.arrival_on) + t.years, o.m, o.d)
        END AS occasion_on
    FROM guest g
    JOIN anniversary o ON o.subject_id = g.subject_id AND o.as_of = g.as_of
    CROSS JOIN shift t
    WHERE g.occasion_consent
),
told AS (
    SELECT reservation_id, 0 AS first, 'booking' AS origin, q.code, q.value AS val,
        CAST(NULL AS DOUBLE) AS confidence, false AS avoided
    FROM hotel_request q
    JOIN arrival a ON a.reservation_id = q.owner_id AND a.as_of = q.as_of
    UNION ALL
    SELECT c.reservation_id, 1, c.origin, c.code, c.val, c.confidence, c.avoided
    FROM chosen c
    -- However many allergies and needs there are, each is prepared.
    WHERE (c.avoided OR c.required OR c.nth <= c.most) AND c.grp <> 'OCCASION'
),
once AS (
    -- What the booking promised stands before what the guest usually likes.
    SELECT
        t.*,
        min(t.first) OVER (PARTITION BY t.reservation_id, t.code, t.avoided) AS strongest
    FROM told t
),
line AS (
    SELECT
        o.reservation_id, o.origin, o.code,
        CASE WHEN o.avoided THEN 'not ' || o.val ELSE o.val END AS val,
        o.confidence,
        coalesce(k.department, 'front_office') AS department,
        coalesce(k.title, 'Booked') AS title,
        coalesce(k.sensitive, false) AS sensitive,
        coalesce(k.required, false) AS required
    FROM once o
    LEFT JOIN catalogue k ON k.code = o.code
    WHERE o.first = o.strongest
    UNION ALL
    SELECT g.reservation_id, 'tier', b.code, g.tier, NULL, b.department, b.title, false, false
    FROM guest g
    JOIN benefit b ON b.tier = g.tier
    UNION ALL
    SELECT
        g.reservation_id, 'promise', coalesce(r.code, 'RECOVERY'), coalesce(r.value, r.gesture), NULL,
        'guest_relations', 'Promised after a complaint', false, false
    FROM guest g
    JOIN hotel_recovery_gesture r ON r.subject_id = g.subject_id AND r.as_of = g.as_of
    WHERE r.next_stay AND NOT coalesce(r.kept, false)
    UNION ALL
    SELECT
        reservation_id, 'promise', 'GREETING', NULL, NULL, 'guest_relations',
        'The duty manager greets: complaint', false, false
    FROM guest
    WHERE open_cases > 0 OR complained
    UNION ALL
    SELECT
        d.reservation_id, 'occasion', d.code, CAST(d.occasion_on AS VARCHAR), NULL,
        'guest_relations', 'Occasion', false, false
    FROM dated d
    JOIN guest g ON g.reservation_id = d.reservation_id
    WHERE date_diff('day', d.occasion_on, g.arrival_on) <= 3
        AND date_diff('day', coalesce(g.departure_on, g.arrival_on), d.occasion_on) <= 3
    UNION ALL
    SELECT
        reservation_id, 'arrival', 'ARRIVAL', room_type_booked, NULL, 'front_office', 'Arrives', false,
        false
    FROM guest
    UNION ALL
    -- A booking made twice, or two rooms: the desk asks which.
    SELECT
        g.reservation_id, 'arrival', 'ALSO_BOOKED', 'reservation ' || CAST(o.id AS VARCHAR), NULL,
        'front_office', 'Has another booking for these days', false, false
    FROM guest g
    JOIN hotel_reservation o ON o.subject_id = g.subject_id AND o.as_of = g.as_of AND o.id <> g.reservation_id
    WHERE o.status IN ('option', 'confirmed', 'in_house')
        AND (o.arrival_on = g.arrival_on
            OR (o.arrival_on < g.departure_on AND o.departure_on > g.arrival_on))
),
used AS (
    -- What guests who stay on have already.
    SELECT r.property, p.code, coalesce(p.value, '') AS val, count(*) AS n
    FROM hotel_preparation p
    JOIN hotel_reservation r ON r.id = p.owner_id AND r.as_of = p.as_of
    WHERE p.result = 'met' AND r.status = 'in_house'
        AND r.departure_on > coalesce(CAST($date AS DATE), r.as_of_on + 1)
    GROUP BY r.property, p.code, coalesce(p.value, '')
),
stock AS (
    SELECT
        s.property, s.code, coalesce(s.value, '') AS val,
        CAST(max(s.quantity) AS BIGINT) - coalesce(CAST(max(u.n) AS BIGINT), 0) AS left_over
    FROM hotel_supply s
    LEFT JOIN used u ON u.property = s.property AND u.code = s.code AND u.val = coalesce(s.value, '')
    GROUP BY s.property, s.code, coalesce(s.value, '')
),
tracked AS (
    SELECT property, code FROM stock GROUP BY property, code
),
ranked AS (
    SELECT
        l.*,
        g.customer_id,
        g.property,
        g.arrival_on,
        g.eta,
        g.purpose,
        g.vip,
        g.privacy,
        g.tier,
        g.stays,
        g.last_stay_on,
        g.open_cases,
        row_number() OVER (
            PARTITION BY g.property, g.arrival_on, l.code, l.val
            ORDER BY
                CASE WHEN l.required THEN 0 ELSE 1 END, g.vip = 'none', g.vip, g.tier_rank DESC,
                g.booked_on, g.reservation_id
        ) AS turn
    FROM line l
    JOIN guest g ON g.reservation_id = l.reservation_id
    WHERE $department = 'all' OR l.department = $department
),
spare AS (
    -- The substitutes of which something is left.
    SELECT k.property, s.code, s.val, s.other
    FROM substitute s
    JOIN tracked k ON k.code = s.code
    LEFT JOIN stock o ON o.property = k.property AND o.code = s.code AND o.val = s.other
    WHERE o.left_over > 0 OR o.code IS NULL
),
offered AS (
    -- The first of them that the guest does not want avoided.
    SELECT l.reservation_id, s.code, s.val, min(s.other) AS other
    FROM line l
    JOIN guest g ON g.reservation_id = l.reservation_id
    JOIN spare s ON s.property = g.property AND s.code = l.code AND s.val = l.val
    LEFT JOIN chosen a ON a.reservation_id = l.reservation_id AND a.avoided AND a.code = s.code AND a.val = s.other
    WHERE a.val IS NULL
    GROUP BY l.reservation_id, s.code, s.val
),
done AS (
    SELECT owner_id, code, max(result) AS result
    FROM hotel_preparation
    GROUP BY owner_id, code
)
SELECT
    r.customer_id,
    r.reservation_id,
    r.arrival_on,
    r.eta,
    r.property,
    r.purpose,
    r.vip,
    r.tier,
    r.stays,
    r.last_stay_on,
    r.open_cases,
    r.privacy,
    r.department,
    r.code,
    r.title,
    CASE WHEN r.sensitive AND $department = 'all' THEN 'see the sheet of ' || r.department ELSE r.val END
        AS val,
    r.origin,
    r.confidence,
    r.required,
    CASE
        WHEN r.origin IN ('ask', 'arrival', 'avoid') OR t.code IS NULL THEN NULL
        ELSE r.turn <= coalesce(s.left_over, 0)
    END AS can_be_met,
    CASE
        WHEN r.origin NOT IN ('ask', 'arrival', 'avoid') AND t.code IS NOT NULL
            AND r.turn > coalesce(s.left_over, 0)
            THEN coalesce(x.other, 'none')
    END AS stand_in,
    d.result
FROM ranked r
LEFT JOIN tracked t ON t.property = r.property AND t.code = r.code
LEFT JOIN stock s ON s.property = r.property AND s.code = r.code AND s.val = coalesce(r.val, '')
LEFT JOIN offered x ON x.reservation_id = r.reservation_id AND x.code = r.code AND x.val = r.val
LEFT JOIN done d ON d.owner_id = r.reservation_id AND d.code = r.code
