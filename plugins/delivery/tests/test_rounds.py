"""Rounds: hand-over in one step, pauses, credits, and who may look (W6, D-R13, D-R15, D-R16)."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import crmkit
from crmkit.entities import CustomerRef
from crmkit.errors import NotFound, NotPermitted, UsageError
from crmkit.testing.clock import SettableClock
from crmkit_delivery.claims import LEDGER

SUBSCRIPTION = "delivery.subscription"


def fill(crm: Any, subscribers: int, rounds: int = 2) -> None:
    """Couriers C1 and C2; every subscriber is served by C1, on rounds R0, R1 ... in turn."""
    put = crm.store.records.put
    put("delivery.courier", source="delivery", refs=["C1", "C2"], values={"code": ["C1", "C2"]})
    names = [f"R{i}" for i in range(rounds)]
    put("delivery.round", source="delivery", refs=names, values={"code": names})
    put("delivery.courier_assignment", source="delivery", refs=names, values={
        "round": names, "courier": ["C1"] * rounds, "starts_on": [date(2025, 1, 1)] * rounds,
        "commission_rate": [0.05] * rounds})  # fmt: skip
    ids = [
        crm.store.customers.add(kind="person", refs=[CustomerRef("delivery", f"S{i}")]).id
        for i in range(min(subscribers, 4))
    ]
    owners = [ids[i % len(ids)] for i in range(subscribers)]
    put(
        SUBSCRIPTION, source="delivery", refs=[f"S{i}" for i in range(subscribers)], owners=owners,
        effective=[datetime(2025, 1, 1, tzinfo=UTC)] * subscribers,
        values={
            "round": [names[i % rounds] for i in range(subscribers)],
            "courier": ["C1"] * subscribers, "sequence_no": list(range(subscribers)),
            "price": ["1.50"] * subscribers, "quantity": [2] * subscribers,
            "started_on": [date(2025, 1, 1)] * subscribers,
        },
    )  # fmt: skip


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(datetime(2026, 3, 31, 12, tzinfo=UTC))


@pytest.fixture
def rounds(tmp_path: Path, clock: SettableClock, fresh: Any) -> Any:
    """Five subscribers of courier C1 on two rounds; S4 has ended."""
    with fresh(tmp_path / "w", clock=clock, actor="boss") as crm:
        fill(crm, 5)
        crm.store.records.set(
            SUBSCRIPTION, source="delivery", ref="S4", values={"ended_on": date(2026, 1, 1)}
        )
        yield crm


def test_everything_passes_in_one_transaction(rounds: Any) -> None:
    rows = rounds.run("round handover", from_courier="C1", to="C2", leaving=True).rows
    # R0 has S0 and S2 (S4 ended), R1 has S1 and S3.
    assert [(r["round"], r["subscribers"], r["letters"]) for r in rows] == [
        ("R0", 2, 2), ("R1", 2, 2),
    ]  # fmt: skip
    served = rounds.store.records.read(
        SUBSCRIPTION, ("ref", "courier", "previous_courier", "handed_over_on"), sort=("ref",)
    )
    assert served[0] == ("S0", "C2", "C1", date(2026, 3, 31))
    assert served[4] == ("S4", "C1", None, None)
    left = rounds.store.records.find("delivery.courier", "C1").values
    assert left["left_on"] == date(2026, 3, 31)
    assignments = rounds.store.records.read(
        "delivery.courier_assignment", ("round", "courier", "starts_on", "ends_on", "commission_rate"),
        where={"round": "R0"}, sort=("starts_on",),
    )  # fmt: skip
    assert assignments == [
        ("R0", "C1", date(2025, 1, 1), date(2026, 3, 31), 0.05),
        ("R0", "C2", date(2026, 4, 1), None, 0.05),
    ]
    letters = [
        i for i in rounds.store.interactions.list_for(
            rounds.store.customers.find("S0").id) if i.kind.endswith("handover_notice")
    ]  # fmt: skip
    assert [i.channel for i in letters] == ["letter"]


def test_who_has_left_sees_nothing_and_every_attempt_is_filed(rounds: Any) -> None:
    folder, clock = rounds.settings.folder, rounds.clock
    with crmkit.open(folder, actor="C1", clock=clock) as courier:
        assert len(courier.run("round book", courier="C1").rows) == 4
    rounds.run("round handover", from_courier="C1", to="C2", leaving=True)
    with crmkit.open(folder, actor="C1", clock=clock) as courier:
        for asked in ({"round": "R0"}, {"courier": "C2"}):
            with pytest.raises(NotPermitted, match="C1 has no access since 2026-03-31T12:00:00Z"):
                courier.run("round book", **asked)
        with pytest.raises(NotPermitted, match="customer export is refused"):
            courier.ownership.check_access("C1", "customer export")
    filed = rounds.store.records.read("delivery.refusal", ("who", "what"))
    assert filed == [("C1", "round book"), ("C1", "round book")]
    changes = rounds.ownership.rows.agent_changes("C1")
    assert ("refused", "customer export") in [(c.change, c.reason) for c in changes]
    with crmkit.open(folder, actor="C2", clock=clock) as courier:
        assert len(courier.run("round book", courier="C2").rows) == 4


def test_the_last_day_is_the_last_day(rounds: Any, clock: SettableClock) -> None:
    """Handed over on 31 March with 2 April as the last day: C1 serves, and sees, up to its end."""
    folder = rounds.settings.folder
    answer = rounds.run(
        "round handover", from_courier="C1", to="C2", leaving=True, last_day=date(2026, 4, 2)
    )
    assert {row["last_day"] for row in answer.rows} == {date(2026, 4, 2)}
    assert not any(row["access_ended"] for row in answer.rows)
    assert answer.remarks[-1] == ("C1 is shown and exported nothing from 2026-04-03T00:00:00Z on.")
    assert "C1" not in rounds.ownership.away()
    clock.set(datetime(2026, 4, 2, 23, 59, tzinfo=UTC))
    with crmkit.open(folder, actor="C1", clock=clock) as courier:
        assert len(courier.run("round book", courier="C1").rows) == 4
        assert courier.run("round book", courier="C2").rows == []
        courier.ownership.check_access("C1", "customer export")
    clock.set(datetime(2026, 4, 3, tzinfo=UTC))
    with crmkit.open(folder, actor="C1", clock=clock) as courier:
        with pytest.raises(NotPermitted, match="C1 has no access since 2026-04-03T00:00:00Z"):
            courier.run("round book", courier="C1")
        with pytest.raises(NotPermitted, match="C1 left on 2026-04-03"):
            courier.ownership.check_access("C1", "customer export")
    assert len(rounds.run("round book", courier="C2").rows) == 4


def test_a_last_day_that_is_past_ends_access_at_once(rounds: Any) -> None:
    (row, *_) = rounds.run(
        "round handover", from_courier="C1", to="C2", leaving=True, last_day=date(2026, 3, 20)
    ).rows
    assert row["access_ended"]
    assert rounds.ownership.away() == {"C1": date(2026, 3, 31)}
    assert len(rounds.run("round book", courier="C2").rows) == 4


def test_a_subscriber_who_objects_is_not_called_and_the_letter_counts(rounds: Any) -> None:
    rounds.run("round handover", from_courier="C1", to="C2")
    rounds.run("consent withdraw", customer="S0", channel="phone", purpose="service")
    with pytest.raises(NotPermitted, match="consent to service by phone was withdrawn"):
        rounds.run("round called", subscription="S0")
    assert rounds.store.records.find(SUBSCRIPTION, "S0").values["called_at"] is None
    rounds.run("round called", subscription="S1")
    counted = {
        name: {(r["channel"], r["purpose"]) for r in rounds.run("contact list", customer=name).rows}
        for name in ("S0", "S1")
    }
    assert counted == {
        "S0": {("letter", "notice")}, "S1": {("phone", "service"), ("letter", "notice")},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"from_courier": "C1", "to": "C1"}, UsageError, "cannot hand over to C1"),
        ({"from_courier": "C9", "to": "C2"}, NotFound, "C9"),
        ({"from_courier": "C2", "to": "C1"}, NotFound, "C2"),
        ({"from_courier": "C1", "to": "C2", "round": "R0", "leaving": True}, UsageError, "every round"),
    ],
)  # fmt: skip
def test_a_hand_over_that_cannot_be_changes_nothing(rounds, asked, error, said) -> None:
    with pytest.raises(error, match=said):
        rounds.run("round handover", **asked)
    assert {row[0] for row in rounds.store.records.read(SUBSCRIPTION, ("courier",))} == {"C1"}


def test_a_pause_is_no_loss_and_is_counted_when_extended(rounds: Any) -> None:
    rounds.run("round pause", subscription="S0", until=date(2026, 4, 20), reason="holiday")
    (row,) = rounds.run("round pause", subscription="S0", until=date(2026, 5, 20)).rows
    assert (row["paused_from"], row["paused_to"], row["pause_extensions"]) == (
        date(2026, 3, 31), date(2026, 5, 20), 1,
    )  # fmt: skip
    (row,) = rounds.run("round resume", subscription="S0").rows
    assert (row["paused_from"], row["paused_to"]) == (None, None)
    with pytest.raises(UsageError, match="S0 is not paused"):
        rounds.run("round resume", subscription="S0")
    with pytest.raises(UsageError, match="ended on 2026-01-01"):
        rounds.run("round pause", subscription="S4")


def test_the_third_missed_drop_is_credited_once(rounds: Any, tmp_path: Path) -> None:
    """S0 missed three, S1 two: three drops of two pieces at 1.50 are 9.00."""
    days = {"S0": ("03-03", "03-10", "03-20"), "S1": ("03-03", "03-10")}
    file = tmp_path / "drops.csv"
    file.write_text(
        "drop,subscription,result,round,courier,quantity,collected,occurred_at\n"
        + "".join(
            f"{who}{i},{who},missed,R0,C1,0,,2026-{day}T06:00:00Z\n"
            for who, missed in days.items()
            for i, day in enumerate(missed)
        )
    )
    assert rounds.import_file(file, profile="delivery-drops").rejected == 0
    rows = rounds.run("round credit").rows
    assert [(r["subscription"], r["missed"], r["credit"]) for r in rows] == [("S0", 3, "9.00")]
    rounds.run("round credit")
    owner = rounds.store.customers.find("S0").id
    assert rounds.service("ledger.accounts").balances(LEDGER, [owner]) == {owner: 900}


KILLED = """
import sys, time, pathlib
import crmkit
from crmkit.store.interactions import Interactions
folder, mark = sys.argv[1:]
log = Interactions.log
def slowly(self, items, **more):
    made = log(self, items, **more)
    pathlib.Path(mark).touch()
    time.sleep(60)
    return made
Interactions.log = slowly
with crmkit.open(folder) as crm:
    crm.run("round handover", from_courier="C1", to="C2", leaving=True)
"""


def test_a_kill_in_the_middle_changes_nothing(rounds: Any, tmp_path: Path) -> None:
    """kill -9 after subscribers and letters were written and before the commit."""
    mark = tmp_path / "written"
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(rounds.settings.folder), str(mark)])
    until = time.monotonic() + 60
    while not mark.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert mark.exists()
    child.kill()
    assert child.wait() == -signal.SIGKILL
    assert {row[0] for row in rounds.store.records.read(SUBSCRIPTION, ("courier",))} == {"C1"}
    assert rounds.store.records.find("delivery.courier", "C1").values.get("left_on") is None
    assert "C1" not in rounds.ownership.away()
    letters = [
        i for i in rounds.store.interactions.list_for(rounds.store.customers.find("S0").id)
        if i.kind.endswith("handover_notice")
    ]  # fmt: skip
    assert letters == []
    rows = rounds.run("round handover", from_courier="C1", to="C2", leaving=True).rows
    assert sum(r["subscribers"] for r in rows) == 4
