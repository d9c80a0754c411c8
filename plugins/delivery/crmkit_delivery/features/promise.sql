-- What a promise rests on (D-R6): the rule and version by which it was made, and whether the
-- destination works on the day for which it was made, by the calendar as it is now.
WITH closed AS (
    SELECT z.code, z.as_of, d.day AS closed_on
    FROM delivery_zone z
    JOIN delivery_calendar_day d ON d.calendar = z.calendar AND d.as_of = z.as_of
    WHERE NOT d.working
    GROUP BY z.code, z.as_of, d.day
)
SELECT
    w.subject_id,
    w.as_of,
    w.promise_at IS NULL AS delivery_promise_lacking,
    w.promise_rule AS delivery_promise_rule,
    c.closed_on IS NOT NULL AS delivery_promise_on_holiday
FROM delivery_waybill w
LEFT JOIN closed c ON c.code = w.dest_zone AND c.closed_on = w.promise_on AND c.as_of = w.as_of
