"""What a bank's activities cost, for contribution."""

from __future__ import annotations

from crmkit.declarations import CostDriver

EXAMPLE = "crmkit, an example in units of the workspace's currency; set the bank's own: crmkit value set-cost"

# (driver, kind, channel, field of a quantity, cost, title, title_zh)
_DRIVERS = (
    ("counter_transaction", "transaction", "counter", "", "1.50", "Transaction at the counter", "柜台交易"),
    ("phone_transaction", "transaction", "phone", "", "2.00", "Transaction by telephone", "电话交易"),
    ("web_transaction", "transaction", "web", "", "0.05", "Transaction on the web", "网银交易"),
    ("app_transaction", "transaction", "app", "", "0.04", "Transaction in the app", "手机银行交易"),
    ("system_transaction", "transaction", "system", "", "0.03", "Automatic transaction", "系统交易"),
    ("counter_minute", "counter_visit", None, "minutes", "0.90", "Minute at the counter", "柜台每分钟"),
    ("adviser_minute", "adviser_meeting", None, "minutes", "1.20", "Minute of the adviser", "理财经理每分钟"),
    ("appointment", "branch_appointment", None, "", "5.00", "Appointment", "预约"),
    ("complaint", "complaint", None, "", "12.00", "Complaint", "投诉处理"),
    ("loan_application", "loan_application", None, "", "60.00", "Loan application", "贷款申请处理"),
    ("loan_statement", "loan_statement", None, "", "0.60", "Loan of a month", "贷款月管理"),
    ("card_statement", "card_statement", None, "", "0.80", "Card statement", "信用卡账单"),
    ("reminder", "repayment_reminder", None, "", "0.80", "Repayment reminder", "还款提醒"),
    ("collections_call", "collections_call", None, "", "6.00", "Collections call", "催收电话"),
    ("kyc_review", "kyc_review", None, "", "15.00", "Identification review", "身份重检"),
)  # fmt: skip

COST_DRIVERS = tuple(
    CostDriver(
        name=f"banking.{name}", kind=f"banking.{kind}", channel=channel,
        per="quantity" if field else "interaction", field=field, cost=cost, title=title,
        title_zh=title_zh, source=EXAMPLE,
    )
    for name, kind, channel, field, cost, title, title_zh in _DRIVERS
)  # fmt: skip
