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


REMOTE = {"$ref": "https://example.com/x.json"}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"allOf": [REMOTE]}, "allOf uses $ref"),
        ({"allOf": [{"if": {"anyOf": [{"not": REMOTE}]}}]}, "allOf.if.anyOf.not uses $ref"),
        ({"$defs": {"default": REMOTE}}, "$defs.default uses $ref"),
        ({"dependentSchemas": {"a": {"$dynamicRef": "#x"}}}, "dependentSchemas.a uses $dynamicRef"),
        ({"then": {"$recursiveRef": "#"}}, "then uses $recursiveRef"),
        ({"patternProperties": {"^(a+)+$": {"minLength": 1}}}, "the schema uses patternProperties"),
        ({"allOf": [{"patternProperties": {"^a": True}}]}, "allOf uses patternProperties"),
        ({"properties": {"a": {"type": "array", "items": {"type": "string", **REMOTE}}}}, "field 'a'.items uses $ref"),
        ({"properties": {"default": {"type": "array", "items": {"type": "string", **REMOTE}}}}, "field 'default'.items uses $ref"),
        ({"$schema": "https://example.com/dialect"}, "the schema uses $schema 'https://example.com/dialect'"),
        ({"else": {"$schema": "http://json-schema.org/draft-07/schema#"}}, "else uses $schema"),
        ({"oneOf": [{"$id": "https://example.com/"}]}, "oneOf uses $id"),
    ],
)  # fmt: skip
def test_a_declaration_refers_to_no_other_schema_at_any_depth(
    schema: dict[str, object], words: str
) -> None:
    faults = FieldSet({"type": "object", "properties": {}, **schema}).faults()
    assert len(faults) == 1
    assert faults[0].startswith(words)
    assert faults[0].endswith(", which declarations may not")


def test_what_is_data_is_no_reference_and_the_own_dialect_may_be_named() -> None:
    own = "https://json-schema.org/draft/2020-12/schema"
    fields = FieldSet(
        {
            "$schema": own,
            "$id": "https://example.com/plan",
            "type": "object",
            "properties": {"a": {"type": "string", "examples": [REMOTE], "default": "$ref"}},
        }
    )
    assert fields.faults() == []


def test_a_schema_that_holds_itself_ends() -> None:
    schema: dict[str, object] = {"type": "object", "properties": {}}
    schema["not"] = schema
    assert FieldSet(schema).faults() == []


def test_required_field_must_exist() -> None:
    fields = FieldSet({"type": "object", "properties": {}, "required": ["plan"]})
    assert fields.faults() == ["required names 'plan', which is no property"]
