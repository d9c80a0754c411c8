-- The sheet of a card as filed: the version asked for, or the latest of each score.
WITH numbered AS (
    SELECT
        *,
        max(card_version) OVER (PARTITION BY score) AS latest
    FROM banking_scorecard_line
)
SELECT
    score,
    card_version,
    line,
    input,
    bin,
    training_rows,
    bads,
    bads / nullif(training_rows, 0) AS bad_rate,
    woe,
    iv,
    sum(iv) OVER (PARTITION BY score, card_version, input) AS iv_of_input,
    points
FROM numbered
WHERE card_version = CASE WHEN $version = 0 THEN latest ELSE $version END
