"""Lists through the contact policy: who is on them, when, by which channel, why, and what it brought."""

from __future__ import annotations

import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from crmkit.builtin.outreach.candidates import Candidate
from crmkit.builtin.outreach.making import Plan
from crmkit.entities import ContactPoint, CustomerRef, Money, NewInteraction
from crmkit.errors import NotFound, UsageError

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


def reachable(who: object) -> tuple[ContactPoint, ...]:
    """A phone and a mailbox of somebody's own."""
    number = zlib.crc32(str(who).encode())
    return (
        ContactPoint("phone", f"+4930{number:010}"), ContactPoint("email", f"{who}@example.org"),
    )  # fmt: skip


@pytest.fixture
def crm(workspace):
    return workspace


def add(crm: Any, ref: str, *, consent: str = "any", points: Any = None, **more: Any) -> int:
    points = reachable(ref) if points is None else points
    made = crm.store.customers.add(refs=[CustomerRef("crm", ref)], contact_points=points, **more)
    if consent:
        crm.run("consent give", customer=ref, channel=consent)
    return int(made.id)


def plan(name: str = "spring", **more: Any) -> Plan:
    return Plan(**{"name": name, "made_from": "test", "channels": ("phone",), "at": NOON, **more})


def make(crm: Any, people: Any, given: Plan | None = None) -> dict[int, dict[str, Any]]:
    """Makes a list of these customers; its rows by customer."""
    given = given or plan()
    candidates = [
        Candidate(customer_id=i, why=f"reason {i}", source="rule:shop.lapsed") for i in people
    ]
    crm.service("outreach.lists").make(given, candidates)
    rows = crm.run("list show", name=given.name).rows
    return {row["customer_id"]: row for row in rows}


def test_a_row_says_whom_what_when_how_and_why_and_blocked_ones_stay_with_the_reason(crm) -> None:
    ann, bob = add(crm, "ANN"), add(crm, "BOB", consent="")
    away = add(crm, "AWAY", points=())
    night = add(crm, "NIGHT", time_zone="Asia/Shanghai")
    given = plan(
        at=NOON + timedelta(hours=4), offer="plan-m", price=Money(1999, "USD"), title="Spring"
    )
    rows = make(crm, [ann, bob, away, night, ann], given)
    one = rows[ann]
    assert (one["state"], one["channel"], one["why"], one["drawn_from"]) == (
        "todo", "phone", f"reason {ann}", "rule:shop.lapsed",
    )  # fmt: skip
    assert (one["offer"], one["price"], one["at"]) == ("plan-m", Money(1999, "USD"), given.at)
    assert (rows[bob]["state"], rows[bob]["code"]) == ("blocked", "no_consent")
    assert rows[bob]["words"] == "there is no consent to marketing by phone"
    assert (rows[away]["state"], rows[away]["code"]) == ("blocked", "unreachable")
    # 16:00 UTC is midnight in Shanghai: the row is planned for 08:00 there, 00:00 UTC.
    assert (rows[night]["state"], rows[night]["at"]) == ("todo", datetime(2026, 4, 1, tzinfo=UTC))
    assert crm.service("outreach.lists").blocked("spring") == {"no_consent": 1, "unreachable": 1}
    (made,) = crm.run("list list").rows
    assert [made[n] for n in ("candidates", "treated", "control", "blocked")] == [4, 2, 0, 2]
    # The places are taken: the next list finds the day full.
    assert make(crm, [ann], plan("again", within_days=0))[ann]["code"] == "cap_1"
    with pytest.raises(UsageError, match="there is a list spring already"):
        make(crm, [ann])


def test_the_channel_is_the_one_that_the_customer_answers_else_the_cheapest(crm) -> None:
    crm.run("list cost", channel="phone", amount="3.50")
    crm.run("list cost", channel="email", amount="0.01")
    habit, new, no_mail = add(crm, "HABIT"), add(crm, "NEW"), add(crm, "NOMAIL", consent="phone")
    called = [
        NewInteraction(kind="core.call", occurred_at=NOON - timedelta(days=d), customer_id=habit,
                       channel="phone", direction="in")
        for d in (400, 30, 20)
    ]  # fmt: skip
    wrote = NewInteraction(
        kind="core.email", occurred_at=NOON - timedelta(days=5), customer_id=habit,
        channel="email", direction="in",
    )  # fmt: skip
    crm.store.interactions.log([*called, wrote])
    rows = make(crm, [habit, new, no_mail], plan(channels=("phone", "email")))
    assert {i: row["channel"] for i, row in rows.items()} == {
        habit: "phone", new: "email", no_mail: "phone",
    }  # fmt: skip


