"""What puts a customer on the watch list (the brief, section 9, rules 3 to 5)."""

from __future__ import annotations

from crmkit.declarations import Rule

BRIEF = "Banking brief, section 9, rule"
# A balance below this (minor units) may halve on any payday: a swing of it says nothing.
WORTH_WATCHING = 50_000

RULES = (
    Rule(
        name="banking.watch-withdrawal",
        title="Unusual withdrawal",
        title_zh="异常取现",
        when="banking_unusual_withdrawal",
        action="open_case",
        target="banking.watch:withdrawal",
        message="withdrew {banking_withdrawal_today_minor} in one go, where "
        "{banking_withdrawal_bound_minor} would be the most: call back within the hour",
        evidence=("banking_unusual_transaction",),
        cooldown_days=7,
        source=f"{BRIEF} 3",
    ),
    Rule(
        name="banking.watch-card-use",
        title="Unusual card use",
        title_zh="异常用卡",
        when="banking_unusual_card_payment OR banking_new_country IS NOT NULL "
        "OR banking_atm_draws_today > 5",
        action="open_case",
        target="banking.watch:card_use",
        message="used the card unusually today: a payment above the bound, a country that is new, or "
        "more than five draws: call back within the hour",
        evidence=(
            "banking_unusual_transaction",
            "banking_card_payment_today_minor",
            "banking_card_payment_bound_minor",
        ),
        cooldown_days=7,
        source=f"{BRIEF} 3",
    ),
    Rule(
        name="banking.watch-about-to-close",
        title="About to close",
        title_zh="临近销户",
        when="banking_balance_change_30d <= -0.6 "
        f"AND banking_average_balance_before_minor >= {WORTH_WATCHING} "
        "AND (banking_salary_stopped OR banking_orders_cancelled_30d >= 2 "
        "OR banking_moved_away_30d_minor > 0) AND banking_open_accounts >= 1",
        action="open_case",
        target="banking.departure:about_to_close",
        message="the balance changed by {banking_balance_change_30d:+.0%} in 30 days and the customer "
        "stops the salary, cancels orders or moves money to the own name elsewhere: "
        "the owner calls within two days",
        evidence=("banking_days_since_salary",),
        cooldown_days=60,
        source=f"{BRIEF} 4",
    ),
    Rule(
        name="banking.watch-income-drop",
        title="Income collapsed",
        title_zh="收入骤降",
        when="banking_income_change_3m <= -0.4 AND banking_open_accounts >= 1",
        action="list",
        target="watch-list",
        message="the income changed by {banking_income_change_3m:+.0%} over three months: no limit increase",
        evidence=("banking_days_since_salary",),
        cooldown_days=90,
        source=f"{BRIEF} 5",
    ),
    Rule(
        name="banking.watch-balance-drop",
        title="Balance collapsed",
        title_zh="余额骤降",
        when="banking_average_balance_change <= -0.5 "
        f"AND banking_average_balance_before_minor >= {WORTH_WATCHING} AND banking_open_accounts >= 1",
        action="list",
        target="watch-list",
        message="the mean balance changed by {banking_average_balance_change:+.0%}: no limit increase",
        cooldown_days=90,
        source=f"{BRIEF} 5",
    ),
    Rule(
        name="banking.no-limit-increase",
        title="No limit increase",
        title_zh="暂停提额",
        when="(banking_income_change_3m <= -0.4 OR banking_average_balance_change <= -0.5 "
        f"AND banking_average_balance_before_minor >= {WORTH_WATCHING}) AND banking_open_accounts >= 1",
        action="tag",
        target="no-limit-increase",
        message="income or balance collapsed: no limit increase",
        cooldown_days=90,
        source=f"{BRIEF} 5",
    ),
)
