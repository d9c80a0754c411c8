-- The lines that a customer holds as of the instant, taken together.
-- A line is left out once its termination has been seen; its status is an outcome and unknown here.
-- Where lines differ (contract, payment method), the one with the highest fee speaks for all.
WITH ended AS (
    SELECT subject_id, as_of, record_id
    FROM telecom_termination
    GROUP BY subject_id, as_of, record_id
),
line AS (
    SELECT
        s.*,
        row_number() OVER (
            PARTITION BY s.subject_id, s.as_of
            ORDER BY coalesce(s.monthly_fee_base_minor, 0) DESC, s.id
        ) AS place
    FROM telecom_subscription s
    LEFT JOIN ended e
        ON e.subject_id = s.subject_id AND e.as_of = s.as_of AND e.record_id = s.id
    -- A line of the future shows its timeless first day already: it is not held yet.
    WHERE e.record_id IS NULL AND (s.activated_on IS NULL OR s.activated_on <= s.as_of_on)
),
flagged AS (
    SELECT
        l.*,
        -- A month is over on the same day of the next, or on its last day; the file's own figure where
        -- there is no date.
        coalesce(
            (year(l.as_of_on) - year(l.activated_on)) * 12 + month(l.as_of_on) - month(l.activated_on)
                - CASE WHEN day(l.as_of_on) < day(l.activated_on) AND month(l.as_of_on + 1) = month(l.as_of_on) THEN 1 ELSE 0 END,
            l.tenure_months
        ) AS tenure,
        -- Whole between the same days and between last days of months; else a day is a 31st.
        (year(l.contract_ends_on) - year(l.as_of_on)) * 12 + month(l.contract_ends_on) - month(l.as_of_on)
            + CASE
                WHEN month(l.contract_ends_on + 1) <> month(l.contract_ends_on)
                    AND month(l.as_of_on + 1) <> month(l.as_of_on) THEN 0
                ELSE (day(l.contract_ends_on) - day(l.as_of_on)) / 31
            END AS to_end
    FROM line l
)
SELECT
    f.subject_id,
    f.as_of,
    CAST(max(f.tenure) AS BIGINT) AS telecom_tenure_months,
    count(*) AS telecom_subscriptions,
    CAST(sum(coalesce(f.line_count, 1)) AS BIGINT) AS telecom_lines,
    t.contract_type AS telecom_contract_type,
    min(f.to_end) AS telecom_months_to_end,
    -- The same as two features, so that a reason can say either.
    CASE WHEN min(f.to_end) >= 0 THEN min(f.to_end) END AS telecom_contract_months_left,
    CASE WHEN min(f.to_end) < 0 THEN -min(f.to_end) END AS telecom_contract_months_over,
    CASE
        WHEN t.contract_type IS NULL THEN NULL
        WHEN t.contract_type = 'month_to_month' THEN 'free'
        WHEN min(f.to_end) < 0 THEN 'expired'
        WHEN min(f.to_end) <= 3 THEN 'expiring'
        ELSE 'bound'
    END AS telecom_contract_state,
    t.payment_model AS telecom_payment_model,
    t.payment_method AS telecom_payment_method,
    t.internet_service AS telecom_internet_service,
    t.plan_code AS telecom_plan_code,
    bool_or(f.phone_service) AS telecom_phone_service,
    bool_or(f.multiple_lines) AS telecom_multiple_lines,
    bool_or(f.tv_service) AS telecom_tv_service,
    bool_or(f.paperless_billing) AS telecom_paperless_billing,
    bool_or(f.addon_security) AS telecom_addon_security,
    bool_or(f.addon_backup) AS telecom_addon_backup,
    bool_or(f.addon_device_protection) AS telecom_addon_device_protection,
    bool_or(f.addon_tech_support) AS telecom_addon_tech_support,
    bool_or(f.addon_streaming_tv) AS telecom_addon_streaming_tv,
    bool_or(f.addon_streaming_movies) AS telecom_addon_streaming_movies,
    bool_or(f.addon_roaming) AS telecom_addon_roaming,
    bool_or(f.addon_family) AS telecom_addon_family,
    CAST(sum(
        CASE WHEN f.addon_security THEN 1 ELSE 0 END
        + CASE WHEN f.addon_backup THEN 1 ELSE 0 END
        + CASE WHEN f.addon_device_protection THEN 1 ELSE 0 END
        + CASE WHEN f.addon_tech_support THEN 1 ELSE 0 END
        + CASE WHEN f.addon_streaming_tv THEN 1 ELSE 0 END
        + CASE WHEN f.addon_streaming_movies THEN 1 ELSE 0 END
        + CASE WHEN f.addon_roaming THEN 1 ELSE 0 END
        + CASE WHEN f.addon_family THEN 1 ELSE 0 END
    ) AS BIGINT) AS telecom_addon_count,
    CAST(sum(f.monthly_fee_base_minor) AS BIGINT) AS telecom_monthly_fee,
    CAST(sum(f.total_charges_base_minor) AS BIGINT) AS telecom_total_charges
FROM flagged f
JOIN line t ON t.subject_id = f.subject_id AND t.as_of = f.as_of AND t.place = 1
GROUP BY
    f.subject_id, f.as_of, t.contract_type, t.payment_model, t.payment_method, t.internet_service,
    t.plan_code
