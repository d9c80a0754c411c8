"""Suggestions for misspelt names."""

from __future__ import annotations

import pytest

from crmkit.errors import NotFound, did_you_mean, near_names

RULES = ("telecom.bill-shock", "telecom.win-back", "telecom.household-leaves")


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("nmae", ["name", "name", "ref"], ["name"]),
        ("telecom.bill-shok", RULES, ["telecom.bill-shock"]),
        ("bill-shok", RULES, ["telecom.bill-shock"]),
        ("TELECOM.BILL-SHOCK", RULES, ["telecom.bill-shock"]),
        ("telecm.bill-shock", RULES, ["telecom.bill-shock"]),
        ("telecom.zzz", RULES, []),
        ("", RULES, []),
    ],
)
def test_near_names_are_each_named_once_and_a_common_plugin_makes_none(
    name: str, known: list[str], near: list[str]
) -> None:
    assert near_names(name, known) == near


def test_several_are_listed_with_commas_and_one_or() -> None:
    assert did_you_mean("cat", ["cart", "cast", "coat"]) == "Did you mean cart, cast or coat?"
    assert did_you_mean("cat", ["cart", "dog"]) == "Did you mean cart?"
    assert did_you_mean("cat", ["dog"]) == ""


def test_a_name_that_is_near_to_none_gets_the_known_ones_each_once() -> None:
    assert str(NotFound("demo", "x", ["hotel", "hotel", "bank"])) == (
        "there is no demo 'x'. Known: bank, hotel."
    )
