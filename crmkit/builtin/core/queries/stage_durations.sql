-- Quantiles of how long stays in a stage lasted, and of the age of those that go on.
WITH stay AS (
    SELECT
        c.subject_id,
        c.id,
        c.to_stage AS stage,
        c.days_before AS age,
        c.days_before - lead(c.days_before) OVER (
            PARTITION BY c.subject_id ORDER BY c.at, c.id
        ) AS days
    FROM stage_change c
    WHERE c.lifecycle = $lifecycle
),
ranked AS (
    SELECT
        stage,
        days,
        age,
        row_number() OVER (PARTITION BY stage, days IS NULL ORDER BY coalesce(days, age), id) AS place,
        count(*) OVER (PARTITION BY stage, days IS NULL) AS stays
    FROM stay
)
SELECT
    stage,
    count(days) AS ended,
    min(CASE WHEN place * 4 >= stays THEN days END) AS p25_days,
    min(CASE WHEN place * 2 >= stays THEN days END) AS median_days,
    min(CASE WHEN place * 4 >= stays * 3 THEN days END) AS p75_days,
    count_if(days IS NULL) AS ongoing,
    min(CASE WHEN days IS NULL AND place * 2 >= stays THEN age END) AS ongoing_median_days
FROM ranked
GROUP BY stage
