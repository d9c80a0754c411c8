, step AS (
    SELECT
        CASE
            WHEN from_stage IS NULL THEN '2 granted'
            WHEN to_stage IS NULL THEN '3 repaid'
            WHEN written_off AND NOT was_written_off THEN '4 written off'
            WHEN to_stage > from_stage THEN '5 to a worse stage'
            WHEN to_stage < from_stage THEN '6 to a better stage'
            ELSE '7 within its stage'
        END AS step,
        from_ecl,
        to_ecl
    FROM paired
)
SELECT step, count(*) AS loans, CAST(round(sum(to_ecl - from_ecl) + 0.000001) AS BIGINT) AS amount_minor
FROM step
GROUP BY step
UNION ALL
SELECT '1 opening' AS step, count(*) FILTER (WHERE from_stage IS NOT NULL AND NOT was_written_off) AS loans,
    CAST(round(coalesce(sum(from_ecl), 0) + 0.000001) AS BIGINT) AS amount_minor
FROM paired
UNION ALL
SELECT '8 closing' AS step, count(*) FILTER (WHERE to_stage IS NOT NULL AND NOT written_off) AS loans,
    CAST(round(coalesce(sum(to_ecl), 0) + 0.000001) AS BIGINT) AS amount_minor
FROM paired
