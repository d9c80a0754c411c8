"""What to do when: conditions over features, the churn score and stages (the brief, section 8).

The thirteenth rule of the brief, the alarm on a drifting model, watches the score and not a
customer: the report ``telecom.score-quality`` raises it.
"""

from __future__ import annotations

from crmkit.declarations import Rule

BRIEF = "Telecom brief, section 8, rule"
SUBSCRIBED = "telecom_subscriptions >= 1"

RULES = (
    Rule(
        name="telecom.save-desk",
        title="Asked for the porting code or to cancel",
        title_zh="申请携出或销户",
        when="telecom_port_out_requests_60d + telecom_cancellation_requests_60d >= 1 "
        f"AND {SUBSCRIBED}",
        action="open_case",
        target="save-desk",
        message="[asked {telecom_port_out_requests_60d} times for the porting code in 60 days, ]"
        "[asked {telecom_cancellation_requests_60d} times to cancel in 60 days, ]"
        "call within the hour",
        cooldown_days=14,
        source=f"{BRIEF} 1",
    ),
    Rule(
        name="telecom.contract-end-risk",
        title="Contract ends soon and the risk is high",
        title_zh="合约将到期且风险高",
        when="telecom_months_to_end <= 3 AND band_telecom_churn = 1 AND contact_marketing_by_phone <> 'withdrawn'",
        action="list",
        target="retention",
        message="contract ends in {telecom_months_to_end:.1f} months, probability of leaving "
        "{score_telecom_churn:.0%}: offer within the budget",
        evidence=("telecom_contract_type", "telecom_monthly_fee"),
        cooldown_days=30,
        source=f"{BRIEF} 2",
    ),
    Rule(
        name="telecom.no-contract-risk",
        title="No contract holds the customer and the risk is high",
        title_zh="无合约约束且风险高",
        when="telecom_contract_type = 'month_to_month' AND band_telecom_churn = 1 "
        "AND contact_marketing_by_phone <> 'withdrawn'",
        action="list",
        target="retention",
        message="can leave any month, probability of leaving {score_telecom_churn:.0%}: "
        "offer a contract within the budget",
        evidence=("telecom_tenure_months", "telecom_monthly_fee"),
        cooldown_days=30,
        source=f"{BRIEF} 2",
    ),
    Rule(
        name="telecom.bill-shock",
        title="Bill far above the usual",
        title_zh="账单突增",
        when=f"telecom_bill_shock_ratio >= 1.5 AND {SUBSCRIBED}",
        action="list",
        target="proactive-call",
        message="the last bill is {telecom_bill_shock_ratio:.1f} times the usual: "
        "explain it before the due date",
        evidence=("telecom_bill_amount", "telecom_overage_share_3m"),
        cooldown_days=30,
        source=f"{BRIEF} 3",
    ),
    Rule(
        name="telecom.larger-plan",
        title="Data allowance used up three months running",
        title_zh="连续三月流量将满",
        when=f"telecom_full_months_3m >= 3 AND {SUBSCRIBED}",
        action="list",
        target="larger-plan",
        message="used {telecom_data_use_of_allowance:.0%} of the data allowance over three months: "
        "propose a larger plan",
        cooldown_days=90,
        source=f"{BRIEF} 4",
    ),
    Rule(
        name="telecom.usage-fall",
        title="Usage falls",
        title_zh="使用量下滑",
        when=f"telecom_usage_trend_3m <= -0.3 AND {SUBSCRIBED}",
        action="propose_stage",
        target="at-risk",
        message="usage changed by {telecom_usage_trend_3m:.0%} against the three months before",
        cooldown_days=30,
        source=f"{BRIEF} 5",
    ),
    Rule(
        name="telecom.prepaid-quiet",
        title="Prepaid and quiet for two weeks",
        title_zh="预付费两周未充值",
        when="telecom_payment_model = 'prepaid' AND telecom_days_since_topup >= 14 "
        "AND telecom_days_since_topup < 30 "
        f"AND coalesce(telecom_days_since_usage, 14) >= 14 AND {SUBSCRIBED}",
        action="list",
        target="early-warning",
        message="no top-up for {telecom_days_since_topup} days and no usage since",
        cooldown_days=30,
        source=f"{BRIEF} 5",
    ),
    Rule(
        name="telecom.prepaid-silent",
        title="Prepaid and silent",
        title_zh="预付费沉默",
        when="telecom_payment_model = 'prepaid' AND telecom_days_since_topup >= 30 "
        f"AND coalesce(telecom_days_since_usage, 30) >= 30 AND {SUBSCRIBED}",
        action="propose_stage",
        target="dormant",
        message="no top-up for {telecom_days_since_topup} days and no usage",
        cooldown_days=30,
        source=f"{BRIEF} 5",
    ),
    Rule(
        name="telecom.repeat-contacts",
        title="Came twice with one topic",
        title_zh="同一问题重复来电",
        when="telecom_repeat_contacts_30d >= 2",
        action="open_case",
        target="second-line",
        message="came {telecom_repeat_contacts_30d} times with one topic in 30 days, "
        "[{telecom_unsolved_calls_90d} calls unsolved, ]name an owner",
        cooldown_days=14,
        source=f"{BRIEF} 6",
    ),
    Rule(
        name="telecom.network-trouble",
        title="Poor network",
        title_zh="网络质量差",
        when="(telecom_dropped_call_rate >= 0.02 OR telecom_outage_minutes >= 240) "
        f"AND {SUBSCRIBED}",
        action="list",
        target="network-apology",
        message="{telecom_dropped_call_rate:.1%} of calls broke off, "
        "{telecom_outage_minutes} minutes of outage in the month: apologise and credit, sell nothing",
        cooldown_days=14,
        source=f"{BRIEF} 7",
    ),
    Rule(
        name="telecom.network-no-sales",
        title="Nothing to be sold while the network is poor",
        title_zh="网络差期间暂停营销",
        when="(telecom_dropped_call_rate >= 0.02 OR telecom_outage_minutes >= 240) "
        f"AND {SUBSCRIBED}",
        action="tag",
        target="no-sales",
        message="poor network this month: no sales contact for 14 days",
        evidence=("telecom_dropped_call_rate", "telecom_outage_minutes"),
        cooldown_days=14,
        source=f"{BRIEF} 7",
    ),
    Rule(
        name="telecom.late-payer",
        title="Pays late",
        title_zh="逾期缴费",
        when=f"(telecom_late_payments_12m >= 2 OR telecom_days_overdue >= 30) AND {SUBSCRIBED}",
        action="list",
        target="dunning",
        message="[paid late {telecom_late_payments_12m} times in twelve months, ]"
        "[{telecom_days_overdue} days overdue, ]dunning ladder, no discount",
        cooldown_days=30,
        source=f"{BRIEF} 8",
    ),
    Rule(
        name="telecom.key-account-change",
        title="Key account needs its manager",
        title_zh="大客户预警",
        when="telecom_key_account_tier <> 'none' AND (telecom_bill_change <= -0.2 "
        "OR telecom_months_to_end <= 3 OR coalesce(telecom_days_since_review, 9999) >= 60 "
        f"OR NOT telecom_has_account_manager) AND {SUBSCRIBED}",
        action="alert",
        target="account-manager",
        message="key account of tier {telecom_key_account_tier}: consumption down, "
        "contract about to end, no visit in 60 days or no manager",
        evidence=(
            "telecom_bill_change",
            "telecom_months_to_end",
            "telecom_days_since_review",
            "telecom_has_account_manager",
        ),
        cooldown_days=30,
        source=f"{BRIEF} 9",
    ),
    Rule(
        name="telecom.device-upgrade",
        title="Old device, paid off",
        title_zh="可换机",
        when="telecom_device_age_months >= 24 AND telecom_instalments_paid "
        f"AND contact_marketing_by_phone <> 'withdrawn' AND {SUBSCRIBED}",
        action="list",
        target="upgrade",
        message="device of {telecom_device_age_months} months, nothing owed",
        cooldown_days=180,
        source=f"{BRIEF} 10",
    ),
    Rule(
        name="telecom.household-leaves",
        title="The household leaves",
        title_zh="同户离网",
        when=f"telecom_household_departures_60d >= 3 AND {SUBSCRIBED}",
        action="alert",
        target="topic-alarm",
        message="{telecom_household_departures_60d} customers of the household left in 60 days",
        cooldown_days=60,
        source=f"{BRIEF} 11",
    ),
    Rule(
        name="telecom.neighbourhood-leaves",
        title="Departures in the city doubled",
        title_zh="同城离网翻倍",
        # One in fifty in 60 days beside the doubling: in a small town two after one is no alarm.
        when="telecom_city_departure_ratio >= 2 AND telecom_city_departure_share_60d >= 0.02 "
        f"AND {SUBSCRIBED}",
        action="alert",
        target="topic-alarm",
        message="departures in the city are {telecom_city_departure_ratio:.1f} times those before",
        cooldown_days=60,
        source=f"{BRIEF} 11",
    ),
    Rule(
        name="telecom.win-back",
        title="Left one to six months ago",
        title_zh="可赢回",
        when="telecom_days_since_departure >= 30 AND telecom_days_since_departure <= 180 "
        "AND telecom_departure_kind = 'voluntary' AND contact_marketing_by_phone <> 'withdrawn'",
        action="list",
        target="win-back",
        message="left {telecom_days_since_departure} days ago of their own will: "
        "win-back wave with a control group",
        cooldown_days=180,
        source=f"{BRIEF} 12",
    ),
)
