"""Single values as JSON, file text and text for eyes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from crmkit.entities.fields import FieldType
from crmkit.entities.money import Money
from crmkit.present.grid import Column
from crmkit.present.values import file_text, json_value, printable, shown


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        # 2**53 + 1 is the first whole number that a JSON reader with doubles would change.
        ("customer_id", 9007199254740993, "9007199254740993"),
        ("id", 7, "7"),
        ("tenure_months", 7, 7),
        ("paid", Money(123456, "USD"), "1234.56"),
        ("paid", Money(500, "JPY"), "500"),
        ("loss", Decimal("0.10"), "0.10"),
        ("loss", Decimal("1E+3"), "1000"),
        ("at", datetime(2026, 3, 31, 12, 0, tzinfo=UTC), "2026-03-31T12:00:00Z"),
        ("at", datetime(2026, 3, 31, 12, 0, 0, 5, tzinfo=UTC), "2026-03-31T12:00:00.000005Z"),
        ("at", datetime(2026, 3, 31, 12, 0), "2026-03-31T12:00:00Z"),  # noqa: DTZ001 - as Arrow gives it
        ("on", date(2026, 3, 31), "2026-03-31"),
        ("rate", float("nan"), None),
        ("rate", float("inf"), None),
        ("rate", 0.25, 0.25),
        ("known", True, True),
        ("nothing", None, None),
        ("reasons", ("a", "b"), ["a", "b"]),
        ("type", FieldType.TEXT, "text"),
    ],
)
def test_json_value(name: str, value: object, wanted: object) -> None:
    assert json_value(name, value) == wanted


def test_an_instant_in_another_zone_is_written_in_utc() -> None:
    eight_hours_ahead = timezone(timedelta(hours=8))
    assert (
        json_value("at", datetime(2026, 4, 1, 7, tzinfo=eight_hours_ahead))
        == "2026-03-31T23:00:00Z"
    )


def test_ids_inside_a_document_become_text_too() -> None:
    found = json_value("subject", {"customer_id": 12, "n": 12, "list": [{"id": 3}]})
    assert found == {"customer_id": "12", "n": 12, "list": [{"id": "3"}]}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, ""),
        (True, "true"),
        (["a", "b"], "a; b"),
        ([], ""),
        ({"k": 1}, '{"k": 1}'),
        (1.5, "1.5"),
    ],
)
def test_file_text(value: object, wanted: str) -> None:
    assert file_text("x", value) == wanted


@pytest.mark.parametrize(
    ("value", "column", "wanted"),
    [
        (1234567, Column(name="n", type=FieldType.INTEGER, unit="1"), "1,234,567"),
        # Declared without a unit it is a name, as the year of a cohort or the number of a case.
        (2023, Column(name="cohort", type=FieldType.INTEGER), "2023"),
        (1234567, Column(name="customer_id", type=FieldType.INTEGER), "1234567"),
        # A whole number that nobody typed may be a year or a line, so it is left alone.
        (2026, Column(name="year"), "2026"),
        (0.2534, Column(name="churn_rate", type=FieldType.NUMBER, unit="1"), "25.3%"),
        (0.2534, Column(name="churn_rate_low", type=FieldType.NUMBER, unit="1"), "25.3%"),
        (0.2534, Column(name="ratio", type=FieldType.NUMBER, unit="1"), "0.25"),
        (0.02534, Column(name="ratio", type=FieldType.NUMBER, unit="1"), "0.0253"),
        (0.2534, Column(name="data_rate", type=FieldType.NUMBER, unit="GB/month"), "0.25"),
        (1234.5678, Column(name="x", type=FieldType.NUMBER), "1,235"),
        (3.0, Column(name="x", type=FieldType.NUMBER), "3.00"),
        (3.0, Column(name="x"), "3"),
        (Money(123456, "USD"), Column(name="x"), "1,234.56 USD"),
        (Decimal("-1234.50"), Column(name="x", type=FieldType.MONEY, currency="USD"), "-1,234.50"),
        (None, Column(name="x"), ""),
        (float("nan"), Column(name="x"), ""),
        (False, Column(name="x"), "no"),
    ],
)
def test_shown(value: object, column: Column, wanted: str) -> None:
    assert shown(value, column) == wanted


def test_control_characters_of_the_data_do_not_reach_the_terminal() -> None:
    assert printable("Ann\x1b[31m\n\u202eB 李") == "Ann\\x1b[31m\\n\\u202eB 李"
