"""Rounds: hand-over in one step, pauses, credits, and who may look (W6, D-R13, D-R15, D-R16)."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import crmkit
from crmkit.entities import CustomerRef, Money
from crmkit.errors import NotFound, NotPermitted, UsageError
from crmkit.testing.clock import SettableClock
from crmkit_delivery.posting import LEDGER

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


def served(crm: Any, courier: str, on: date) -> list[str]:
    return sorted(r["subscription"] for r in crm.run("round book", courier=courier, on=on).rows)


def third_courier(crm: Any) -> None:
    crm.store.records.set("delivery.courier", source="delivery", ref="C3", values={"code": "C3"})


def test_a_hand_over_a_month_ahead_changes_nothing_until_then(rounds: Any, clock: Any) -> None:
    """On 31 March C1 hands over with 30 April as the last day; S4's end was put off to 31 May."""
    crm, folder = rounds, rounds.settings.folder
    crm.store.records.set(
        SUBSCRIPTION, source="delivery", ref="S4", values={"ended_on": date(2026, 5, 31)}
    )
    asked = {"from_courier": "C1", "to": "C2", "leaving": True, "last_day": date(2026, 4, 30)}
    assert sum(r["subscribers"] for r in crm.run("round handover", **asked).rows) == 5
    with crmkit.open(folder, actor="C1", clock=clock) as courier:
        assert served(courier, "C1", date(2026, 4, 30)) == ["S0", "S1", "S2", "S3", "S4"]
        courier.ownership.check_access("C1", "customer export")
    # S4, who ends later, is not left with the one who leaves.
    assert served(crm, "C1", date(2026, 5, 1)) == []
    assert served(crm, "C2", date(2026, 5, 31)) == ["S0", "S1", "S2", "S3", "S4"]
    assert served(crm, "C2", date(2026, 6, 1)) == ["S0", "S1", "S2", "S3"]
    # The round does not go back to who leaves, before that day as little as after it.
    for day, word in ((31, "leaves"), (62, "left")):
        clock.set(datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(days=day - 1))
        with pytest.raises(
            NotPermitted, match=f"courier C1 {word} on 2026-04-30 and gets no round"
        ):
            crm.run("round handover", from_courier="C2", to="C1")
    with pytest.raises(NotFound, match="C1"):
        crm.run("round handover", from_courier="C1", to="C2")


def test_another_steps_in_for_who_has_not_taken_over_yet(rounds: Any) -> None:
    """C1 serves up to 30 April, then C2; C3 takes C2's place, and C1 serves up to the 30th still."""
    third_courier(rounds)
    rounds.run("round handover", from_courier="C1", to="C2", last_day=date(2026, 4, 30))
    with pytest.raises(UsageError, match="of C1 pass to C2 on 2026-05-01 already") as refused:
        rounds.run("round handover", from_courier="C1", to="C3")
    assert "round handover C2" in str(refused.value.hint)
    with pytest.raises(UsageError, match="passes from C1 to C2 on 2026-05-01, and serves until"):
        rounds.run("round handover", from_courier="C2", to="C3", last_day=date(2026, 5, 10))
    rounds.run("round handover", from_courier="C2", to="C3")
    assert served(rounds, "C1", date(2026, 4, 30)) == ["S0", "S1", "S2", "S3"]
    assert served(rounds, "C3", date(2026, 5, 1)) == ["S0", "S1", "S2", "S3"]
    assert served(rounds, "C2", date(2026, 5, 1)) == []
    names = ("courier", "starts_on", "ends_on")
    found = rounds.store.records.read(
        "delivery.courier_assignment", names, where={"round": "R0"}, sort=("starts_on",)
    )
    assert found == [
        ("C1", date(2025, 1, 1), date(2026, 4, 30)), ("C3", date(2026, 5, 1), None),
    ]  # fmt: skip
    # Back to who serves, the hand-over is off.
    rounds.run("round handover", from_courier="C3", to="C1")
    assert served(rounds, "C1", date(2026, 5, 1)) == ["S0", "S1", "S2", "S3"]


