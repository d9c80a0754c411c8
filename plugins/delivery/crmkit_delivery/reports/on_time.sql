-- On time, gross and net, of every promise that fell due within the days asked for (W3).
WITH sliced AS (
    SELECT
        CASE
            WHEN $by = 'product' THEN coalesce(d.product, 'unknown')
            WHEN $by = 'service' THEN coalesce(d.service, 'unknown')
            WHEN $by = 'scope' THEN coalesce(d.scope, 'unknown')
            WHEN $by = 'lane' THEN coalesce(d.lane, 'unknown')
            WHEN $by = 'route' THEN coalesce(d.route, 'unknown')
            WHEN $by = 'depot' THEN coalesce(d.depot, 'unknown')
            WHEN $by = 'department' THEN coalesce(d.department, 'unknown')
            WHEN $by = 'region' THEN coalesce(d.region, d.dest_zone, p.region, 'unknown')
            WHEN $by = 'shipper' THEN coalesce(d.shipper_code, 'unknown')
            WHEN $by = 'month' THEN coalesce(substring(CAST(d.promise_on AS VARCHAR), 1, 7), 'unknown')
            ELSE 'all'
        END AS slice,
        d.delivered_at, d.on_time, d.on_time_net,
        CASE WHEN d.on_time = 1 AND d.damaged_at IS NULL THEN 1 ELSE 0 END AS in_full
    FROM due d
    -- Where the waybill names no zone, the customer's region is where it goes.
    LEFT JOIN customer p ON p.subject_id = d.subject_id AND p.as_of = d.as_of
    WHERE $days = 0 OR date_diff('day', d.promise_on, d.as_of_on) < $days
),
counted AS (
    SELECT
        slice,
        count(*) AS due,
        count(delivered_at) AS delivered,
        CAST(sum(on_time) AS BIGINT) AS on_time,
        CAST(sum(on_time_net) AS BIGINT) AS on_time_net,
        CAST(sum(in_full) AS BIGINT) AS in_full,
        count(*) FILTER (WHERE on_time = 0 AND on_time_net = 1) AS excused
    FROM sliced
    GROUP BY slice
),
rates AS (
    SELECT *, on_time * 1.0 / due AS gross, on_time_net * 1.0 / due AS net, in_full * 1.0 / due AS otif
    FROM counted
)
SELECT
    slice,
    due,
    delivered,
    on_time,
    excused,
    gross AS on_time_rate,
    wilson_low(gross, due) AS on_time_low,
    wilson_high(gross, due) AS on_time_high,
    net AS on_time_net_rate,
    wilson_low(net, due) AS on_time_net_low,
    wilson_high(net, due) AS on_time_net_high,
    otif AS in_full_rate,
    wilson_low(otif, due) AS in_full_low,
    wilson_high(otif, due) AS in_full_high
FROM rates