def test_nobody_is_offered_the_same_thing_at_two_prices(crm) -> None:
    ann, bob = add(crm, "ANN"), add(crm, "BOB")
    cheap, dear = Money(999, "USD"), Money(1999, "USD")
    later = NOON + timedelta(days=3)
    make(crm, [ann], plan("web", offer="plan-m", price=cheap, channels=("email",)))
    rows = make(crm, [ann, bob], plan("shop", offer="plan-m", price=dear, at=later))
    assert (rows[ann]["code"], rows[bob]["state"]) == ("other_price", "todo")
    assert rows[ann]["words"] == "the list web offers plan-m at 9.99"
    # At the same price, or once the first offer is answered, there are no two prices.
    assert (
        make(crm, [ann], plan("kiosk", offer="plan-m", price=cheap, at=later))[ann]["code"] is None
    )
    crm.run("list done", name="web", customer="ANN", outcome="declined")
    crm.run("list done", name="kiosk", customer="ANN", outcome="not_tried")
    assert make(crm, [ann], plan("last", offer="plan-m", price=dear, at=later))[ann]["code"] is None


def test_an_outcome_goes_to_the_list_the_timeline_and_the_policy(crm) -> None:
    ann, bob = add(crm, "ANN"), add(crm, "BOB")
    make(crm, [ann, bob], plan(offer="plan-m"))
    (first,) = crm.run("list next", name="spring").rows
    assert first["customer_id"] in (ann, bob)
    crm.run("list done", name="spring", customer="ANN", outcome="accepted", note="by post please")
    crm.run("list done", name="spring", customer="BOB", outcome="not_tried")
    (logged,) = crm.store.interactions.list_for(ann, kinds=["outreach.contact"])
    assert (logged.channel, logged.direction) == ("phone", "out")
    assert dict(logged.payload) == {
        "list": "spring", "outcome": "accepted", "offer": "plan-m", "purpose": "marketing",
        "note": "by post please",
    }  # fmt: skip
    assert crm.store.interactions.list_for(bob, kinds=["outreach.contact"]) == []
    states = [r["state"] for c in ("ANN", "BOB") for r in crm.run("contact list", customer=c).rows]
    assert states == ["made", "released"]
    with pytest.raises(UsageError, match="this row of spring is done"):
        crm.run("list done", name="spring", customer="ANN", outcome="accepted")
    with pytest.raises(NotFound):
        crm.run("list done", name="spring", customer=str(add(crm, "EVE")), outcome="accepted")


def test_results_compare_both_groups_by_what_they_did(crm) -> None:
    """20 customers, half of them control. Of the 10 treated 6 order in time, of the control 2.

    Difference 0.4. Wilson for 6/10: 0.3127 to 0.8318; for 2/10: 0.0567 to 0.5098 (z = 1.96).
    Low 0.4 - sqrt((0.6 - 0.3127)^2 + (0.5098 - 0.2)^2) = 0.4 - sqrt(0.08254 + 0.09598) = -0.0225;
    high 0.4 + sqrt((0.8318 - 0.6)^2 + (0.2 - 0.0567)^2) = 0.4 + sqrt(0.05373 + 0.02053) = 0.6725.
    """
    with crm.store.begin("test") as tx:
        people = [crm.store.customers.add(contact_points=reachable(i), tx=tx).id for i in range(20)]
    said = {"channel": "any", "purpose": "any", "state": "given", "at": crm.clock()}
    crm.store.records.put(
        "contact.consent", source="test", refs=[str(i) for i in people], owners=people,
        values={name: [value] * 20 for name, value in said.items()},
    )  # fmt: skip
    rows = make(crm, people, plan(control_share=0.5, seed=3, success="core.order"))
    assert Counter(row["state"] for row in rows.values()) == {"todo": 10, "control": 10}
    treated = [i for i in people if rows[i]["state"] == "todo"]
    control = [i for i in people if rows[i]["state"] == "control"]
    # The control group takes no place.
    assert len(crm.store.records.list("contact.slot")) == 10
    in_time = [(i, 1) for i in treated[:6] + control[:2]]
    too_late = [(i, 30) for i in control[2:5]]
    crm.store.interactions.log([
        NewInteraction(kind="core.order", occurred_at=NOON + timedelta(days=d), customer_id=i)
        for i, d in in_time + too_late
    ])  # fmt: skip
    one, two, uplift = crm.run("list results", name="spring", days=30).rows
    assert (one["customers"], one["successes"], two["customers"], two["successes"]) == (
        10,
        6,
        10,
        2,
    )
    assert uplift["rate"] == pytest.approx(0.4)
    assert (uplift["low"], uplift["high"]) == pytest.approx((-0.0225, 0.6725), abs=0.0002)


