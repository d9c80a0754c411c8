-- The add-on that customers like this one hold most often, for those who do not hold it yet.
-- Alike are those with the same internet service, payment model and tenure band. The share of
-- holders is drawn towards that of the whole base by twenty customers' weight, so that a group of
-- three does not top the list.
WITH base AS (
    SELECT
        subject_id,
        coalesce(telecom_internet_service, 'unknown') AS internet,
        coalesce(telecom_payment_model, 'unknown') AS model,
        CASE WHEN telecom_tenure_months < 12 THEN 0 WHEN telecom_tenure_months < 36 THEN 1 ELSE 2 END
            AS tenure_band,
        contact_marketing_by_phone <> 'withdrawn' AND telecom_complaints_90d = 0
            AND coalesce(telecom_dropped_call_rate, 0) < 0.02
            AND telecom_days_overdue < 30 AS sellable,
        telecom_addon_security AS security,
        telecom_addon_backup AS backup,
        telecom_addon_device_protection AS device_protection,
        telecom_addon_tech_support AS tech_support,
        telecom_addon_streaming_tv AS streaming_tv,
        telecom_addon_streaming_movies AS streaming_movies,
        telecom_addon_roaming AS roaming,
        telecom_addon_family AS family
    FROM feature
    WHERE telecom_subscriptions >= 1
),
held AS (
    SELECT *, 'security' AS addon, security AS holds FROM base
    UNION ALL SELECT *, 'backup', backup FROM base
    UNION ALL SELECT *, 'device_protection', device_protection FROM base
    UNION ALL SELECT *, 'tech_support', tech_support FROM base
    UNION ALL SELECT *, 'streaming_tv', streaming_tv FROM base
    UNION ALL SELECT *, 'streaming_movies', streaming_movies FROM base
    UNION ALL SELECT *, 'roaming', roaming FROM base
    UNION ALL SELECT *, 'family', family FROM base
),
whole AS (
    SELECT addon, count_if(holds) / count(*) AS share
    FROM held
    WHERE holds IS NOT NULL
    GROUP BY addon
),
peers AS (
    SELECT
        h.addon,
        h.internet,
        h.model,
        h.tenure_band,
        count(*) AS peers,
        count_if(h.holds) AS holders,
        (count_if(h.holds) + 20 * max(w.share)) / (count(*) + 20) AS share,
        max(w.share) AS whole_share
    FROM held h
    JOIN whole w ON w.addon = h.addon
    WHERE h.holds IS NOT NULL
    GROUP BY h.addon, h.internet, h.model, h.tenure_band
),
best AS (
    SELECT
        h.subject_id,
        h.addon,
        p.peers,
        p.holders,
        p.share,
        p.share / nullif(p.whole_share, 0) AS lift,
        row_number() OVER (PARTITION BY h.subject_id ORDER BY p.share DESC, h.addon) AS place
    FROM held h
    JOIN peers p
        ON p.addon = h.addon AND p.internet = h.internet AND p.model = h.model
        AND p.tenure_band = h.tenure_band
    WHERE h.sellable AND NOT h.holds AND p.share > 0
),
listed AS (
    SELECT *, row_number() OVER (ORDER BY share DESC, subject_id) AS place_in_list
    FROM best
    WHERE place = 1
)
SELECT
    place_in_list,
    subject_id AS customer_id,
    addon,
    peers,
    holders,
    share AS peer_share,
    lift
FROM listed
WHERE place_in_list <= $most
