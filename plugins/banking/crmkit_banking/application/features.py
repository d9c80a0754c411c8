"""Features of an application: inputs of the card, and what policy and fairness look at."""

from __future__ import annotations

from collections.abc import Mapping

from crmkit import resource_text
from crmkit.declarations import Feature, FeatureSet
from crmkit.entities import FieldType

from ..measures import field_descriptions

SUBJECT = "banking.application"
# The bureau's codes for "no answer", each of which tells something else.
BUREAU_CODES = {
    -7.0: "no usable trade lines",
    -8.0: "no record of that kind",
    -9.0: "no bureau file",
}
SOURCE = "Lending file and bureau report; classes of the German credit file (UCI 144)"
# A feature states a field as it stood, so the field's own words say what it is.
WORDS = {
    "application": field_descriptions("application"),
    "applicant": field_descriptions("customer")
    | {
        "age": "Full years since the date of birth, else as the file states it.",
        "unknown": "Age, debt service to income or the state of the identification is not known, and "
        "the bank's policy does not let it be.",
    },
}


def _text(
    name: str, title: str, title_zh: str, phrase: str | Mapping[str, str], of: str = "application"
) -> Feature:
    return Feature(
        name=f"banking.{of}_{name}", type=FieldType.TEXT, title=title, title_zh=title_zh,
        phrase=phrase, description=WORDS[of][name],
    )  # fmt: skip


def _number(
    name: str, title: str, title_zh: str, unit: str, phrase: str, *, kind: str = "integer",
    special: Mapping[float, str] | None = None, of: str = "application",
) -> Feature:  # fmt: skip
    return Feature(
        name=f"banking.{of}_{name}", type=FieldType(kind), unit=unit, title=title,
        title_zh=title_zh, phrase=phrase, special=special or {}, description=WORDS[of][name],
    )  # fmt: skip


def _flag(
    name: str, title: str, title_zh: str, phrase: Mapping[str, str] | str = "",
    of: str = "application",
) -> Feature:  # fmt: skip
    return Feature(
        name=f"banking.{of}_{name}", type=FieldType.BOOLEAN, title=title, title_zh=title_zh,
        phrase=phrase, description=WORDS[of][name],
    )  # fmt: skip


