-- Whose consent to offers holds, for one channel at least: given for marketing, and every withdrawal that
-- speaks of the channel lifted by a later consent that is at least as particular, as the policy reads the
-- ledger. 'any' stands for the channels that nobody named.
said AS (
    SELECT c.subject_id, c.as_of, c.id, c.channel, c.purpose, c.state, c.at AS said_at
    FROM contact_consent c
    WHERE c.purpose IN ('marketing', 'any')
),
named AS (
    SELECT DISTINCT subject_id, as_of, channel FROM said
),
heard AS (
    SELECT n.channel AS by_channel, s.*
    FROM named n
    JOIN said s ON s.subject_id = n.subject_id AND s.as_of = n.as_of AND s.channel IN (n.channel, 'any')
),
lifted AS (
    SELECT DISTINCT w.subject_id, w.as_of, w.by_channel, w.id
    FROM heard w
    JOIN heard g ON g.subject_id = w.subject_id AND g.as_of = w.as_of AND g.by_channel = w.by_channel
        AND g.state = 'given' AND g.said_at > w.said_at
        AND (g.channel <> 'any' OR w.channel = 'any')
        AND (g.purpose <> 'any' OR w.purpose = 'any')
    WHERE w.state = 'withdrawn'
),
open_channel AS (
    SELECT h.subject_id, h.as_of, h.by_channel
    FROM heard h
    LEFT JOIN lifted l ON l.subject_id = h.subject_id AND l.as_of = h.as_of
        AND l.by_channel = h.by_channel AND l.id = h.id
    GROUP BY h.subject_id, h.as_of, h.by_channel
    HAVING count(CASE WHEN h.state = 'given' THEN 1 END) > 0
        AND count(CASE WHEN h.state = 'withdrawn' AND l.id IS NULL THEN 1 END) = 0
),
consented AS (
    SELECT DISTINCT subject_id, as_of FROM open_channel
)
