SELECT
    CASE WHEN $by = 'courier' THEN coalesce(courier, 'nobody') WHEN $by = 'round' THEN coalesce(round, 'none') ELSE 'all' END
        AS part,
    date_diff('day', started_on, CASE WHEN ended_on <= as_of_on THEN ended_on ELSE as_of_on END) // 30 AS duration,
    count(*) AS stays,
    CAST(sum(CASE WHEN ended_on <= as_of_on THEN 1 ELSE 0 END) AS BIGINT) AS ended
FROM delivery_subscription
WHERE started_on <= as_of_on
GROUP BY
    CASE WHEN $by = 'courier' THEN coalesce(courier, 'nobody') WHEN $by = 'round' THEN coalesce(round, 'none') ELSE 'all' END,
    date_diff('day', started_on, CASE WHEN ended_on <= as_of_on THEN ended_on ELSE as_of_on END) // 30
