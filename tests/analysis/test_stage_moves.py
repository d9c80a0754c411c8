"""Moves that follow from wishes, decided for all subjects at once."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pytest

from crmkit.analysis.stage_moves import (
    STANDING,
    WISHES,
    after,
    core_wishes,
    decide,
    first_of,
    won_back,
)
from crmkit.builtin.core.lifecycle import CUSTOMER as CORE
from crmkit.entities import Lifecycle, Stage

# Instants in Arrow tables are UTC without zone.
AT = datetime.fromisoformat("2026-03-31")
EARLIER, LATER = datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2026-04-02")

ORDER = Lifecycle(
    name="shop.buyer",
    stages=[
        Stage("visitor", "prospect"),
        Stage("buyer", "growth"),
        Stage("fan", "maturity"),
        Stage("gone", "termination"),
    ],
    moves={("visitor", "buyer"), ("buyer", "fan"), ("buyer", "gone"), ("fan", "gone")},
)
OTHER = Lifecycle(
    name="bank.client",
    stages=[Stage("lead", "prospect"), Stage("new", "development"), Stage("closed", "termination")],
    moves={("lead", "new"), ("new", "closed")},
)


def wishes(**stages: str) -> pa.Table:
    rows = [
        {"subject_id": int(k[1:]), "stage": v, "reason": "because", "rule": "shop.rule"}
        for k, v in stages.items()
    ]
    return pa.Table.from_pylist(rows, schema=WISHES)


def standing(since: datetime = EARLIER, **stages: str) -> pa.Table:
    rows = [{"subject_id": int(k[1:]), "stage": v, "since": since} for k, v in stages.items()]
    return pa.Table.from_pylist(rows, schema=STANDING)


def stood(**stages: str) -> pa.Table:
    return standing(**stages).select(["subject_id", "stage"])


def pairs(moves: pa.Table) -> list[tuple[int, str | None, str]]:
    return [(m["subject_id"], m["from_stage"], m["to_stage"]) for m in moves.to_pylist()]


def test_allowed_impossible_and_unchanged_are_told_apart() -> None:
    found = decide(
        ORDER,
        wishes(c1="buyer", c2="visitor", c3="fan", c4="fan", c5="nowhere"),
        standing(c1="visitor", c2="buyer", c3="fan", c5="buyer"),
        AT,
    )
    # c4 stands nowhere yet and enters the wished stage directly.
    assert pairs(found.moves) == [(1, "visitor", "buyer"), (4, None, "fan")]
    assert pairs(found.impossible) == [(2, "buyer", "visitor"), (5, "buyer", "nowhere")]
    assert (found.unchanged, found.later) == (1, 0)
    assert found.moves.to_pylist()[0]["reason"] == "because"


def test_who_was_moved_after_the_date_is_left_alone() -> None:
    found = decide(ORDER, wishes(c1="buyer"), standing(since=LATER, c1="visitor"), AT)
    assert (found.moves.num_rows, found.later) == (0, 1)


def test_no_wishes_give_no_moves() -> None:
    found = decide(ORDER, wishes(), standing(c1="visitor"), AT)
    assert (found.moves.num_rows, found.impossible.num_rows, found.unchanged) == (0, 0, 0)


def test_after_the_moves_everyone_stands_in_one_place() -> None:
    now = standing(c1="visitor", c2="buyer")
    found = decide(ORDER, wishes(c1="buyer", c3="fan"), now, AT)
    rows = sorted((r["subject_id"], r["stage"]) for r in after(now, found.moves).to_pylist())
    assert rows == [(1, "buyer"), (2, "buyer"), (3, "fan")]


@pytest.mark.parametrize(
    ("shop", "bank", "core"),
    [
        ("fan", "new", "maturity"),  # the furthest
        ("gone", "new", "development"),  # one business ended, the other goes on
        ("gone", "closed", "termination"),  # all ended
        ("gone", "lead", "termination"),  # an end outweighs a mere prospect
        ("visitor", "lead", "prospect"),
        ("buyer", None, "growth"),
        (None, "closed", "termination"),
    ],
)
def test_core_stage_is_the_furthest_and_ends_only_when_all_end(
    shop: str | None, bank: str | None, core: str
) -> None:
    mapped = [
        (ORDER, stood(**({"c7": shop} if shop else {}))),
        (OTHER, stood(**({"c7": bank} if bank else {}))),
    ]
    found = core_wishes(CORE, mapped).to_pylist()
    assert [(r["subject_id"], r["stage"]) for r in found] == [(7, core)]


def test_who_returns_after_an_end_comes_back_as_a_new_customer_first() -> None:
    back = won_back(
        CORE, wishes(c1="maturity", c2="maturity"), standing(c1="termination", c2="growth")
    )
    by_id = {r["subject_id"]: (r["stage"], r["reason"]) for r in back.to_pylist()}
    assert by_id == {1: ("development", "won back"), 2: ("maturity", "because")}


def test_an_end_never_turns_into_a_prospect() -> None:
    now = standing(c1="termination")
    found = decide(CORE, won_back(CORE, wishes(c1="prospect"), now), now, AT)
    assert pairs(found.impossible) == [(1, "termination", "prospect")]


def test_the_first_table_that_knows_a_subject_wins() -> None:
    found = first_of(wishes(c1="fan"), wishes(c1="gone", c2="buyer"), wishes(c2="gone", c3="fan"))
    assert [(r["subject_id"], r["stage"]) for r in found.to_pylist()] == [
        (1, "fan"), (2, "buyer"), (3, "fan"),
    ]  # fmt: skip