# Phrases are the reasons that an applicant is told, so they say what it is about this applicant.
INPUTS = (
    _text("checking_status", "Current account", "活期账户状态", {
        "below_0": "the current account is overdrawn",
        "below_200": "the balance of the current account is low",
        "from_200": "the current account", "none": "there is no current account",
    }),
    _text("credit_history", "Credit history", "信用记录", {
        "none_taken": "there is no record of loans repaid",
        "all_paid_here": "loans with this bank alone are on record",
        "paid_till_now": "the record of running loans is short",
        "past_delay": "earlier loans were paid late",
        "critical": "the record of credit is critical",
    }),
    _text("savings_band", "Savings", "储蓄", {
        "none": "no savings are known", "below_100": "savings are low",
        "below_500": "savings are low", "below_1000": "savings", "from_1000": "savings",
    }),
    _text("employment_band", "Years employed", "在职年限", {
        "unemployed": "there is no employment", "below_1": "employed for less than a year",
        "below_4": "employed for less than four years",
        "below_7": "employed for less than seven years", "from_7": "years employed",
    }),
    _text("product", "Product", "产品", "the kind of loan is {value}"),
    _text("purpose", "Purpose", "用途", "loans for this purpose ({value}) are lost more often"),
    _number("amount", "Amount", "申请金额", "money", "the amount of {value} is unfavourable",
            kind="money"),
    _number("term_months", "Term", "期限", "month", "the term of {value} months is long"),
    _number("instalment_rate", "Instalment rate", "还款收入比等级", "1",
            "the instalment takes a large part of the income (class {value} of 4)"),
    _text("other_debtors", "Other debtors", "共同债务人", {
        "none": "there is no guarantor", "co_applicant": "there is a co-applicant",
        "guarantor": "the guarantor",
    }),
    _number("residence_years", "Years at the address", "现址年限", "year",
            "{value} years at the address"),
    _text("property", "Property", "财产", {
        "none": "no property is known", "car": "a car is the most valuable property",
        "savings_agreement": "a savings agreement is the most valuable property",
        "real_estate": "property",
    }),
    _text("other_plans", "Other instalment plans", "其他分期", {
        "bank": "there are instalment plans with other banks",
        "stores": "there are instalment plans with stores", "none": "other instalment plans",
    }),
    _text("housing", "Housing", "居住情况", {
        "rent": "the home is rented", "free": "the home is not owned", "own": "housing",
        "mortgage": "the home carries a mortgage", "family": "the home is not owned",
    }),
    _number("existing_credits", "Loans here", "本行贷款数", "1", "{value} loans with this bank"),
    _text("job", "Job", "职业", "the class of the job ({value}) is unfavourable"),
    _number("dependants", "Dependants", "受抚养人数", "person", "{value} persons to maintain"),
    _flag("telephone", "Telephone", "电话", {
        "false": "no telephone is registered", "true": "telephone",
    }),
    _number("income", "Income", "月收入", "money/month", "the monthly income is {value}",
            kind="money"),
    _number("dti", "Debt to income", "债务收入比", "1", "debt is {value:.0%} of a year's income",
            kind="number"),
    _number("dsti", "Debt service to income", "偿债收入比", "1",
            "debt service takes {value:.0%} of the income", kind="number"),
    _number("free_income", "Free income", "可支配收入", "money/month",
            "the income left after debt service is {value}", kind="money"),
    _number("bureau_score", "Bureau score", "征信评分", "1", "the bureau's score is {value}",
            special=BUREAU_CODES),
    _number("bureau_delinquencies_24m", "Delinquencies in 24 months", "两年逾期次数", "1",
            "{value} payments were late in 24 months", special=BUREAU_CODES),
    _number("bureau_inquiries_6m", "Inquiries in 6 months", "半年查询次数", "1",
            "{value} credit inquiries in six months", special=BUREAU_CODES),
    _number("bureau_open_lines", "Open credit lines", "未结清授信", "1",
            "{value} credit lines are open", special=BUREAU_CODES),
    _number("bureau_months_on_file", "Months on file", "征信记录月数", "month",
            "the bureau has known the applicant for {value} months", special=BUREAU_CODES),
)  # fmt: skip

# Looked at by policy and by the fairness report; no score may read the protected fields behind them.
APPLICANT = (
    _number("age", "Age of the applicant", "申请人年龄", "year", "", of="applicant"),
    _flag("bankrupt", "Insolvency open", "破产程序中", of="applicant"),
    _text("kyc_status", "Identification", "身份核验状态", "", of="applicant"),
    _flag("unknown", "Policy lacks something", "政策信息缺失", of="applicant"),
    _text("gender", "Gender of the applicant", "申请人性别", "", of="applicant"),
    _text("marital", "Marital status of the applicant", "申请人婚姻状况", "", of="applicant"),
    _text("nationality", "Nationality of the applicant", "申请人国籍", "", of="applicant"),
    _flag("foreign_worker", "Applicant is a foreign worker", "外籍务工", of="applicant"),
)
PROTECTED = tuple(
    f"banking.customer.{name}"
    for name in ("gender", "marital", "age_years", "born_on", "nationality", "foreign_worker")
)

FEATURE_SETS = (
    FeatureSet(
        name="banking.application_data",
        sql=resource_text(__package__, "features.sql"),
        features=INPUTS,
        subject=SUBJECT,
        source=SOURCE,
        owner="credit risk",
    ),
    FeatureSet(
        name="banking.applicant",
        sql=resource_text(__package__, "policy.sql"),
        features=APPLICANT,
        subject=SUBJECT,
        source="Customer file; Regulation B 12 CFR 1002.6(b) on protected characteristics",
        owner="credit risk",
    ),
)
