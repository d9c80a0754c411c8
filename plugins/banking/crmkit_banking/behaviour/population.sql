-- Customers with a running loan that is not in default.
SELECT subject_id, as_of
FROM (
    SELECT
        subject_id,
        as_of,
        outstanding_base_minor,
        days_past_due,
        coalesce(written_off, false) AS written_off,
        days_before,
        row_number() OVER (
            PARTITION BY subject_id, as_of, record_id ORDER BY occurred_at DESC, id DESC
        ) AS place
    FROM banking_loan_statement
) s
WHERE place = 1 AND days_before <= 45
GROUP BY subject_id, as_of
HAVING max(days_past_due) < 90 AND NOT bool_or(written_off) AND sum(outstanding_base_minor) > 0