def window(crm: Any, ref: str = "S0") -> tuple[Any, ...]:
    values = crm.store.records.find(SUBSCRIPTION, ref).values
    return tuple(values.get(name) for name in ("paused_from", "paused_to", "pause_extensions"))


def test_a_second_pause_extends_the_first_or_is_refused(rounds: Any) -> None:
    """Today is 31 March; the pause is planned from 10 to 20 April."""

    def pause(**days: date) -> None:
        rounds.run("round pause", subscription="S0", **days)

    april = [date(2026, 3, 31) + timedelta(days=n) for n in range(31)]
    pause(start=april[10], until=april[20])
    # Apart from it, before and after.
    for start, until in ((april[1], april[5]), (april[21], april[25])):
        with pytest.raises(
            UsageError, match="S0 is paused from 2026-04-10 to 2026-04-20, and has one"
        ):
            pause(start=start, until=until)
    with pytest.raises(UsageError, match="from 2026-04-10 to 2026-04-20 already") as refused:
        pause(start=april[12], until=april[15])
    assert "resume S0 --on 2026-04-15" in str(refused.value.hint)
    assert window(rounds) == (april[10], april[20], 0)
    # Without a first day it is the planned one that is extended; one that touches it makes it longer.
    pause(until=april[22])
    assert window(rounds) == (april[10], april[22], 1)
    pause(start=april[5], until=april[10])
    assert window(rounds) == (april[5], april[22], 1)
    pause(start=april[22])
    assert window(rounds) == (april[5], None, 2)
    pause(until=april[30])
    assert window(rounds) == (april[5], april[30], 2)


def test_a_pause_that_is_over_makes_way_for_another(rounds: Any, clock: Any) -> None:
    rounds.run("round pause", subscription="S0", until=date(2026, 4, 5))
    clock.set(datetime(2026, 4, 5, 12, tzinfo=UTC))
    with pytest.raises(UsageError, match="S0 is not paused"):
        rounds.run("round resume", subscription="S0")
    rounds.run("round pause", subscription="S0", start=date(2026, 5, 1), until=date(2026, 5, 9))
    assert window(rounds) == (date(2026, 5, 1), date(2026, 5, 9), 0)


def test_a_subscription_that_resumes_later_stays_paused_until_then(rounds: Any) -> None:
    """Paused from 31 March on without an end, resumed on 7 April."""
    rounds.run("round pause", subscription="S0")
    rounds.run("round resume", subscription="S0", on=date(2026, 4, 7))
    assert window(rounds)[:2] == (date(2026, 3, 31), date(2026, 4, 7))
    assert "S0" not in served(rounds, "C1", date(2026, 4, 6))
    assert "S0" in served(rounds, "C1", date(2026, 4, 7))
    with pytest.raises(
        UsageError, match="S0 is brought again from 2026-04-07 on, before 2026-04-09"
    ):
        rounds.run("round resume", subscription="S0", on=date(2026, 4, 9))
    rounds.run("round resume", subscription="S0", on=date(2026, 3, 31))
    assert window(rounds) == (None, None, None)


def test_the_book_is_that_of_a_day(rounds: Any, clock: Any) -> None:
    """S0 on Monday, Wednesday and Friday; S1 from 2 April; S2 up to 1 April. The 1st is a Wednesday."""
    put = rounds.store.records.set
    put(SUBSCRIPTION, source="delivery", ref="S0", values={"days": ["mon", "wed", "fri"]})
    put(SUBSCRIPTION, source="delivery", ref="S1", values={"started_on": date(2026, 4, 2)})
    put(SUBSCRIPTION, source="delivery", ref="S2", values={"ended_on": date(2026, 4, 1)})
    assert served(rounds, "C1", date(2026, 4, 1)) == ["S0", "S2", "S3"]
    assert served(rounds, "C1", date(2026, 4, 2)) == ["S1", "S3"]
    assert served(rounds, "C1", date(2026, 4, 3)) == ["S0", "S1", "S3"]
    clock.set(datetime(2026, 4, 1, 8, tzinfo=UTC))
    assert [r["subscription"] for r in rounds.run("round book", round="R0").rows] == ["S0", "S2"]


