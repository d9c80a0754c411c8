, scored AS (
    -- The last score by each of the two month ends, in eight grades of the probability of default.
    SELECT
        subject_id,
        CASE WHEN days_before >= 28 * $months THEN 1 ELSE 0 END AS side,
        CASE
            WHEN value < 0.005 THEN 'G1' WHEN value < 0.01 THEN 'G2' WHEN value < 0.02 THEN 'G3'
            WHEN value < 0.04 THEN 'G4' WHEN value < 0.08 THEN 'G5' WHEN value < 0.16 THEN 'G6'
            WHEN value < 0.32 THEN 'G7' ELSE 'G8'
        END AS grade,
        row_number() OVER (
            PARTITION BY subject_id, CASE WHEN days_before >= 28 * $months THEN 1 ELSE 0 END
            ORDER BY days_before, run DESC
        ) AS place
    FROM outcome
    WHERE name = 'banking.behaviour' AND value IS NOT NULL
),
graded AS (
    SELECT
        p.*,
        CASE
            WHEN $by = 'stage' THEN CASE
                WHEN p.from_stage IS NULL THEN 'granted'
                WHEN p.was_written_off THEN 'written off' ELSE CAST(p.from_stage AS VARCHAR) END
            ELSE coalesce(a.grade, 'none')
        END AS from_class,
        CASE
            WHEN $by = 'stage' THEN CASE
                WHEN p.to_stage IS NULL THEN 'repaid'
                WHEN p.written_off THEN 'written off' ELSE CAST(p.to_stage AS VARCHAR) END
            ELSE coalesce(b.grade, 'none')
        END AS to_class
    FROM paired p
    LEFT JOIN scored a ON a.subject_id = p.subject_id AND a.side = 1 AND a.place = 1
    LEFT JOIN scored b ON b.subject_id = p.subject_id AND b.side = 0 AND b.place = 1
)
SELECT
    from_class,
    to_class,
    count(*) AS loans,
    count(*) / sum(count(*)) OVER (PARTITION BY from_class) AS share,
    CAST(sum(from_ead) AS BIGINT) AS from_ead_minor,
    CAST(sum(to_ead) AS BIGINT) AS to_ead_minor,
    CAST(round(sum(to_ecl - from_ecl) + 0.000001) AS BIGINT) AS ecl_change_minor
FROM graded
GROUP BY from_class, to_class
