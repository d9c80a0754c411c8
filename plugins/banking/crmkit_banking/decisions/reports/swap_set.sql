-- What two cards say of the same application: those whom only the champion would take, those whom
-- only the challenger would, and how either group turned out.
WITH latest AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY owner_id, role ORDER BY decided_at DESC, id DESC) AS place
    FROM banking_decision
    WHERE decided_by = 'system'
),
both_cards AS (
    SELECT
        champion.proposed AS champion,
        challenger.proposed AS challenger,
        CASE WHEN a.bad THEN 1 WHEN NOT a.bad THEN 0 END AS bad
    FROM latest champion
    JOIN latest challenger
        ON challenger.owner_id = champion.owner_id AND challenger.as_of = champion.as_of
        AND challenger.role = 'challenger' AND challenger.place = 1
    JOIN banking_application a ON a.id = champion.owner_id AND a.as_of = champion.as_of
    WHERE champion.role = 'champion' AND champion.place = 1
)
SELECT
    champion,
    challenger,
    CASE
        WHEN champion = challenger THEN 'same'
        WHEN challenger = 'approve' THEN 'swapped in'
        WHEN champion = 'approve' THEN 'swapped out'
        ELSE 'other'
    END AS swap,
    count(*) AS applications,
    count(*) / sum(count(*)) OVER () AS share,
    count(bad) AS outcomes_known,
    avg(bad) AS bad_rate
FROM both_cards
GROUP BY champion, challenger
