"""The reference page of the hotel says what the plugin declares."""

from __future__ import annotations

from pathlib import Path

from crmkit_hotel.data import customer_fields, record_types
from crmkit_hotel.preference.catalogue import catalogue
from crmkit_hotel.rules import RULES

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "hotel-preferences.md"


def test_every_code_rule_and_field_is_in_the_reference() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for code in catalogue().values():
        marks = "*" * code.sensitive + "!" * code.required + "=" * (not code.fades)
        assert f"| {code.group} ({code.most}) | {code.code}{marks} |" in text, code.code
        assert code.allowed in text, code.code
    for rule in RULES:
        assert f"| {rule.source.rpartition(' ')[2]} | `{rule.name}` |" in text
    for fields in (customer_fields().fields, *(t.fields for t in record_types())):
        for field in fields.fields:
            assert f"| `{field.name}` | {field.type.value} |" in text, field.name
