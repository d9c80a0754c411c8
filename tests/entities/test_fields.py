import pytest

from crmkit.entities import FieldSet, FieldType


def field_set(**properties: object) -> FieldSet:
    return FieldSet({"type": "object", "properties": properties})


def test_each_schema_gives_its_column_type() -> None:
    fields = field_set(
        msisdn={"type": "string"},
        plan={"enum": ["basic", "plus"]},
        tenure_months={"type": "integer"},
        data_gb={"type": "number"},
        roams={"type": "boolean"},
        opened_on={"type": "string", "format": "date"},
        seen_at={"type": "string", "format": "date-time"},
        fee={"type": "string", "format": "money", "currency": "USD"},
        addons={"type": "array", "items": {"type": "string"}},
    )
    assert fields.faults() == []
    assert [f.type for f in fields.fields] == [
        FieldType.TEXT, FieldType.TEXT, FieldType.INTEGER, FieldType.NUMBER, FieldType.BOOLEAN,
        FieldType.DATE, FieldType.INSTANT, FieldType.MONEY, FieldType.LIST,
    ]  # fmt: skip


def test_money_without_fixed_currency_has_a_currency_column() -> None:
    money = {"type": "string", "format": "money"}
    fields = field_set(fee=money, bill={**money, "currency": "JPY"})
    assert [c.name for c in fields.columns] == ["fee_minor", "fee_currency", "bill_minor"]


def test_direct_identifiers_stay_out_of_the_warehouse() -> None:
    fields = field_set(
        name={"type": "string", "pii": "direct"},
        pin={"type": "string", "pii": "secret"},
        born_on={"type": "string", "format": "date", "pii": "quasi"},
    )
    assert [f.in_warehouse for f in fields.fields] == [False, False, True]


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"Plan": {"type": "string"}}, "field name 'Plan' does not match"),
        ({"plan": {"type": "object"}}, "field 'plan' has no column type"),
        ({"plan": {"type": "string", "pii": "high"}}, "pii 'high' is not one of none, quasi"),
        ({"plan": {"type": "string", "colour": 1}}, "unknown keyword 'colour'"),
        ({"plan": {"type": "string", "$ref": "http://x"}}, "uses $ref"),
        (
            {
                "fee": {"type": "string", "format": "money", "currency": "USD"},
                "fee_minor": {"type": "integer"},
            },
            "fields 'fee' and 'fee_minor' share 'fee_minor'",
        ),
    ],
)
def test_unsound_field_is_named(properties: dict[str, object], words: str) -> None:
    faults = field_set(**properties).faults()
    assert len(faults) == 1
    assert words in faults[0]


def test_required_field_must_exist() -> None:
    fields = FieldSet({"type": "object", "properties": {}, "required": ["plan"]})
    assert fields.faults() == ["required names 'plan', which is no property"]
