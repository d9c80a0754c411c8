-- Whose consent to offers holds: given for marketing, by any channel, and not withdrawn since.
said AS (
    SELECT c.subject_id, c.as_of, c.id, c.channel, c.purpose, c.state, c.at AS said_at
    FROM contact_consent c
    WHERE c.purpose IN ('marketing', 'any')
),
revoked AS (
    SELECT DISTINCT g.subject_id, g.as_of, g.id
    FROM said g
    JOIN said w ON w.subject_id = g.subject_id AND w.as_of = g.as_of AND w.said_at >= g.said_at
        AND w.channel IN (g.channel, 'any') AND w.purpose IN (g.purpose, 'any')
    WHERE g.state = 'given' AND w.state = 'withdrawn'
),
consented AS (
    SELECT g.subject_id, g.as_of
    FROM said g
    LEFT JOIN revoked r ON r.subject_id = g.subject_id AND r.as_of = g.as_of AND r.id = g.id
    WHERE g.state = 'given' AND r.id IS NULL
    GROUP BY g.subject_id, g.as_of
)
