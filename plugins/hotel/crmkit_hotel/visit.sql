begun AS (
    -- A stay that begins while another of the guest lasts, as the second of two rooms, opens no visit.
    SELECT
        s.subject_id, s.as_of, s.as_of_on, s.id, s.checked_out_on, s.benefits_given,
        coalesce(s.checked_in_on, s.checked_out_on) AS checked_in_on,
        coalesce(s.nights, date_diff('day', s.checked_in_on, s.checked_out_on)) AS nights,
        lag(coalesce(s.checked_in_on, s.checked_out_on)) OVER (
            PARTITION BY s.subject_id, s.as_of
            ORDER BY coalesce(s.checked_in_on, s.checked_out_on), s.checked_out_on, s.id
        ) AS before_in_on,
        max(s.checked_out_on) OVER (
            PARTITION BY s.subject_id, s.as_of
            ORDER BY coalesce(s.checked_in_on, s.checked_out_on), s.checked_out_on, s.id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before_out_on
    FROM hotel_stay s
    WHERE s.checked_out_on <= s.as_of_on
),
numbered AS (
    SELECT
        *,
        sum(CASE WHEN checked_in_on < before_out_on OR checked_in_on = before_in_on THEN 0 ELSE 1 END) OVER (
            PARTITION BY subject_id, as_of ORDER BY checked_in_on, checked_out_on, id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS nth
    FROM begun
),
visit AS (
    -- Completed stays of a guest, those that overlap as one.
    SELECT
        subject_id,
        as_of,
        as_of_on,
        nth,
        min(id) AS id,
        min(checked_in_on) AS checked_in_on,
        max(checked_out_on) AS checked_out_on,
        CAST(sum(nights) AS BIGINT) AS nights,
        count_if(benefits_given = false) AS without_benefits
    FROM numbered
    GROUP BY subject_id, as_of, as_of_on, nth
)
