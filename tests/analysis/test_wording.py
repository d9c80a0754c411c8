"""Messages and evidence column by column equal what a formatter makes row by row."""

from __future__ import annotations

import json
from datetime import date

import pyarrow as pa
import pytest

from crmkit.analysis.wording import evidence, in_lists, message_columns, messages

ROWS = pa.table(
    {
        "visits": [2, None, 2],
        "risk": [0.256, 1 / 3, None],
        "tier": ["plus", 'a "b" 你', None],
        "until": [date(2026, 3, 31), None, date(2026, 4, 1)],
        "kept": [True, False, None],
    }
)


def test_each_value_is_in_the_format_asked_for_and_missing_ones_are_unknown() -> None:
    text = "{visits} visits, {risk:.0%} ({risk}), {tier!r}{{}} until {until:%d.%m.} {visits:>3}"
    said = messages(text, ROWS, lambda name, value: value).to_pylist()
    assert said == [
        "2 visits, 26% (0.26), 'plus'{} until 31.03.   2",
        "unknown visits, 33% (0.33), 'a \"b\" 你'{} until unknown unknown",
        "2 visits, unknown (unknown), None{} until 01.04.   2",
    ]


def test_values_are_shown_as_their_column_asks() -> None:
    said = messages("{visits}", ROWS, lambda name, value: f"{name}={value}").to_pylist()
    assert said == ["visits=2", "unknown", "visits=2"]


def test_a_message_without_columns_and_a_run_on_nobody() -> None:
    assert messages("plus", ROWS, lambda name, value: value).to_pylist() == ["plus"] * 3
    nobody = ROWS.slice(0, 0)
    assert messages("{visits} of {tier}", nobody, lambda name, value: value).to_pylist() == []
    assert evidence(nobody, ["visits"]).to_pylist() == []


def test_a_format_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match="Unknown format code"):
        messages("{tier:.1f}", ROWS, lambda name, value: value)
    assert message_columns("{b:.0%} of {a} and {b}") == ("a", "b")


def test_evidence_is_a_json_object_in_the_order_of_the_columns() -> None:
    told = evidence(ROWS, ["until", "visits", "tier", "kept", "risk"]).to_pylist()
    assert told[0] == '{"until": "2026-03-31", "visits": 2, "tier": "plus", "kept": true, "risk": 0.256}'  # fmt: skip
    assert json.loads(told[1]) == {
        "until": None, "visits": None, "tier": 'a "b" 你', "kept": False, "risk": 1 / 3,
    }  # fmt: skip
    assert evidence(ROWS, []).to_pylist() == ["{}"] * 3
    assert in_lists(pa.array(['say "no"'])).to_pylist() == ['["say \\"no\\""]']
