-- Applications whose outcome is known, with dates or without: label 1 where the loan went bad. The
-- place in time is the day of the application, where the file has it.
SELECT
    subject_id,
    as_of,
    CASE WHEN bad THEN 1 ELSE 0 END AS label,
    date_diff('day', make_date(2000, 1, 1), applied_on) AS position
FROM banking_application
WHERE bad IS NOT NULL
