-- What the customer's own file card says.
SELECT
    c.subject_id,
    c.as_of,
    c.senior AS telecom_senior,
    c.partner AS telecom_partner,
    c.dependants AS telecom_dependants,
    coalesce(c.key_account_tier, 'none') AS telecom_key_account_tier,
    c.account_manager IS NOT NULL AS telecom_has_account_manager
FROM telecom_customer c
