-- How many account days agree, how many differ by rounding and how many have a gap.
SELECT
    finding,
    count(*) AS account_days,
    count(DISTINCT account_id) AS accounts,
    CAST(sum(movements) AS BIGINT) AS transactions,
    count(*) / sum(count(*)) OVER () AS share,
    CAST(max(abs(step_minor)) AS BIGINT) AS largest_step_minor,
    CAST(max(abs(difference_minor)) AS BIGINT) AS largest_difference_minor
FROM judged
GROUP BY finding
