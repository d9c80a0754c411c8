-- Loans whose status a file states once and for all, as the Berka file does; in order of granting, so that
-- the later ones test what the earlier ones taught. A loan has had a year to go bad: those granted in the
-- last year of the file are left out, for of them nothing is known yet.
WITH stated AS (
    SELECT subject_id, as_of, status, granted_on, max(granted_on) OVER () AS last_on
    FROM banking_loan
    WHERE status IS NOT NULL AND granted_on IS NOT NULL
)
SELECT
    subject_id,
    as_of,
    CASE WHEN status IN ('finished_unpaid', 'running_in_debt', 'written_off') THEN 1 ELSE 0 END AS label,
    date_diff('day', make_date(1970, 1, 1), granted_on) AS position
FROM stated
WHERE date_diff('day', granted_on, last_on) >= 365
