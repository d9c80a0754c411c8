"""Features of what a customer is and holds: file card, lines, devices, and whether they have left."""

from __future__ import annotations

from collections.abc import Mapping

from crmkit.declarations import Feature
from crmkit.entities import FieldType

TEXT, INTEGER, NUMBER = FieldType.TEXT, FieldType.INTEGER, FieldType.NUMBER
BOOLEAN, MONEY = FieldType.BOOLEAN, FieldType.MONEY


def _flag(
    name: str, title: str, title_zh: str, yes: str = "", no: str = "", *, description: str
) -> Feature:
    words = {"true": yes, "false": no}
    phrase = {value: text for value, text in words.items() if text}
    return Feature(
        name=f"telecom.{name}", type=BOOLEAN, title=title, title_zh=title_zh, phrase=phrase,
        description=description,
    )  # fmt: skip


def _choice(
    name: str, title: str, title_zh: str, phrase: Mapping[str, str] | str = "", *, description: str
) -> Feature:
    return Feature(
        name=f"telecom.{name}", type=TEXT, title=title, title_zh=title_zh, phrase=phrase,
        description=description,
    )  # fmt: skip


CUSTOMER = (
    _flag(
        "senior",
        "Senior citizen",
        "老年客户",
        "is a senior citizen",
        description="As the customer's file states it.",
    ),
    _flag(
        "partner",
        "Has a partner",
        "有配偶",
        no="lives without a partner",
        description="As the customer's file states it.",
    ),
    _flag(
        "dependants",
        "Has dependants",
        "有受抚养人",
        no="has no dependants",
        description="As the customer's file states it.",
    ),
    Feature(
        name="telecom.key_account_tier",
        type=TEXT,
        title="Key account tier",
        title_zh="大客户等级",
        missing="none",
        description="As the customer's file states it; none where it says nothing.",
    ),
    Feature(
        name="telecom.has_account_manager",
        type=BOOLEAN,
        title="Has an account manager",
        title_zh="有客户经理",
        missing=False,
        description="An account manager is named in the customer's file.",
    ),
)

