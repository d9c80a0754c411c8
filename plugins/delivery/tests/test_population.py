"""Of whom it is asked whether they will be late: promised, on their way, and not late already (D-R17)."""

from __future__ import annotations

from typing import Any

import pytest

from crmkit_delivery.scores import scores

from .firm import Firm, ago

BY_NAME = {score.name: score for score in scores()}


@pytest.mark.parametrize("name", ["delivery.late", "delivery.late-in-transit"])
@pytest.mark.parametrize(
    ("late_after", "asked"),
    # Eight months past its promise it is late; an hour before it, or at the minute itself, it may be.
    [(24 * 240, []), (0.1, []), (0, [1]), (-1, [1]), (None, [])],
)
def test_what_is_late_already_has_no_risk_of_being_late(
    world: Any, name: str, late_after: float | None, asked: list[int]
) -> None:
    due = None if late_after is None else ago(late_after)
    Firm(world).waybill(late_after_at=due).scan(24 * 250, "picked_up").scan(24 * 249, "at_hub")
    found = world.query(BY_NAME[name].population)
    assert [row["subject_id"] for row in found] == asked


@pytest.mark.parametrize(("late_after", "asked"), [(1, []), (-1, [1])])
def test_what_was_not_collected_in_time_is_late_as_well(
    world: Any, late_after: float, asked: list[int]
) -> None:
    Firm(world).waybill(late_after_at=ago(late_after))
    found = world.query(BY_NAME["delivery.late-at-order"].population)
    assert [row["subject_id"] for row in found] == asked
