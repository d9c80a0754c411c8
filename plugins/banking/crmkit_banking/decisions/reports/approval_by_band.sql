banded AS (
    SELECT CAST(floor(points / 20) * 20 AS BIGINT) AS points_from, outcome, bad
    FROM standing
)
SELECT
    points_from,
    points_from + 19 AS points_to,
    count(*) AS applications,
    count_if(outcome = 'approve') AS approved,
    count_if(outcome = 'refer') AS referred,
    count_if(outcome = 'decline') AS declined,
    count_if(outcome = 'approve') / count(*) AS approval_rate,
    count(bad) AS outcomes_known,
    coalesce(CAST(sum(bad) AS BIGINT), 0) AS bads,
    sum(bad) / nullif(count(bad), 0) AS bad_rate,
    sum(CASE WHEN outcome = 'approve' THEN bad END)
        / nullif(count(CASE WHEN outcome = 'approve' THEN bad END), 0) AS bad_rate_approved,
    sum(count_if(outcome = 'decline')) OVER () / sum(count(*)) OVER () AS reject_share
FROM banded
GROUP BY points_from
