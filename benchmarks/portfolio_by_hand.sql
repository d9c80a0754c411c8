-- A scorecard as an analyst writes it: points by band, added up, and the probability of the sum.
WITH pointed AS (
    SELECT
        id,
        410
        + CASE
            WHEN bureau_score IS NULL THEN 20
            WHEN bureau_score = -9 THEN 11
            WHEN bureau_score <= 450 THEN 0
            WHEN bureau_score <= 560 THEN 17
            WHEN bureau_score <= 640 THEN 31
            WHEN bureau_score <= 720 THEN 48
            ELSE 66
        END
        + CASE
            WHEN income IS NULL THEN 9
            WHEN income <= 120000 THEN 0
            WHEN income <= 210000 THEN 12
            WHEN income <= 340000 THEN 21
            ELSE 30
        END
        + CASE
            WHEN term_months IS NULL THEN 10
            WHEN term_months <= 12 THEN 33
            WHEN term_months <= 24 THEN 20
            WHEN term_months <= 42 THEN 8
            ELSE 0
        END
        + CASE
            WHEN dsti IS NULL THEN 7
            WHEN dsti <= 0.15 THEN 25
            WHEN dsti <= 0.30 THEN 16
            WHEN dsti <= 0.45 THEN 6
            ELSE 0
        END
        + CASE
            WHEN months_on_file IS NULL THEN 4
            WHEN months_on_file <= 24 THEN 0
            WHEN months_on_file <= 96 THEN 9
            ELSE 18
        END
        + CASE
            WHEN housing IS NULL THEN 5
            WHEN housing = 'family' THEN 6
            WHEN housing = 'mortgage' THEN 14
            WHEN housing = 'own' THEN 17
            WHEN housing = 'rent' THEN 0
            ELSE 5
        END
        + CASE
            WHEN employment IS NULL THEN 8
            WHEN employment = 'permanent' THEN 19
            WHEN employment = 'public' THEN 24
            WHEN employment = 'self_employed' THEN 5
            WHEN employment = 'student' THEN 3
            ELSE 0
        END
        + CASE
            WHEN purpose IS NULL THEN 7
            WHEN purpose = 'car' THEN 12
            WHEN purpose = 'furniture' THEN 8
            WHEN purpose = 'repairs' THEN 4
            ELSE 0
        END AS points
    FROM read_parquet($file)
)
SELECT id, 1 / (1 + exp((points - 501.8622) / 28.8539)) AS pd
FROM pointed
