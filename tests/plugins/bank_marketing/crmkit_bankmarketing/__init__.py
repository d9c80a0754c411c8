"""The public bank marketing set as a plugin: who takes a term deposit when called.

The length of the deciding call is known only when it is over. It is declared twice, once as if it
were known in time and once as what it is, so that the alarm and the wall can both be seen at work.
"""

from __future__ import annotations

import json
from pathlib import Path

from crmkit import hookimpl
from crmkit.declarations import CustomerFields, Feature, FeatureSet, ImportProfile, Score
from crmkit.entities import FieldType

HERE = Path(__file__).parent
NUMBERS = {
    "age": "year", "balance": "EUR", "day": "1", "campaign": "1", "pdays": "day", "previous": "1",
}  # fmt: skip
TEXTS = (
    "job", "marital", "education", "credit_default", "housing", "loan", "contact", "month",
    "poutcome",
)  # fmt: skip
HONEST = tuple(f"bankmarketing.{name}" for name in (*NUMBERS, *TEXTS))
DURATION, DURATION_AFTER = "bankmarketing.duration", "bankmarketing.duration_after"


@hookimpl
def register_customer_fields() -> CustomerFields:
    """What the file has of each call."""
    return CustomerFields(json.loads((HERE / "customer.json").read_text(encoding="utf-8")))


@hookimpl
def register_profiles() -> list[ImportProfile]:
    """The file as published."""
    text = (HERE / "bank-marketing.toml").read_text(encoding="utf-8")
    return [ImportProfile(name="bank-marketing", text=text)]


@hookimpl
def register_features() -> list[FeatureSet]:
    """The columns as they stand."""
    features = [
        *(Feature(name=f"bankmarketing.{n}", type=FieldType.INTEGER, unit=u) for n, u in NUMBERS.items()),
        *(Feature(name=f"bankmarketing.{n}", type=FieldType.TEXT) for n in TEXTS),
        Feature(name=DURATION, type=FieldType.INTEGER, unit="s"),
    ]  # fmt: skip
    columns = ", ".join(feature.name.partition(".")[2] for feature in features)
    return [
        FeatureSet(
            name="bankmarketing.call",
            sql=f"SELECT subject_id, as_of, {columns} FROM bankmarketing_customer",
            features=features,
            source="Moro, Cortez & Rita 2014, Decision Support Systems 62",
            owner="campaigns",
        ),
        FeatureSet(
            name="bankmarketing.afterwards",
            sql="SELECT subject_id, as_of, duration_after FROM bankmarketing_customer",
            features=[Feature(name=DURATION_AFTER, type=FieldType.INTEGER, unit="s")],
        ),
    ]


@hookimpl
def register_scores() -> list[Score]:
    """The same question with the honest inputs, past the alarm, and into the wall."""
    return [
        _score("bankmarketing.deposit"),
        _score("bankmarketing.deposit-alarm", DURATION),
        _score("bankmarketing.deposit-wall", DURATION_AFTER),
    ]


def _score(name: str, *more: str) -> Score:
    label = "CASE WHEN took = 'yes' THEN 1 ELSE 0 END"
    everyone = "SELECT subject_id, as_of FROM bankmarketing_customer"
    return Score(
        name=name,
        features=(*HONEST, *more),
        population=everyone,
        # Never asked: the file has no year, so there is no time after a date.
        target=f"SELECT subject_id, as_of, {label} AS label FROM bankmarketing_customer",
        cross_section=f"SELECT subject_id, as_of, {label} AS label FROM bankmarketing_customer",
        positive="takes the deposit",
    )
