"""The commands: duplicates, decide, merge and unmerge."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Crmkit = Callable[..., Any]


@pytest.fixture
def two(crmkit: Crmkit, shop: Path) -> None:
    """One person in two systems, and somebody else."""
    ann = ("--set", "core.birth_date=1961-03-04", "--set", "core.national_id=ID471122")
    crmkit("customer", "add", "Ann Example", "--ref", "billing:1042", *ann)
    crmkit("customer", "add", "Example, Ann", "--ref", "hotel:77", *ann, "--set", "core.locality=Bern")  # fmt: skip
    crmkit("customer", "add", "Bo Other", "--ref", "hotel:78")


def test_duplicates_tells_pairs_with_evidence_as_json(crmkit: Crmkit, two: None) -> None:
    done = crmkit("customer", "duplicates", "--format", "json")
    (row,) = done.rows
    assert list(row) == ["a_ref", "b_ref", "probability", "evidence", "decision"]
    assert (row["a_ref"], row["b_ref"], row["decision"]) == ("1042", "77", None)
    assert 0.9 < row["probability"] <= 1
    assert "same identity number" in row["evidence"]


def test_a_list_too_long_to_read_says_how_to_shorten_it(
    crmkit: Crmkit, two: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--at-least" not in crmkit("customer", "duplicates").err
    monkeypatch.setattr("crmkit.cli.duplicates.MANY_PAIRS", 0)
    assert "List the surest first with --at-least 0.99" in crmkit("customer", "duplicates").err


def test_a_decision_is_kept_and_undecided_leaves_the_pair_out(crmkit: Crmkit, two: None) -> None:
    decided = crmkit(
        "customer", "duplicates", "decide", "77", "1042", "different", "--reason", "mother and child",
        "--format", "json",
    ).rows  # fmt: skip
    assert decided == [
        {"a_ref": "77", "b_ref": "1042", "decision": "different", "reason": "mother and child"}
    ]
    assert [r["decision"] for r in crmkit("customer", "duplicates", "--format", "json").rows] == ["different"]  # fmt: skip
    assert crmkit("customer", "duplicates", "--undecided", "--format", "json").rows == []


def test_what_was_decided_different_is_not_merged_with_the_many(crmkit: Crmkit, two: None) -> None:
    crmkit("customer", "duplicates", "decide", "1042", "77", "different")
    assert crmkit("customer", "merge", "--at-least", "0.9", "--yes", "--format", "json").rows == []


def test_many_are_merged_only_when_confirmed(crmkit: Crmkit, two: None) -> None:
    refused = crmkit("customer", "merge", "--at-least", "0.9", code=2)
    assert "1 customer would be merged" in refused.err
    planned = crmkit("customer", "merge", "--at-least", "0.9", "--dry-run", "--format", "json")
    assert planned.rows == [
        {"kept_ref": "1042", "merged_ref": "77", "changed": "core.locality", "run": None}
    ]
    assert len(crmkit("customer", "list", "--format", "json").rows) == 3
    (row,) = crmkit("customer", "merge", "--at-least", "0.9", "--yes", "--format", "json").rows
    assert len(crmkit("customer", "list", "--format", "json").rows) == 2
    crmkit("customer", "unmerge", "--run", row["run"])
    assert len(crmkit("customer", "list", "--format", "json").rows) == 3


def test_a_merge_is_seen_in_the_customer_and_taken_back(crmkit: Crmkit, two: None) -> None:
    before = crmkit("customer", "show", "1042", "--format", "json").out
    crmkit("customer", "merge", "1042", "77")
    one = crmkit("customer", "show", "77", "--format", "json").out
    assert "Bern" in one
    assert "billing" in one
    crmkit("customer", "unmerge", "77")
    after = crmkit("customer", "show", "1042", "--format", "json").out
    aside = ("version", "updated_at")
    found = [json.loads(text) for text in (before, after)]
    people = [one[0] if isinstance(one, list) else one for one in found]
    assert [{k: v for k, v in p.items() if k not in aside} for p in people[:1]] == [
        {k: v for k, v in p.items() if k not in aside} for p in people[1:]
    ]


def test_of_several_merged_ones_one_must_be_named(crmkit: Crmkit, two: None) -> None:
    crmkit("customer", "merge", "1042", "77")
    crmkit("customer", "merge", "1042", "78")
    refused = crmkit("customer", "unmerge", "1042", code=2)
    assert "77, 78" in refused.err
    assert len(crmkit("customer", "unmerge", "1042", "--all", "--format", "json").rows) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("merge",), "give two customers"),
        (("merge", "1042"), "give two customers"),
        (("merge", "1042", "77", "--at-least", "0.9"), "give two customers"),
        (("merge", "1042", "1042"), "are one customer already"),
        (("unmerge",), "give the key of a customer"),
        (("unmerge", "78"), "no other customer is merged with '78'"),
        (("unmerge", "--run", "5"), "no run with merges that stand '5'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    crmkit: Crmkit, two: None, arguments: tuple[str, ...], said: str
) -> None:
    assert said in crmkit("customer", *arguments, code=2).err


def test_review_puts_two_side_by_side_and_masks_secrets(crmkit: Crmkit, two: None) -> None:
    done = crmkit("customer", "duplicates", "review", "1042", "77", "--format", "json")
    rows = {row["field"]: row for row in done.rows}
    assert rows["name"] == {"field": "name", "a": "Ann Example", "b": "Example, Ann", "same": False}
    assert rows["core.national_id"] == {
        "field": "core.national_id", "a": "***", "b": "***", "same": True,
    }  # fmt: skip
    assert rows["core.locality"] == {"field": "core.locality", "a": None, "b": "Bern", "same": None}
    assert "ID471122" not in done.out
