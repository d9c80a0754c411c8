"""``crmkit lifecycle``, ``score``, ``rule`` and ``segment`` in a workspace of core alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Crmkit = Callable[..., Any]


@pytest.fixture
def customer(crmkit: Crmkit, shop: Path) -> str:
    """The ref of a customer filed just now."""
    crmkit("customer", "add", "Ada", "--ref", "till:7")
    return "till:7"


def test_stages_are_shown_with_where_they_may_move_to(crmkit: Crmkit, shop: Path) -> None:
    rows = crmkit("lifecycle", "show", "core.customer", "--format", "json").rows
    assert [(r["position"], r["stage"], r["kind"]) for r in rows] == [
        (1, "prospect", "prospect"), (2, "development", "development"), (3, "growth", "growth"),
        (4, "maturity", "maturity"), (5, "termination", "termination"),
    ]  # fmt: skip
    assert rows[4]["moves_to"] == "development"


def test_proposal_is_shown_first_and_made_with_apply(crmkit: Crmkit, customer: str) -> None:
    shown = crmkit("lifecycle", "propose", "--format", "json")
    assert [(r["to_stage"], r["verdict"]) for r in shown.rows] == [("prospect", "proposed")]
    assert "nothing was moved" in shown.err
    empty = crmkit("lifecycle", "history", customer, "--format", "json")
    assert empty.rows == [] and "crmkit lifecycle propose --apply" in empty.err
    made = crmkit("lifecycle", "propose", "--apply", "--format", "json")
    assert [(r["lifecycle"], r["verdict"]) for r in made.rows] == [("core.customer", "moved")]
    history = crmkit("lifecycle", "history", customer, "--format", "json").rows
    assert [(r["ref"], r["from_stage"], r["to_stage"], r["reason"]) for r in history] == [
        ("7", None, "prospect", "no purchase yet")
    ]
    funnel = crmkit("lifecycle", "funnel", "--format", "json").rows
    assert [(r["stage"], r["customers"], r["reached"]) for r in funnel][:2] == [
        ("prospect", 1, 1), ("development", 0, 0),
    ]  # fmt: skip


def test_impossible_move_exits_2_with_what_is_allowed(crmkit: Crmkit, customer: str) -> None:
    record = crmkit("lifecycle", "advance", customer, "growth", "--format", "json").rows[0]
    assert (record["from_stage"], record["to_stage"]) == (None, "growth")
    refused = crmkit("lifecycle", "advance", customer, "prospect", code=2)
    assert refused.out == ""
    assert "E_MOVE lifecycle core.customer: growth cannot move to prospect." in refused.err
    assert "Allowed from growth: development, maturity, termination." in refused.err


def test_names_that_do_not_exist_exit_2(crmkit: Crmkit, shop: Path) -> None:
    for args in (
        ("score", "evaluate", "core.churn", "--cv", "5"),
        ("score", "run", "core.churn"),
        ("rule", "run", "core.rule"),
        ("segment", "run", "core.segment"),
        ("segment", "show", "core.segment"),
        ("lifecycle", "funnel", "core.custom"),
    ):
        assert "E_NOT_FOUND there is no" in crmkit(*args, code=2).err


@pytest.mark.parametrize("noun", ["score", "rule", "segment"])
def test_without_an_industry_the_lists_are_empty(crmkit: Crmkit, shop: Path, noun: str) -> None:
    assert crmkit(noun, "list", "--format", "json").rows == []


def test_rules_run_where_there_are_none(crmkit: Crmkit, shop: Path) -> None:
    assert crmkit("rule", "run", "--format", "json").rows == []


def test_folds_and_a_date_exclude_each_other(crmkit: Crmkit, shop: Path) -> None:
    done = crmkit("score", "evaluate", "x.y", "--cv", "5", "--train-until", "2026-01-31", code=2)
    assert "exclude each other" in done.err


def test_propose_takes_one_customer(crmkit: Crmkit, shop: Path) -> None:
    for name in ("ann", "bob"):
        crmkit("customer", "add", name, "--ref", f"billing:{name}")
    rows = crmkit("lifecycle", "propose", "ann", "--format", "json").rows
    assert [(row["ref"], row["lifecycle"], row["to_stage"]) for row in rows] == [
        ("ann", "core.customer", "prospect")
    ]
    crmkit("lifecycle", "propose", "ann", "--apply")
    left = crmkit("lifecycle", "propose", "--format", "json").rows
    assert [row["ref"] for row in left] == ["bob"]
    assert "there is no customer 'zoe'" in crmkit("lifecycle", "propose", "zoe", code=2).err


def test_stages_of_records_name_the_record_and_its_customer(crmkit: Crmkit, shop: Path) -> None:
    crmkit("customer", "add", "ann", "--ref", "billing:ann")
    (case,) = crmkit("case", "open", "ann", "--format", "json").rows
    crmkit("case", "assign", case["case"], "--to", "ben")
    asked = ("lifecycle", "history", case["case"], "--lifecycle", "service.complaint")
    rows = crmkit(*asked, "--format", "json").rows
    assert {(row["ref"], row["record_type"], row["record"]) for row in rows} == {
        ("ann", "service.case", case["case"])
    }
    done = crmkit("lifecycle", "propose", case["case"], "--lifecycle", "service.complaint")
    assert "service.complaint: " in done.err
    funnel = crmkit("lifecycle", "funnel", "service.complaint", "--format", "json")
    assert {row["counts"] for row in funnel.rows} == {"service.case"}
    assert "counts records of service.case" in funnel.err
    assert "counts customers" in crmkit("lifecycle", "funnel", "--format", "json").err
