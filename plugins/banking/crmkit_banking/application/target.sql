-- The loan that came of the application was in default within a year: a statement shows 90 days past due
-- or a write-off (Basel definition of default). A loan of the applicant that was granted within 90 days
-- of the application is taken for that loan. Of an application without one nothing can be told, and
-- nothing is learnt from one whose inputs came to be known later (its days_before is missing).
WITH lent AS (
    SELECT l.subject_id, l.as_of, l.id
    FROM banking_loan l
    JOIN banking_application a ON a.subject_id = l.subject_id AND a.as_of = l.as_of
    WHERE date_diff('day', a.applied_on, l.granted_on) BETWEEN 0 AND 90 AND a.days_before IS NOT NULL
),
went AS (
    SELECT
        s.subject_id,
        s.as_of,
        max(CASE WHEN s.days_past_due >= 90 OR s.written_off THEN 1 ELSE 0 END) AS label
    FROM banking_loan_statement s
    JOIN lent l ON l.subject_id = s.subject_id AND l.as_of = s.as_of AND l.id = s.record_id
    WHERE s.days_after <= 365
    GROUP BY s.subject_id, s.as_of
)
SELECT p.subject_id, p.as_of, w.label
FROM population p
LEFT JOIN went w ON w.subject_id = p.subject_id AND w.as_of = p.as_of
