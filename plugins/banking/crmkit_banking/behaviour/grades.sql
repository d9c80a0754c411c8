-- Grades of the behaviour score against what became of them: the latest run whose six months have passed.
WITH run AS (
    SELECT
        subject_id,
        value,
        days_before,
        min(days_before) OVER () AS latest,
        row_number() OVER (PARTITION BY subject_id, days_before ORDER BY run DESC) AS place
    FROM outcome
    WHERE name = 'banking.behaviour' AND value IS NOT NULL AND days_before >= 184
),
judged AS (
    SELECT
        subject_id,
        value,
        days_before,
        CASE
            WHEN value < 0.005 THEN 'G1' WHEN value < 0.01 THEN 'G2' WHEN value < 0.02 THEN 'G3'
            WHEN value < 0.04 THEN 'G4' WHEN value < 0.08 THEN 'G5' WHEN value < 0.16 THEN 'G6'
            WHEN value < 0.32 THEN 'G7' ELSE 'G8'
        END AS grade
    FROM run
    WHERE place = 1 AND days_before = latest
),
defaulted AS (
    SELECT j.subject_id
    FROM judged j
    JOIN banking_loan_statement s ON s.subject_id = j.subject_id
        AND s.days_before BETWEEN j.days_before - 184 AND j.days_before - 1
        AND (s.days_past_due >= 90 OR s.written_off)
    GROUP BY j.subject_id
),
graded AS (
    SELECT
        j.grade,
        count(*) AS customers,
        count(d.subject_id) AS defaults,
        avg(j.value) AS expected,
        count(d.subject_id) / count(*) AS observed
    FROM judged j
    LEFT JOIN defaulted d ON d.subject_id = j.subject_id
    GROUP BY j.grade
),
-- Wilson's interval of a share at 95 %.
bounded AS (
    SELECT
        *,
        (observed + 1.9208 / customers) / (1 + 3.8416 / customers) AS middle,
        1.96 * sqrt(observed * (1 - observed) / customers + 0.9604 / (customers * customers))
            / (1 + 3.8416 / customers) AS half
    FROM graded
)
SELECT
    grade,
    customers,
    defaults,
    expected,
    observed,
    middle - half AS low,
    middle + half AS high,
    observed / nullif(expected, 0) AS observed_expected,
    expected BETWEEN middle - half AND middle + half AS holds
FROM bounded
