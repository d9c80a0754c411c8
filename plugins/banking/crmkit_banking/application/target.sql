-- The loan that came of the application went into default within a year: 90 days past due at a
-- month's end, or written off (Basel definition of default).
SELECT
    p.subject_id,
    p.as_of,
    1 AS label
FROM population p
JOIN banking_application a ON a.subject_id = p.subject_id AND a.as_of = p.as_of
JOIN banking_loan l
    ON l.subject_id = a.subject_id AND l.as_of = a.as_of AND l.defaulted_on IS NOT NULL
    AND date_diff('day', a.as_of_on, l.defaulted_on) BETWEEN 1 AND 365
GROUP BY p.subject_id, p.as_of
