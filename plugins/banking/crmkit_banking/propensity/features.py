"""Features of an offer, known before the customer is spoken to."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import Feature, FeatureSet
from crmkit.entities import FieldType

from ..measures import field_descriptions

SUBJECT = "banking.offer"
WORDS = field_descriptions("offer")
# Features that are named otherwise than the field that they state.
FIELDS = {
    "age": "age_years",
    "balance": "balance_year",
    "month": "contact_month",
    "day": "contact_day",
}


def _feature(
    name: str, kind: str, title: str, title_zh: str, unit: str | None = None, phrase: str = ""
) -> Feature:
    return Feature(
        name=f"banking.offer_{name}", type=FieldType(kind), unit=unit, title=title,
        title_zh=title_zh, phrase=phrase, description=WORDS[FIELDS.get(name, name)],
    )  # fmt: skip


INPUTS = (
    _feature("age", "integer", "Age", "年龄", "year", "{value} years old"),
    _feature("job", "text", "Occupation", "职业"),
    _feature("marital", "text", "Marital status", "婚姻状况"),
    _feature("education", "text", "Education", "教育程度"),
    _feature("in_default", "boolean", "Has credit in default", "有违约"),
    _feature("balance", "money", "Average balance of a year", "年均余额", "money"),
    _feature("housing_loan", "boolean", "Has a housing loan", "住房贷款"),
    _feature("personal_loan", "boolean", "Has a personal loan", "个人贷款"),
    _feature("medium", "text", "Medium of the contact", "联系方式"),
    # The month is a season and not a quantity: months of few calls are those of the best answers.
    _feature("month", "integer", "Month of the contact", "联系月份", "1"),
    _feature("day", "integer", "Day of the month", "联系日", "1"),
    _feature("contacts", "integer", "Contacts in this campaign", "本次联系次数", "1"),
    _feature("contacts_before", "integer", "Contacts before", "以往联系次数", "1"),
    _feature("days_since_contact", "integer", "Days since the last contact", "距上次联系天数", "day",
             "last spoken to {value} days ago"),
    _feature("outcome_before", "text", "Outcome of the earlier campaign", "上次结果"),
)  # fmt: skip

# Where a source fills it with the deciding talk, it is a leak (design D13): no input of the score.
TALK = _feature("talk_seconds", "integer", "Length of the last talk", "最近通话时长", "s")

FEATURE_SETS = (
    FeatureSet(
        name="banking.offer_data",
        sql=resource_text(__package__, "features.sql"),
        features=(*INPUTS, TALK),
        subject=SUBJECT,
        source="Moro, Cortez & Rita 2014, Decision Support Systems 62",
        owner="campaigns",
    ),
)
