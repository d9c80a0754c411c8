"""The way of a subscriber: allowed moves, and the stage in which each customer ought to be."""

from __future__ import annotations

import pytest

from crmkit.errors import MoveRefused
from crmkit_telecom.lifecycle import SUBSCRIBER

QUIET = {"telecom_port_out_requests_60d": 0, "telecom_cancellation_requests_60d": 0,
         "telecom_complaints_90d": 0}  # fmt: skip


def _proposed(world, subject: int = 1) -> tuple[str, str]:
    world.customers(subject)
    (row,) = world.query(SUBSCRIBER.propose)
    return row["stage"], row["reason"]


def test_a_customer_without_a_line_is_a_prospect(world) -> None:
    assert _proposed(world) == ("prospect", "no line yet")


@pytest.mark.parametrize(
    ("months", "stage"),
    [(0, "activated"), (2, "activated"), (3, "growing"), (11, "growing"), (12, "established")],
)
def test_the_stage_of_a_quiet_subscriber_follows_tenure(world, months: int, stage: str) -> None:
    world.add("telecom_subscription", status="active", tenure_months=months)
    world.add("feature", **QUIET, telecom_tenure_months=months)
    assert _proposed(world) == (stage, f"months as a customer: {months}")


@pytest.mark.parametrize(
    ("features", "stage", "reason"),
    [
        ({"telecom_port_out_requests_60d": 1}, "at-risk", "asked for the porting code or to cancel"),
        ({"telecom_complaints_90d": 2}, "at-risk", "complaints in 90 days: 2"),
        ({"telecom_usage_trend_3m": -0.3}, "at-risk", "usage fell by three tenths or more"),
        ({"telecom_bill_shock_3m": 1.5}, "at-risk", "a bill was half again the usual or more"),
        ({"telecom_days_since_usage": 45}, "dormant", "days without usage: 45"),
        ({"telecom_payment_model": "prepaid", "telecom_days_since_topup": 30}, "dormant",
         "prepaid and silent"),
    ],
)  # fmt: skip
def test_trouble_outranks_tenure(world, features, stage: str, reason: str) -> None:
    world.add("telecom_subscription", status="active")
    world.add("feature", **{**QUIET, "telecom_tenure_months": 30, **features})
    assert _proposed(world) == (stage, reason)


def test_a_customer_has_left_when_every_line_has_ended(world) -> None:
    world.add("telecom_subscription", id=1, status="terminated")
    world.add("telecom_subscription", id=2, status="ported_out")
    assert _proposed(world)[0] == "left"


def test_a_new_line_after_the_end_is_a_win_back(world, day) -> None:
    world.add(
        "telecom_subscription", id=1, status="terminated", activated_on=day(900), ended_on=day(200)
    )
    world.add("telecom_subscription", id=2, status="active", activated_on=day(40))
    world.add("feature", **QUIET, telecom_tenure_months=1)
    assert _proposed(world) == ("won-back", "came back after leaving")


def test_nobody_becomes_a_prospect_again() -> None:
    with pytest.raises(MoveRefused) as caught:
        SUBSCRIBER.check_move("left", "prospect")
    assert str(caught.value) == (
        "lifecycle telecom.subscriber: left cannot move to prospect. Allowed from left: won-back."
    )


def test_every_proposed_stage_is_declared() -> None:
    declared = {stage.name for stage in SUBSCRIBER.stages}
    for stage in ("prospect", "left", "dormant", "at-risk", "won-back", "activated", "growing",
                  "established"):  # fmt: skip
        assert stage in declared
        assert f"'{stage}'" in SUBSCRIBER.propose
