person AS (
    SELECT
        s.id,
        s.outcome,
        s.bad,
        c.gender,
        c.marital,
        c.nationality,
        c.foreign_worker,
        CASE
            WHEN c.born_on IS NULL THEN c.age_years
            ELSE CAST(floor(date_diff('day', c.born_on, c.as_of_on) / 365.25) AS BIGINT)
        END AS age
    FROM standing s
    JOIN banking_customer c ON c.subject_id = s.subject_id AND c.as_of = s.as_of
),
grouped AS (
    SELECT id, outcome, bad, 'gender' AS attribute, gender AS member FROM person
    UNION ALL
    SELECT id, outcome, bad, 'marital status' AS attribute, marital AS member FROM person
    UNION ALL
    SELECT
        id,
        outcome,
        bad,
        'nationality' AS attribute,
        coalesce(nationality, CASE
            WHEN foreign_worker THEN 'foreign worker' WHEN NOT foreign_worker THEN 'no foreign worker'
        END) AS member
    FROM person
    UNION ALL
    SELECT
        id,
        outcome,
        bad,
        'age' AS attribute,
        CASE
            WHEN age <= 25 THEN 'to 25' WHEN age <= 40 THEN '26 to 40' WHEN age <= 60 THEN '41 to 60'
            WHEN age > 60 THEN 'over 60'
        END AS member
    FROM person
),
counted AS (
    SELECT
        attribute,
        member,
        count(*) AS applications,
        count_if(outcome = 'approve') AS approved,
        count_if(outcome = 'decline') AS declined,
        count_if(outcome = 'approve') / count(*) AS approval_rate,
        count(bad) AS outcomes_known,
        avg(bad) AS bad_rate,
        count(CASE WHEN bad = 0 AND outcome <> 'approve' THEN 1 END)
            / nullif(count(CASE WHEN bad = 0 THEN 1 END), 0) AS goods_not_approved,
        count(CASE WHEN bad = 1 AND outcome = 'approve' THEN 1 END)
            / nullif(count(CASE WHEN bad = 1 THEN 1 END), 0) AS bads_approved
    FROM grouped
    WHERE member IS NOT NULL
    GROUP BY attribute, member
)
SELECT
    *,
    -- Against the group with the highest rate among those of 30 or more; under 0.8 is looked into.
    approval_rate / nullif(max(CASE WHEN applications >= 30 THEN approval_rate END)
        OVER (PARTITION BY attribute), 0) AS impact_ratio
FROM counted
