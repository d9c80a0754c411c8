-- Key accounts and what they need of their manager: consumption, contract, visits, coverage.
WITH account AS (
    SELECT
        t.subject_id,
        t.key_account_tier AS tier,
        coalesce(t.account_manager, 'nobody') AS manager,
        f.telecom_bill_amount AS bill,
        f.telecom_bill_change AS change,
        f.telecom_months_to_end AS months_to_end,
        f.telecom_days_since_review AS review_days,
        f.telecom_lines AS lines,
        coalesce(f.telecom_bill_change <= -$fall, false) AS falls,
        coalesce(f.telecom_months_to_end <= $months_to_end, false) AS ends,
        coalesce(f.telecom_days_since_review, 99999) >= $visit_days AS unvisited,
        t.account_manager IS NULL AS unmanaged
    FROM telecom_customer t
    JOIN feature f ON f.subject_id = t.subject_id
    WHERE t.key_account_tier <> 'none' AND f.telecom_subscriptions >= 1
)
SELECT
    subject_id AS customer_id,
    tier,
    manager,
    lines,
    bill AS bill_minor,
    change AS bill_change_rate,
    months_to_end,
    review_days,
    CASE WHEN falls THEN 1 ELSE 0 END + CASE WHEN ends THEN 1 ELSE 0 END
        + CASE WHEN unvisited THEN 1 ELSE 0 END + CASE WHEN unmanaged THEN 1 ELSE 0 END AS alerts,
    -- Each ground begins with a separator; the first one's is cut off.
    substring(
        CASE WHEN falls THEN '; consumption fell' ELSE '' END
        || CASE WHEN ends THEN '; contract ends or has ended' ELSE '' END
        || CASE WHEN unvisited THEN '; no review lately' ELSE '' END
        || CASE WHEN unmanaged THEN '; no manager' ELSE '' END,
        3
    ) AS why
FROM account
WHERE NOT $only_alerts OR falls OR ends OR unvisited OR unmanaged
