-- Monthly usage summaries: level, fit to the allowance, trend, and what the network gave.
WITH month AS (
    SELECT
        subject_id,
        as_of,
        period_starts_on,
        min(days_before) AS days_before,
        sum(data_gb) AS data_gb,
        sum(voice_out_min) AS voice_min,
        sum(coalesce(data_gb, 0) + coalesce(voice_out_min, 0) + coalesce(sms, 0)) AS activity,
        -- Lines without a limit are left out of both sides of the share.
        sum(CASE WHEN data_allowance_gb > 0 THEN data_gb END)
            / nullif(sum(data_allowance_gb), 0) AS data_fit,
        sum(CASE WHEN voice_allowance_min > 0 THEN voice_out_min END)
            / nullif(sum(voice_allowance_min), 0) AS voice_fit,
        max(dropped_call_rate) AS dropped,
        max(outage_minutes) AS outage,
        min(downlink_mbps) AS downlink,
        sum(roaming_days) AS roaming_days,
        sum(distinct_contacts) AS contacts,
        avg(offnet_share) AS offnet_share
    FROM telecom_usage
    GROUP BY subject_id, as_of, period_starts_on
),
placed AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY subject_id, as_of ORDER BY days_before, period_starts_on DESC
        ) AS place
    FROM month
),
summed AS (
    SELECT
        subject_id,
        as_of,
        count(*) AS months,
        avg(CASE WHEN place <= 3 THEN data_fit END) AS data_fit,
        avg(CASE WHEN place <= 3 THEN voice_fit END) AS voice_fit,
        sum(CASE WHEN place <= 3 AND data_fit >= 0.8 THEN 1 ELSE 0 END) AS full_months,
        avg(CASE WHEN place BETWEEN 2 AND 4 THEN data_gb END) AS usual_data_gb,
        avg(CASE WHEN place BETWEEN 2 AND 4 THEN voice_min END) AS usual_voice_min,
        -- Summaries without any usage: silent at least since the oldest of them.
        coalesce(min(CASE WHEN activity > 0 THEN days_before END), max(days_before))
            AS days_since_usage,
        max(CASE WHEN place <= 2 THEN dropped END) AS dropped,
        CAST(sum(CASE WHEN place <= 3 THEN outage ELSE 0 END) AS BIGINT) AS outage,
        CAST(sum(CASE WHEN place <= 3 THEN roaming_days ELSE 0 END) AS BIGINT) AS roaming_days,
        avg(CASE WHEN place <= 3 THEN offnet_share END) AS offnet_share
    FROM placed
    GROUP BY subject_id, as_of
),
latest AS (
    SELECT
        p.*,
        p.data_gb / nullif(s.usual_data_gb, 0) AS data_ratio,
        p.voice_min / nullif(s.usual_voice_min, 0) AS voice_ratio
    FROM placed p
    JOIN summed s ON s.subject_id = p.subject_id AND s.as_of = p.as_of
    WHERE p.place = 1
)
SELECT
    s.subject_id,
    s.as_of,
    l.data_gb AS telecom_data_gb,
    l.voice_min AS telecom_voice_min,
    s.data_fit AS telecom_data_use_of_allowance,
    s.voice_fit AS telecom_voice_use_of_allowance,
    CAST(s.full_months AS BIGINT) AS telecom_full_months_3m,
    -- The mean of the data and the voice change, or the one there is; needs four months.
    CASE WHEN s.months >= 4 THEN
        (coalesce(l.data_ratio, l.voice_ratio) + coalesce(l.voice_ratio, l.data_ratio)) / 2 - 1
    END AS telecom_usage_trend_3m,
    s.days_since_usage AS telecom_days_since_usage,
    s.dropped AS telecom_dropped_call_rate,
    s.outage AS telecom_outage_minutes_3m,
    l.outage AS telecom_outage_minutes,
    l.downlink AS telecom_downlink_mbps,
    s.roaming_days AS telecom_roaming_days_3m,
    l.contacts AS telecom_distinct_contacts,
    s.offnet_share AS telecom_offnet_share
FROM summed s
JOIN latest l ON l.subject_id = s.subject_id AND l.as_of = s.as_of
