-- A subscriber of a round: pauses, missed drops, and whether they were called after a hand-over.
WITH missed AS (
    -- Nothing is missed on a day of a pause.
    SELECT d.subject_id, d.as_of, count(*) AS drops
    FROM delivery_drop d
    JOIN delivery_subscription s ON s.subject_id = d.subject_id AND s.as_of = d.as_of
    WHERE d.result = 'missed' AND d.days_before < 30
        AND (s.paused_from IS NULL OR d.occurred_on < s.paused_from OR d.occurred_on >= s.paused_to)
    GROUP BY d.subject_id, d.as_of
),
billed AS (
    SELECT a.subject_id, a.as_of, count(*) AS overlaps
    FROM delivery_bill a
    JOIN delivery_bill b
        ON b.subject_id = a.subject_id AND b.as_of = a.as_of AND b.id > a.id
        AND b.period_from <= a.period_to AND a.period_from <= b.period_to
    GROUP BY a.subject_id, a.as_of
),
known_round AS (
    SELECT DISTINCT code, as_of
    FROM delivery_round
),
known_courier AS (
    SELECT DISTINCT code, as_of
    FROM delivery_courier
    WHERE left_on IS NULL OR left_on >= as_of_on
),
reported AS (
    SELECT subject_id, as_of, count(*) AS reports
    FROM delivery_missed_drop_report
    WHERE days_before < 30
    GROUP BY subject_id, as_of
),
gone AS (
    SELECT subject_id, as_of, count(*) AS endings
    FROM delivery_cancellation
    GROUP BY subject_id, as_of
),
called AS (
    SELECT subject_id, as_of, max(occurred_on) AS called_on
    FROM delivery_round_call
    GROUP BY subject_id, as_of
)
SELECT
    s.subject_id,
    s.as_of,
    coalesce(g.endings, 0) = 0 AS delivery_subscribed,
    s.round AS delivery_round,
    date_diff('day', s.started_on, s.as_of_on) AS delivery_subscribed_days,
    -- The drop book and what subscribers report tell of the same drops: the larger counts.
    greatest(coalesce(m.drops, 0), coalesce(r.reports, 0)) AS delivery_missed_drops_30d,
    date_diff('day', s.paused_from, s.as_of_on) AS delivery_paused_days,
    date_diff('day', s.as_of_on, s.paused_to) AS delivery_days_to_resume,
    coalesce(s.pause_extensions, 0) AS delivery_pause_extensions,
    CASE
        WHEN c.called_on IS NULL OR c.called_on < s.handed_over_on
            THEN date_diff('day', s.handed_over_on, s.as_of_on)
    END AS delivery_uncalled_days,
    coalesce(b.overlaps, 0) AS delivery_bills_overlapping,
    kr.code IS NULL OR kc.code IS NULL AS delivery_unserved
FROM delivery_subscription s
LEFT JOIN missed m ON m.subject_id = s.subject_id AND m.as_of = s.as_of
LEFT JOIN reported r ON r.subject_id = s.subject_id AND r.as_of = s.as_of
LEFT JOIN gone g ON g.subject_id = s.subject_id AND g.as_of = s.as_of
LEFT JOIN billed b ON b.subject_id = s.subject_id AND b.as_of = s.as_of
LEFT JOIN known_round kr ON kr.code = s.round AND kr.as_of = s.as_of
LEFT JOIN known_courier kc ON kc.code = s.courier AND kc.as_of = s.as_of
LEFT JOIN called c ON c.subject_id = s.subject_id AND c.as_of = s.as_of
