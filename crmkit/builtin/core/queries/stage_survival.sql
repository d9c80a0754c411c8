-- How long stays in a stage last: one row per stage and number of days after which a stay ended or
-- was last seen, with how many did. A stay that goes on is last seen at its age.
SELECT
    stay.stage AS part,
    coalesce(stay.ended_after, stay.age) AS duration,
    count(*) AS stays,
    count(stay.ended_after) AS ended
FROM (
    SELECT
        c.to_stage AS stage,
        c.days_before AS age,
        c.days_before - lead(c.days_before) OVER (
            PARTITION BY c.subject_id ORDER BY c.at, c.id
        ) AS ended_after
    FROM stage_change c
    WHERE c.lifecycle = $lifecycle
) stay
WHERE $stage IS NULL OR stay.stage = $stage
GROUP BY stay.stage, coalesce(stay.ended_after, stay.age)
