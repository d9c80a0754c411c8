"""What banking keeps: customer fields, record types and interaction kinds.

The fields themselves stand in ``schemas/``, one JSON Schema each. A *record* has a state that
changes (an account, a loan, an application); an *interaction* is something that happened once (a
transaction, a repayment, a visit). Signs: of a transaction, money out of the account is negative.
"""

from __future__ import annotations

from typing import Any

from crmkit import resource_json
from crmkit.declarations import CustomerFields, InteractionKind, RecordType

ACCOUNT, LOAN, CARD = "banking.account", "banking.loan", "banking.card"
APPLICATION, BRANCH = "banking.application", "banking.branch"

# (name, owner, title, title_zh), owners before what they own; branches belong to nobody.
RECORDS = (
    ("branch", None, "Branch", "网点"),
    ("assumption", None, "Assumption", "假设"),
    ("account", "customer", "Account", "账户"),
    ("disposition", "customer", "Right to an account", "账户权限"),
    ("standing_order", ACCOUNT, "Standing order", "定期转账"),
    ("term_deposit", "customer", "Term deposit", "定期存款"),
    ("loan", "customer", "Loan", "贷款"),
    ("collateral", LOAN, "Collateral", "抵质押物"),
    ("impairment", LOAN, "Impairment", "减值"),
    ("card", "customer", "Card", "银行卡"),
    ("application", "customer", "Loan application", "贷款申请"),
    ("decision", APPLICATION, "Credit decision", "信贷决策"),
    ("credit_policy", None, "Credit policy", "信贷政策"),
    ("scorecard_line", None, "Line of a scorecard", "评分卡明细"),
    ("model_check", None, "Check of a model", "模型监控"),
    ("watch_item", "customer", "Watch list item", "关注名单"),
    ("offer", "customer", "Offer", "产品邀约"),
)
# A decision that has been taken is never changed: an override is a decision of its own.
APPEND_ONLY = frozenset({"decision", "scorecard_line"})
# What a command makes of other data and nobody types.
FILED_BY = {
    "decision": "decision take", "credit_policy": "decision policy", "impairment": "impairment file", "scorecard_line": "score run",
    "model_check": "scorecard monitor",
}  # fmt: skip
# What a branch does as a whole belongs to no customer.
ANONYMOUS = frozenset({"cash_day"})

# What a bank earns of a customer is the result of a month; transactions move the customer's own money.
EARNED = {"monthly_result": ("net_interest", "fees")}

# (name, subject, title, title_zh)
KINDS = (
    ("transaction", ACCOUNT, "Transaction", "交易"),
    ("repayment", LOAN, "Repayment", "还款"),
    ("loan_statement", LOAN, "Loan at the end of a month", "贷款月末状况"),
    ("card_statement", CARD, "Card statement", "信用卡账单"),
    ("monthly_result", None, "Result of a month", "月度损益"),
    ("cash_day", BRANCH, "Cash of a branch's day", "网点日现金"),
    ("account_closure", ACCOUNT, "Account closed", "销户"),
    ("bureau_report", None, "Bureau report", "征信报告"),
    ("counter_visit", None, "Visit at the counter", "柜台业务"),
    ("adviser_meeting", None, "Meeting with the adviser", "理财经理面谈"),
    ("loan_application", APPLICATION, "Applied for a loan", "提交贷款申请"),
    ("loan_decision_notice", APPLICATION, "Told of the decision", "贷款结果通知"),
    ("repayment_reminder", LOAN, "Repayment reminder", "还款提醒"),
    ("collections_call", LOAN, "Collections call", "催收电话"),
    ("hardship_request", LOAN, "Hardship request", "困难申请"),
    ("card_problem", CARD, "Card lost or blocked", "挂失与锁卡"),
    ("disputed_transaction", ACCOUNT, "Disputed transaction", "交易争议"),
    ("fraud_alert", ACCOUNT, "Fraud alert", "欺诈预警"),
    ("limit_change_request", None, "Limit change request", "调额申请"),
    ("product_offer", None, "Product offer and its outcome", "产品营销及结果"),
    ("kyc_review", None, "Identification review", "身份重检"),
    ("closing_request", ACCOUNT, "Account closing request", "销户申请"),
    ("complaint", None, "Complaint", "投诉"),
    ("branch_appointment", None, "Appointment at a branch", "网点预约"),
    ("annual_review", None, "Annual review", "年度检视"),
    ("maturity_call", None, "Maturity call", "到期电话"),
)


def customer_fields() -> CustomerFields:
    """Fields that banking adds to every customer."""
    return CustomerFields(_schema("customer"))


def record_types() -> list[RecordType]:
    """Every record type, owners before what they own."""
    return [
        RecordType(
            name=f"banking.{name}",
            schema=_schema(name),
            owner=owner,
            append_only=name in APPEND_ONLY,
            filed_by=FILED_BY.get(name, ""),
            title=title,
            title_zh=title_zh,
        )
        for name, owner, title, title_zh in RECORDS
    ]


def interaction_kinds() -> list[InteractionKind]:
    """Every kind of banking interaction."""
    return [
        InteractionKind(
            name=f"banking.{name}",
            schema=_schema(name),
            subject=subject,
            anonymous=name in ANONYMOUS,
            revenue=EARNED.get(name, ()),
            title=title,
            title_zh=title_zh,
        )
        for name, subject, title, title_zh in KINDS
    ]


def _schema(name: str) -> Any:
    return resource_json(__package__, f"schemas/{name}.json")
