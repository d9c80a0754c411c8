-- Shared part: proofs of delivery, how far from the address, and how many by one courier at a time.
pod AS (
    SELECT
        s.owner_id, s.as_of, s.id, s.event_at, s.courier, s.pod_proof, s.pod_relation, s.days_before,
        -- Equirectangular: within 0.1 % of the great circle over a few kilometres. A degree of
        -- latitude is 111,195 m on a sphere of 6,371 km; cos(lat) by its series to the 8th power.
        sqrt(
            power((s.lat - w.address_lat) * 111195.0, 2)
            + power((s.lon - w.address_lon) * 111195.0 * (
                1 - power(w.address_lat * 0.017453292519943295, 2) / 2
                + power(w.address_lat * 0.017453292519943295, 4) / 24
                - power(w.address_lat * 0.017453292519943295, 6) / 720
                + power(w.address_lat * 0.017453292519943295, 8) / 40320
            ), 2)
        ) AS metres
    FROM accepted s
    JOIN delivery_waybill w ON w.id = s.owner_id AND w.as_of = s.as_of
    WHERE s.status = 'delivered'
),
pod_minute AS (
    SELECT
        courier,
        as_of,
        date_diff('minute', TIMESTAMP '2020-01-01 00:00:00', event_at) AS minute,
        count(*) AS pods
    FROM pod
    WHERE courier IS NOT NULL
    GROUP BY courier, as_of, date_diff('minute', TIMESTAMP '2020-01-01 00:00:00', event_at)
),
pod_burst AS (
    -- Deliveries in the ten minutes that end with each minute.
    SELECT a.courier, a.as_of, a.minute, CAST(sum(b.pods) AS BIGINT) AS pods
    FROM pod_minute a
    JOIN pod_minute b
        ON b.courier = a.courier AND b.as_of = a.as_of AND b.minute BETWEEN a.minute - 9 AND a.minute
    GROUP BY a.courier, a.as_of, a.minute
)
