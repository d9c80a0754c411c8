-- The stage in which every customer ought to be, and the first ground for it.
-- Three months: the first bills are seen; twelve: the first anniversary of a contract.
WITH line AS (
    SELECT
        subject_id,
        as_of,
        count(*) AS lines,
        count_if(status IN ('terminated', 'ported_out')) AS ended,
        max(CASE WHEN status NOT IN ('terminated', 'ported_out') THEN activated_on END) AS newest_on,
        max(CASE WHEN status IN ('terminated', 'ported_out') THEN ended_on END) AS ended_on
    FROM telecom_subscription
    WHERE activated_on IS NULL OR activated_on <= as_of_on
    GROUP BY subject_id, as_of
),
known AS (
    SELECT
        p.subject_id,
        p.as_of,
        coalesce(l.lines, 0) AS lines,
        coalesce(l.ended, 0) AS ended,
        coalesce(l.newest_on > l.ended_on, false) AS back,
        coalesce(f.telecom_tenure_months, 0) AS tenure,
        f.telecom_port_out_requests_60d + f.telecom_cancellation_requests_60d AS requests,
        f.telecom_complaints_90d AS complaints,
        f.telecom_usage_trend_3m AS trend,
        f.telecom_bill_shock_3m AS shock,
        f.telecom_days_since_usage AS silent,
        f.telecom_days_since_topup AS no_topup,
        f.telecom_payment_model AS payment_model
    FROM population p
    LEFT JOIN line l ON l.subject_id = p.subject_id AND l.as_of = p.as_of
    LEFT JOIN feature f ON f.subject_id = p.subject_id AND f.as_of = p.as_of
),
judged AS (
    SELECT
        *,
        CASE
            WHEN lines = 0 THEN 'no line yet'
            WHEN lines = ended THEN 'every line has ended'
            -- Usage comes once a month, so silence shows when a summary stays away for half a month.
            WHEN silent >= 45 THEN 'days without usage: ' || CAST(silent AS VARCHAR)
            WHEN payment_model = 'prepaid' AND no_topup >= 30 AND coalesce(silent, 30) >= 30
                THEN 'prepaid and silent'
            WHEN requests >= 1 THEN 'asked for the porting code or to cancel'
            WHEN complaints >= 2 THEN 'complaints in 90 days: ' || CAST(complaints AS VARCHAR)
            WHEN trend <= -0.3 THEN 'usage fell by three tenths or more'
            WHEN shock >= 1.5 THEN 'a bill was half again the usual or more'
            WHEN back AND tenure < 6 THEN 'came back after leaving'
            ELSE 'months as a customer: ' || CAST(tenure AS VARCHAR)
        END AS reason
    FROM known
)
SELECT
    subject_id,
    as_of,
    CASE
        WHEN lines = 0 THEN 'prospect'
        WHEN lines = ended THEN 'left'
        WHEN silent >= 45 THEN 'dormant'
        WHEN payment_model = 'prepaid' AND no_topup >= 30 AND coalesce(silent, 30) >= 30 THEN 'dormant'
        WHEN requests >= 1 OR complaints >= 2 OR trend <= -0.3 OR shock >= 1.5 THEN 'at-risk'
        WHEN back AND tenure < 6 THEN 'won-back'
        WHEN tenure < 3 THEN 'activated'
        WHEN tenure < 12 THEN 'growing'
        ELSE 'established'
    END AS stage,
    reason
FROM judged