@pytest.mark.parametrize("asked", [{"round": "R9"}, {"courier": "C9"}])
def test_the_book_of_an_unknown_round_or_courier_is_refused(rounds: Any, asked: Any) -> None:
    with pytest.raises(NotFound, match="9"):
        rounds.run("round book", **asked)


def test_days_of_the_week_are_refused_unless_they_are_days(rounds: Any, tmp_path: Path) -> None:
    """A list is typed with commas; in a file of subscriptions it is separated by semicolons."""
    records = rounds.store.records
    for text in ("mon; wed; fri", "mon,wednesday"):
        with pytest.raises(UsageError, match="days"):
            records.set(SUBSCRIPTION, source="delivery", ref="S0",
                        values=records.parse(SUBSCRIPTION, {"days": text}))  # fmt: skip
    records.set(SUBSCRIPTION, source="delivery", ref="S0",
                values=records.parse(SUBSCRIPTION, {"days": "mon, wed, fri"}))  # fmt: skip
    assert records.find(SUBSCRIPTION, "S0").values["days"] == ["mon", "wed", "fri"]


def missed(crm: Any, folder: Path, who: str, *days: str) -> None:
    """Missed drops in March 2026, at six in the morning."""
    file = folder / f"{who}-{len(days)}.csv"
    file.write_text(
        "drop,subscription,result,round,courier,quantity,collected,occurred_at\n"
        + "".join(f"{who}-{d},{who},missed,R0,C1,0,,2026-03-{d}T06:00:00Z\n" for d in days)
    )
    assert crm.import_file(file, profile="delivery-drops").rejected == 0


def balance(crm: Any, who: str) -> int:
    owner = crm.store.customers.find(who).id
    found: int = crm.service("ledger.accounts").balances(LEDGER, [owner])[owner]
    return found


def test_a_changed_price_stops_no_credit(rounds: Any, clock: Any, tmp_path: Path) -> None:
    """S0 missed three drops of two pieces at 1.50: 9.00. From 1 April the price is 2.00.

    The fourth, on 3 April, is credited with 4.00, and the three stay as they were. S1's price is in
    another currency than the ledger: it is named, and S3 after it gets its 9.00.
    """
    missed(rounds, tmp_path, "S0", "03", "10", "20")
    (row,) = rounds.run("round credit").rows
    assert (row["credit"], row["posted"]) == ("9.00", "9.00")
    clock.set(datetime(2026, 4, 1, tzinfo=UTC))
    rounds.store.records.set(SUBSCRIPTION, source="delivery", ref="S0", values={"price": "2.00"})
    (row,) = rounds.run("round credit").rows
    assert (row["credit"], row["posted"]) == ("9.00", "0.00")
    clock.set(datetime(2026, 4, 3, 12, tzinfo=UTC))
    file = tmp_path / "april.csv"
    file.write_text(
        "drop,subscription,result,round,courier,quantity,collected,occurred_at\n"
        "S0-april,S0,missed,R0,C1,0,,2026-04-03T06:00:00Z\n"
    )
    assert rounds.import_file(file, profile="delivery-drops").rejected == 0
    rounds.store.records.set(
        SUBSCRIPTION, source="delivery", ref="S1", effective=datetime(2025, 1, 1, tzinfo=UTC),
        values={"price": Money.parse("1.50", "USD")},
    )  # fmt: skip
    for who in ("S1", "S3"):
        missed(rounds, tmp_path, who, "12", "19", "26")
    # The drop of the 3rd is more than 30 days ago by now.
    answer = rounds.run("round credit")
    assert [(r["subscription"], r["credit"], r["posted"]) for r in answer.rows] == [
        ("S0", "10.00", "4.00"), ("S3", "9.00", "9.00"),
    ]  # fmt: skip
    (said,) = answer.remarks
    assert said.startswith("S1 is not credited: it had a price in USD on the day of drop")
    assert (balance(rounds, "S0"), balance(rounds, "S1"), balance(rounds, "S3")) == (1300, 0, 900)


