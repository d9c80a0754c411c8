"""The words beside a number fit it."""

from __future__ import annotations

from typing import Any

import pytest

from crmkit.entities.phrasing import counted, filled, plural, singular

CASES = [
    ("{n} premiums missed", 0, "0 premiums missed"),
    ("{n} premiums missed", 1, "1 premium missed"),
    ("{n} premiums missed", 2, "2 premiums missed"),
    ("asked {n} times for the code", 1, "asked once for the code"),
    ("asked {n} times for the code", 3, "asked 3 times for the code"),
    ("[asked {n} times for the code, ]call", 0, "call"),
    ("[asked {n} times for the code, ]call", 2, "asked 2 times for the code, call"),
    ("[asked {n} times for the code, ]call", None, "call"),
    ("contract ends in {n:.1f} months, call", 2.43, "contract ends in 2.4 months, call"),
    ("contract ends in {n:.1f} months, call", -2.43, "contract ended 2.4 months ago, call"),
    ("contract ends in {n} months", -1, "contract ended 1 month ago"),
    ("due in {n} days", -3, "was due 3 days ago"),
    ("it comes back in {n} days", -3, "it comes back 3 days ago"),
    ("the bill is {n:.1f} times the usual", 1.0, "the bill is 1.0 times the usual"),
    ("{n} times the usual", 1, "1 time the usual"),
    ("used {n:.0%} of it", -0.1, "used -10% of it"),
    ("step {n} is done", 1, "step 1 is done"),
    ("{n} less than before", 1, "1 less than before"),
    ("{n} people", 1, "1 person"),
    ("[0-9] and {n} days", 1, "[0-9] and 1 day"),
]


@pytest.mark.parametrize(("template", "number", "text"), CASES)
def test_number_sign_and_nought_choose_the_words(template: str, number: Any, text: str) -> None:
    def said(phrase: Any) -> tuple[Any, str]:
        return number, "unknown" if number is None else format(number, phrase.spec)

    assert filled(template, said) == text


@pytest.mark.parametrize(
    ("one", "many"),
    [("report", "reports"), ("person", "people"), ("branch", "branches"), ("policy", "policies"),
     ("day", "days"), ("box", "boxes"), ("address", "addresses")],
)  # fmt: skip
def test_singular_and_plural_are_each_others_reverse(one: str, many: str) -> None:
    assert plural(one) == many
    assert singular(many) == one
    assert counted(1, one) == f"1 {one}"
    assert counted(0, one) == f"0 {many}"
    assert counted(1200, one) == f"1,200 {many}"
