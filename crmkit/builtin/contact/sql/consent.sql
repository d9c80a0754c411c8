-- What holds for calls with offers: a withdrawal that speaks of them holds until a later consent that
-- is at least as particular lifts it, as the policy reads the ledger.
WITH said AS (
    SELECT
        c.subject_id, c.as_of, c.id, c.state, c.channel, c.purpose, c.at AS said_at
    FROM contact_consent c
    WHERE c.channel IN ('phone', 'any') AND c.purpose IN ('marketing', 'any')
),
lifted AS (
    SELECT DISTINCT w.subject_id, w.as_of, w.id
    FROM said w
    JOIN said g ON g.subject_id = w.subject_id AND g.as_of = w.as_of
        AND g.state = 'given' AND g.said_at > w.said_at
        AND (g.channel <> 'any' OR w.channel = 'any')
        AND (g.purpose <> 'any' OR w.purpose = 'any')
    WHERE w.state = 'withdrawn'
)
SELECT
    s.subject_id,
    s.as_of,
    CASE
        WHEN count(CASE WHEN s.state = 'withdrawn' AND l.id IS NULL THEN 1 END) > 0 THEN 'withdrawn'
        WHEN count(CASE WHEN s.state = 'given' THEN 1 END) > 0 THEN 'given'
        ELSE 'unknown'
    END AS contact_marketing_by_phone
FROM said s
LEFT JOIN lifted l ON l.subject_id = s.subject_id AND l.as_of = s.as_of AND l.id = s.id
GROUP BY s.subject_id, s.as_of