def test_a_list_is_made_from_a_report(crm) -> None:
    add(crm, "ANN", name="Ann")
    answer = crm.run(
        "list make", name="all", report="core.customers", as_of="2026-04-01", control=0.0
    )
    (row,) = answer.rows
    assert (row["made_from"], row["treated"]) == ("report:core.customers", 1)
    (listed,) = crm.run("list show", name="all").rows
    assert listed["drawn_from"] == "report:core.customers"
    with pytest.raises(UsageError, match="one of --report, --segment and --rule"):
        crm.run("list make", name="none")


def test_a_list_of_nobody_says_why_and_to_which_day_the_data_reach(crm, monkeypatch) -> None:
    from crmkit.builtin.outreach import commands

    asked = {"report": "core.customers", "as_of": "2026-03-30"}
    why = "the report core.customers names no customer as of 2026-03-30"
    assert crm.run("list make", name="none", **asked).remarks == (
        f"nobody is on none: {why}, and no interaction is stored at all.",
    )
    ann = add(crm, "ANN", consent="")
    told = NewInteraction(
        kind="core.call", occurred_at=NOON - timedelta(days=30), customer_id=ann, source="billing"
    )
    # Logged here today, as an outcome is: no data reach to today for that.
    crm.store.interactions.log(
        [told, NewInteraction(kind="core.call", occurred_at=NOON, customer_id=ann)]
    )
    assert crm.run("list make", name="asked", **asked).remarks == (
        "1 blocked: no_consent.", "nobody on asked may be contacted; see: crmkit list show asked",
    )  # fmt: skip
    # As of a report that looks at the last days alone.
    monkeypatch.setattr(commands, "of_report", lambda *_, **__: [])
    assert crm.run("list make", name="late", **asked).remarks == (
        f"nobody is on late: {why}; the data reach to 2026-03-01. Made of what was known then: "
        "--as-of 2026-03-01",
    )


def test_a_dry_run_shows_the_counts_and_leaves_nothing(crm) -> None:
    add(crm, "ANN")
    asked = {"name": "all", "report": "core.customers", "as_of": "2026-04-01"}
    (shown,) = crm.commands.run("list make", asked, dry_run=True).rows
    assert shown["treated"] == 1
    assert crm.run("list list").rows == []
    for kept in ("outreach.row", "contact.slot"):
        assert crm.store.records.list(kept) == []
    (made,) = crm.run("list make", **asked).rows
    assert {k: v for k, v in made.items() if k != "made_at"} == {
        k: v for k, v in shown.items() if k != "made_at"
    }


def test_a_long_list_is_made_in_short_writes_that_keep_the_caps_and_the_share(
    crm, monkeypatch
) -> None:
    """Seven customers in writes of three: others may write between them."""
    from crmkit.builtin.outreach import making

    monkeypatch.setattr(making, "BATCH", 3)
    people = [add(crm, f"C{i}", consent="any" if i < 6 else "") for i in range(7)]
    rows = make(crm, people, plan(control_share=0.5))
    # The list, three batches, the counts.
    with crm.store.read() as connection:
        writes = text("select count(*) from tx where command = 'list make'")
        assert connection.scalar(writes) == 5
    assert Counter(row["state"] for row in rows.values()) == {"todo": 3, "control": 3, "blocked": 1}
    (made,) = crm.run("list list").rows
    assert [made[n] for n in ("candidates", "treated", "control", "blocked")] == [7, 3, 3, 1]


def test_a_list_that_was_cut_short_goes_on_where_it_was(crm, monkeypatch) -> None:
    """Killed after the first of two writes of customers; nobody is on it twice, no place is lost."""
    from crmkit.builtin.outreach import making

    monkeypatch.setattr(making, "BATCH", 2)
    people = [add(crm, f"C{i}") for i in range(4)]
    fill, calls = making.Making._fill, []

    def cut(self, chosen, tx):
        calls.append(len(chosen))
        if len(calls) == 2:
            raise KeyboardInterrupt
        fill(self, chosen, tx)

    monkeypatch.setattr(making.Making, "_fill", cut)
    with pytest.raises(KeyboardInterrupt):
        make(crm, people)
    assert len(crm.run("list show", name="spring").rows) == 2
    with pytest.raises(UsageError, match="there is a list spring already"):
        make(crm, people, plan(seed=9))
    rows = make(crm, people)
    assert {row["state"] for row in rows.values()} == {"todo"}
    assert set(rows) == set(people)
    slots = crm.store.records.read("contact.slot", ("owner_id",))
    assert sorted(i for (i,) in slots) == sorted(people)
    with pytest.raises(UsageError, match="there is a list spring already"):
        make(crm, people)