SUBSCRIPTION = (
    Feature(
        name="telecom.tenure_months",
        type=INTEGER,
        unit="month",
        title="Tenure",
        title_zh="在网时长",
        description="Whole months since the oldest line was activated, or as the file states it.",
        phrase="months as a customer: {value}",
    ),
    Feature(
        name="telecom.subscriptions",
        type=INTEGER,
        unit="subscription",
        title="Subscriptions",
        title_zh="用户数",
        missing=0,
        description="Held as of the date, those that have ended left out.",
    ),
    Feature(
        name="telecom.lines",
        type=INTEGER,
        unit="line",
        title="Lines",
        title_zh="号码数",
        missing=0,
        description="Numbers of all subscriptions; one where the subscription does not say.",
    ),
    _choice(
        "contract_type",
        "Contract",
        "合约类型",
        {
            "month_to_month": "has no contract and can leave any month",
            "12m": "has a one-year contract",
            "24m": "has a two-year contract",
            "36m": "has a three-year contract",
        },
        description="Of the line with the highest fee.",
    ),
    Feature(
        name="telecom.months_to_end",
        type=NUMBER,
        unit="month",
        title="Months to the end of the contract",
        title_zh="距合约到期月数",
        description="Of the line whose contract ends first; negative when it has run out.",
    ),
    Feature(
        name="telecom.contract_months_left",
        type=NUMBER,
        unit="month",
        title="Months left in the contract",
        title_zh="合约剩余月数",
        phrase="the contract ends in {value:.1f} months",
        description="Of the line whose contract ends first, in whole months and 31sts; missing once it has run out.",
    ),
    Feature(
        name="telecom.contract_months_over",
        type=NUMBER,
        unit="month",
        title="Months since the contract ran out",
        title_zh="合约过期月数",
        phrase="the contract ran out {value:.1f} months ago",
        description="Of the line whose contract ends first, in whole months and 31sts; missing while it runs.",
    ),
    _choice(
        "contract_state",
        "State of the contract",
        "合约状态",
        {
            "expired": "the contract has run out",
            "expiring": "the contract ends within three months",
        },
        description="Free without a term; expired, expiring within three months, or bound, by the contract that ends first.",
    ),
    _choice(
        "payment_model",
        "Payment model",
        "付费方式",
        {"prepaid": "pays in advance"},
        description="Prepaid or postpaid, of the line with the highest fee.",
    ),
    _choice(
        "payment_method",
        "Payment method",
        "支付方式",
        {
            "e_check": "pays by electronic check",
            "mailed_check": "pays by mailed check",
            "cash": "pays in cash",
            "top_up": "pays by top-up",
            "card_auto": "pays by card automatically",
            "bank_auto": "pays by bank transfer automatically",
        },
        description="Of the line with the highest fee.",
    ),
    _choice(
        "internet_service",
        "Internet service",
        "宽带类型",
        {
            "fiber": "has fibre broadband",
            "dsl": "has DSL broadband",
            "cable": "has cable broadband",
            "none": "has no broadband",
        },
        description="Of the line with the highest fee.",
    ),
    _choice("plan_code", "Plan", "套餐代码", description="Of the line with the highest fee."),
    _flag(
        "phone_service",
        "Phone service",
        "电话业务",
        no="has no phone service",
        description="Any subscription has a phone service.",
    ),
    _flag(
        "multiple_lines",
        "Multiple lines",
        "多条线路",
        "has several phone lines",
        description="Any subscription has several phone lines.",
    ),
    _flag(
        "tv_service",
        "TV service",
        "电视业务",
        no="has no television service",
        description="Any subscription has a television service.",
    ),
    _flag(
        "paperless_billing",
        "Paperless billing",
        "电子账单",
        "is billed without paper",
        description="Any subscription is billed without paper.",
    ),
    _flag(
        "addon_security",
        "Online security",
        "网络安全",
        no="has no online security",
        description="Any of the customer's lines has online security.",
    ),
    _flag(
        "addon_backup",
        "Online backup",
        "云备份",
        no="has no online backup",
        description="Any of the customer's lines has online backup.",
    ),
    _flag(
        "addon_device_protection",
        "Device protection",
        "设备保险",
        no="has no device protection",
        description="Any of the customer's lines has device protection.",
    ),
    _flag(
        "addon_tech_support",
        "Technical support",
        "技术支持",
        no="has no technical support",
        description="Any of the customer's lines has technical support.",
    ),
    _flag(
        "addon_streaming_tv",
        "Streaming TV",
        "流媒体电视",
        "streams television",
        description="Any of the customer's lines has the television service.",
    ),
    _flag(
        "addon_streaming_movies",
        "Streaming movies",
        "流媒体电影",
        "streams movies",
        description="Any of the customer's lines has the movie service.",
    ),
    _flag(
        "addon_roaming",
        "Roaming pack",
        "漫游包",
        description="Any of the customer's lines has a roaming pack.",
    ),
    _flag(
        "addon_family",
        "Family pack",
        "家庭包",
        no="shares no family pack",
        description="Any of the customer's lines is in a family pack.",
    ),
    Feature(
        name="telecom.addon_count",
        type=INTEGER,
        unit="service",
        title="Add-on services",
        title_zh="增值业务数",
        missing=0,
        phrase="holds {value} add-on services",
        description="Add-ons of all lines; two lines with the same one count twice.",
    ),
    Feature(
        name="telecom.monthly_fee",
        type=MONEY,
        unit="money/month",
        title="Monthly fee",
        title_zh="月费",
        description="Recurring charges of all lines in minor units; missing in another currency than the analysis.",
        phrase="pays a monthly fee of {value}",
    ),
    Feature(
        name="telecom.total_charges",
        type=MONEY,
        unit="money",
        title="Charges to date",
        title_zh="累计费用",
        description="As the source file states them, in minor units; missing in the first month.",
        phrase="has been charged {value} to date",
    ),
)

DEVICE = (
    Feature(
        name="telecom.device_age_months",
        type=INTEGER,
        unit="month",
        title="Age of the device",
        title_zh="终端机龄",
        phrase="uses a device of {value} months",
        description="Of the newest device, in whole months.",
    ),
    Feature(
        name="telecom.instalments_paid",
        type=BOOLEAN,
        title="Device is paid",
        title_zh="分期已付清",
        phrase={"true": "owes nothing for the device"},
        description="Nothing is owed for any device.",
    ),
)

DEPARTURE = (
    Feature(
        name="telecom.days_since_departure",
        type=INTEGER,
        unit="day",
        title="Days since the last line ended",
        title_zh="离网天数",
        description="Since the last termination, once every line has ended.",
    ),
    _choice(
        "departure_kind",
        "How the last line ended",
        "离网类别",
        description="Voluntary, involuntary or another kind, of the last termination once every line has ended.",
    ),
)