def test_a_price_that_was_wrong_is_corrected_by_the_difference(rounds: Any, tmp_path: Path) -> None:
    """Three drops of two pieces at 1.50 are 9.00; at 1.00, as it had been all along, 6.00."""
    missed(rounds, tmp_path, "S0", "03", "10", "20")
    rounds.run("round credit")
    rounds.store.records.set(
        SUBSCRIPTION, source="delivery", ref="S0", effective=datetime(2025, 1, 1, tzinfo=UTC),
        values={"price": "1.00"},
    )  # fmt: skip
    (row,) = rounds.run("round credit").rows
    assert (row["credit"], row["posted"]) == ("6.00", "-3.00")
    assert balance(rounds, "S0") == 600


def test_no_drop_of_a_day_of_a_pause_is_credited(rounds: Any, clock: Any, tmp_path: Path) -> None:
    """S0 was paused from 9 to 16 March; S1 was so too, which was filed and ended before today.

    Of four missed drops those of the 10th and the 13th are of the pause: two are no three.
    """
    for who in ("S0", "S1"):
        missed(rounds, tmp_path, who, "03", "10", "13", "20")
    clock.set(datetime(2026, 3, 9, tzinfo=UTC))
    rounds.run("round pause", subscription="S1")
    clock.set(datetime(2026, 3, 17, tzinfo=UTC))
    rounds.run("round resume", subscription="S1")
    clock.set(datetime(2026, 3, 31, 12, tzinfo=UTC))
    rounds.store.records.set(
        SUBSCRIPTION, source="delivery", ref="S0",
        values={"paused_from": date(2026, 3, 9), "paused_to": date(2026, 3, 17)},
    )  # fmt: skip
    assert rounds.run("round credit").rows == []
    missed(rounds, tmp_path, "S0", "16")
    assert rounds.run("round credit").rows == []
    missed(rounds, tmp_path, "S0", "17")
    (row,) = rounds.run("round credit").rows
    assert (row["subscription"], row["missed"]) == ("S0", 3)


@pytest.mark.parametrize(
    ("on", "days", "found"),
    [
        # C1's last day is 14 February, so January is all C1's. That S4 had ended was filed on 31 March:
        # as of January and February it is among C1's subscribers.
        ("2026-01-31", 31, {"C1": (5, 5 * 31)}),
        # February is shared, 14 days each.
        ("2026-02-28", 28, {"C1": (5, 4 * 14 + 28), "C2": (4, 4 * 14)}),
        # March is C2's; of February and March together 14 days are C1's still, and 45 C2's.
        ("2026-03-31", 31, {"C2": (4, 4 * 31)}),
        ("2026-03-31", 59, {"C1": (4, 4 * 14), "C2": (4, 4 * 45)}),
    ],
)
def test_churn_counts_each_month_with_who_served_then(rounds, clock, on, days, found) -> None:
    clock.set(datetime(2026, 2, 14, 18, tzinfo=UTC))
    rounds.run("round handover", from_courier="C1", to="C2")
    clock.set(datetime(2026, 3, 31, 12, tzinfo=UTC))
    asked = {"by": "courier", "days": days}
    rows = rounds.reports.run("delivery.round-churn", asked, rounds.as_of(on)).table.to_pylist()
    assert {
        row["part"]: (row["subscribers"], round(row["subscriber_months"] * 30.4375)) for row in rows
    } == found
