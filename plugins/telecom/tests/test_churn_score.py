"""Who is scored, and what counts as leaving."""

from __future__ import annotations

import pytest

import crmkit_telecom
from crmkit_telecom.scores import GAP_DAYS, HORIZON_DAYS, INPUTS, scores

CHURN = scores()[0]


def test_who_has_an_active_line_is_scored(world) -> None:
    for subject, statuses in ((1, ["active"]), (2, ["terminated"]), (3, ["terminated", "active"]),
                              (4, ["suspended"]), (5, [None])):  # fmt: skip
        for number, status in enumerate(statuses):
            world.add(
                "telecom_subscription", subject_id=subject, id=10 * subject + number, status=status
            )
    found = world.query(CHURN.population)
    assert sorted(row["subject_id"] for row in found) == [1, 3]


@pytest.mark.parametrize(
    ("days_after", "kind", "label"),
    [
        (1, "voluntary", [None]),
        (GAP_DAYS, "voluntary", [None]),
        (GAP_DAYS + 1, "voluntary", [1]),
        (HORIZON_DAYS, "voluntary", [1]),
        (HORIZON_DAYS + 1, "voluntary", []),
        (30, "involuntary", []),
        (30, "moved", []),
        (30, "deceased", []),
    ],
)
def test_leaving_counts_between_gap_and_horizon(world, day, days_after, kind, label) -> None:
    """A departure within the gap leaves the row out (NULL); no row means: did not leave."""
    world.add("telecom_termination", occurred_on=day(-days_after), kind=kind)
    assert [row["label"] for row in world.query(CHURN.target)] == label


def test_second_line_that_ends_in_the_window_counts(world, day) -> None:
    for days_after in (GAP_DAYS - 1, GAP_DAYS + 1):
        world.add("telecom_termination", occurred_on=day(-days_after), kind="voluntary")
    assert [row["label"] for row in world.query(CHURN.target)] == [1]


def test_without_dates_a_customer_has_left_when_no_line_is_active(world) -> None:
    for subject, statuses in ((1, ["active"]), (2, ["terminated"]), (3, ["ported_out", "active"])):
        for number, status in enumerate(statuses):
            world.add(
                "telecom_subscription", subject_id=subject, id=10 * subject + number, status=status
            )
    assert CHURN.cross_section is not None
    found = {row["subject_id"]: row["label"] for row in world.query(CHURN.cross_section)}
    assert found == {1: 0, 2: 1, 3: 0}


def test_nothing_known_only_after_leaving_is_an_input() -> None:
    """Outcome fields are declared so, and gender is kept out on purpose."""
    fields = {f.name: f for r in crmkit_telecom.register_record_types() for f in r.fields.fields}
    outcomes = {name for name, field in fields.items() if field.outcome_only}
    assert outcomes == {
        "status", "ended_on", "churn_kind", "churn_reason", "churn_detail", "churn_to",
    }  # fmt: skip
    assert not outcomes & set(INPUTS)
    assert "gender" not in INPUTS


def test_every_input_is_a_declared_feature() -> None:
    declared = {f.name for s in crmkit_telecom.register_features() for f in s.features}
    assert set(CHURN.features) <= declared
