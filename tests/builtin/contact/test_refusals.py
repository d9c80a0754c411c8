"""Blocks, owners and places of one customer, asked on both sides of every instant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

import crmkit
from crmkit.builtin.contact.panels import panels
from crmkit.builtin.contact.policy import count_blocked
from crmkit.builtin.contact.purposes import Purpose, parse_cap
from crmkit.builtin.contact.reasons import block_words
from crmkit.entities import ContactDecision, ContactRequest, CustomerRef
from crmkit.errors import NotFound, UsageError
from crmkit.testing.clock import SettableClock
from crmkit.workspace import Crm

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
NUMBERS = count(1)
_, DISPUTE_ZH = block_words("dispute")


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    folder = tmp_path_factory.mktemp("refusals") / "shop"
    with crmkit.init(folder, clock=SettableClock(), language="zh") as crm:
        yield crm


@pytest.fixture
def ann(crm: Crm) -> int:
    """A customer of the agent Bea, in the workspace's zone, who consents to everything."""
    ref = f"A{next(NUMBERS)}"
    made = crm.store.customers.add(name="Ann", owner="bea", refs=[CustomerRef("crm", ref)])
    crm.run("consent give", customer=ref, purpose="any")
    return made.id


def request(customer: int, at: datetime = NOON, **more: Any) -> ContactRequest:
    return ContactRequest(
        **{"customer_id": customer, "channel": "email", "purpose": "marketing", "at": at, **more}
    )


def ask(crm: Crm, *args: Any, **more: Any) -> ContactDecision:
    found: list[ContactDecision] = crm.service("contact.policy").ask([request(*args, **more)])
    return found[0]


def block(crm: Crm, customer: int, **values: Any) -> None:
    crm.store.records.set(
        "contact.block",
        source="test",
        ref=str(next(NUMBERS)),
        owner_id=customer,
        values={"code": "dispute", **values},
    )


@pytest.mark.parametrize(
    ("since", "until", "blocked"),
    [
        (None, None, True),
        (NOON, None, True),
        (NOON + TICK, None, False),
        (None, NOON + TICK, True),
        (None, NOON, False),
        (NOON - TICK, NOON + TICK, True),
        (NOON - 2 * TICK, NOON - TICK, False),
        (NOON + TICK, NOON + 2 * TICK, False),
    ],
)
def test_a_block_holds_from_its_first_instant_until_before_its_last(
    crm: Crm, ann: int, since: datetime | None, until: datetime | None, blocked: bool
) -> None:
    block(crm, ann, since=since, until=until)
    found = ask(crm, ann)
    assert found.code == ("dispute" if blocked else "allowed")
    assert found.free_at == (until if blocked else NOON)
    if blocked:
        assert found.words == "the customer is not to be contacted: a dispute is open"
        assert found.words_zh == DISPUTE_ZH


def test_blocks_that_follow_one_another_free_the_customer_at_the_last_end(
    crm: Crm, ann: int
) -> None:
    """Until 15:00, from 15:00 until 20:00 (22:00 is not yet quiet), and one that is over."""
    three, eight = NOON + timedelta(hours=3), NOON + timedelta(hours=8)
    block(crm, ann, since=three, until=eight)
    block(crm, ann, until=three)
    block(crm, ann, until=NOON)
    assert ask(crm, ann).free_at == eight
    block(crm, ann, since=eight)
    assert ask(crm, ann).free_at is None


def test_a_block_of_a_purpose_stops_that_purpose_alone(crm: Crm, ann: int) -> None:
    block(crm, ann, purposes=["service"])
    codes = {p: ask(crm, ann, purpose=p).code for p in ("marketing", "service", "notice")}
    assert codes == {"marketing": "allowed", "service": "dispute", "notice": "allowed"}
    # One that names none stops what can be blocked; "do not contact" all that needs a word.
    block(crm, ann)
    assert ask(crm, ann).code == "dispute"
    block(crm, ann, code="do_not_contact")
    assert not ask(crm, ann, purpose="service").allowed
    assert ask(crm, ann, purpose="notice").allowed


def test_do_not_contact_stops_service_too_and_any_other_block_does_not(crm: Crm, ann: int) -> None:
    block(crm, ann)
    assert ask(crm, ann, purpose="service").allowed
    block(crm, ann, code="do_not_contact")
    assert ask(crm, ann, purpose="service").code == "do_not_contact"


def test_renewals_are_the_owners_until_the_protection_ends(crm: Crm, ann: int) -> None:
    """Bea has the customer since 31 March: six months, so 30 September is free for others.

    Marketing begins after the quiet hours: 08:00 UTC.
    """
    told = ask(crm, ann, agent="cem")
    assert (told.code, told.free_at) == ("protected", datetime(2026, 9, 30, 8, tzinfo=UTC))
    assert told.words == (
        "bea has the customer since 2026-03-31; renewals are free for others from 2026-09-30"
    )
    assert ask(crm, ann, agent="bea").allowed
    assert ask(crm, ann).allowed
    assert ask(crm, ann, agent="cem", purpose="service").allowed
    last = datetime(2026, 9, 29, 20, 59, tzinfo=UTC)
    assert ask(crm, ann, last, agent="cem").code == "protected"
    assert ask(crm, ann, datetime(2026, 9, 30, 8, tzinfo=UTC), agent="cem").allowed


def test_a_contact_is_asked_for_again_when_it_is_made_and_its_own_place_does_not_count(
    crm: Crm, ann: int
) -> None:
    policy, later = crm.service("contact.policy"), NOON + timedelta(days=2)
    (taken,) = policy.reserve([request(ann)], taken_by="list")
    own = {"slot": taken.slot}
    assert ask(crm, ann).code == "cap_1"
    assert ask(crm, ann, **own).allowed

    def place() -> tuple[Any, ...]:
        names = ("day", "state", "at")
        (row,) = crm.store.records.read("contact.slot", names, where={"ref": taken.slot})
        return tuple(row)

    with crm.store.begin("move") as tx:
        policy.move([request(ann, later, **own)], tx=tx)
        policy.move([], tx=tx)
    assert place() == (later.date(), "reserved", later)
    assert ask(crm, ann).allowed
    block(crm, ann, since=NOON, until=NOON + timedelta(hours=1))
    with crm.store.begin("confirm") as tx:
        (refused,) = policy.confirm([request(ann, **own)], tx=tx)
        assert (refused.code, place()[1]) == ("dispute", "reserved")
        made = NOON + timedelta(hours=1)
        (done,) = policy.confirm([request(ann, made, **own)], tx=tx)
    assert done.allowed
    assert place() == (NOON.date(), "made", made)
    assert ask(crm, ann, NOON + timedelta(hours=2)).code == "cap_1"
    with crm.store.begin("confirm") as tx, pytest.raises(NotFound, match="reserved contact"):
        policy.confirm([request(ann, later + timedelta(days=9))], tx=tx)


def test_of_two_contacts_of_a_day_only_the_own_place_is_left_out(crm: Crm, ann: int) -> None:
    policy = crm.service("contact.policy")
    (taken,) = policy.reserve([request(ann)], taken_by="list")
    assert ask(crm, ann, slot=taken.slot).allowed
    policy.log([request(ann, purpose="service")], taken_by="shop")
    found = ask(crm, ann, slot=taken.slot)
    # From 08:00 of the next day.
    assert (found.code, found.free_at) == ("cap_1", datetime(2026, 4, 1, 8, tzinfo=UTC))


def test_each_reason_is_counted_the_most_frequent_first(crm: Crm, ann: int) -> None:
    block(crm, ann, purposes=["service"])
    asked = [{}, {"purpose": "service"}, {"purpose": "service"}, {"agent": "cem"}]
    night = NOON.replace(hour=23)
    found = [ask(crm, ann, **more) for more in asked] + [ask(crm, ann, night)]
    assert list(count_blocked(found).items()) == [
        ("dispute", 2),
        ("protected", 1),
        ("quiet_hours", 1),
    ]
    assert count_blocked(found[:1]) == {}


def test_the_panel_tells_what_not_to_offer_in_the_workspaces_language(crm: Crm, ann: int) -> None:
    (panel,) = panels()
    assert list(panel.rows(crm, [ann])) == []
    block(crm, ann, purposes=["service"], until=NOON + timedelta(hours=1))
    assert list(panel.rows(crm, [ann])) == [
        {
            "customer_id": ann,
            "purpose": "service",
            "why": DISPUTE_ZH,
            "free_at": NOON + timedelta(hours=1),
        }
    ]


def test_an_unknown_purpose_is_named_and_any_is_known(crm: Crm, ann: int) -> None:
    refs = {"customer": str(ann)}
    crm.run("consent give", purpose="any", **refs)
    crm.run("consent give", purpose="service", **refs)
    with pytest.raises(NotFound, match="no contact purpose 'sport'"):
        crm.run("consent give", purpose="sport", **refs)


def test_what_ends_or_happened_in_the_future_or_the_past_is_refused(crm: Crm, ann: int) -> None:
    who = {"customer": str(ann)}
    with pytest.raises(UsageError, match="is past"):
        crm.run("contact block", reason="dispute", until=NOON, **who)
    with pytest.raises(UsageError, match="is still to come"):
        crm.run("contact log", at=NOON + TICK, **who)
    (row,) = crm.run("contact log", at=NOON, **who).rows
    assert row["at"] == NOON
    with pytest.raises(UsageError, match="is still to come"):
        crm.run("consent give", at=NOON + TICK, **who)


def test_unblocking_ends_what_holds_or_is_to_come_and_leaves_what_is_over(
    crm: Crm, ann: int
) -> None:
    """One that was to begin tomorrow never holds: it ends as it begins."""
    hour, tomorrow = NOON + timedelta(hours=1), NOON + timedelta(days=1)
    spans = {
        "over": (NOON - timedelta(days=1), NOON),
        "now": (None, None),
        "until": (NOON, hour),
        "later": (tomorrow, None),
    }
    for code, (since, until) in spans.items():
        block(crm, ann, code=code, since=since, until=until)
    who = {"customer": str(ann)}
    assert [row["code"] for row in crm.run("contact unblock", reason="now", **who).rows] == ["now"]
    assert ask(crm, ann).code == "until"
    ended = crm.run("contact unblock", **who).rows
    assert {row["code"]: row["until"] for row in ended} == {"until": NOON, "later": tomorrow}
    assert ask(crm, ann).allowed
    assert ask(crm, ann, tomorrow).allowed
    with pytest.raises(UsageError, match="nothing blocks"):
        crm.run("contact unblock", **who)


@pytest.mark.parametrize(
    ("day", "hour", "allowed"),
    [
        # Six in 30 days: that of 31 March counts until 29 April, in the customer's own days.
        ("2026-04-28", 12, False),
        ("2026-04-29", 12, False),
        ("2026-04-30", 12, True),
    ],
)
def test_a_contact_counts_for_30_days_its_own_among_them(
    crm: Crm, ann: int, day: str, hour: int, allowed: bool
) -> None:
    made = [request(ann, NOON + timedelta(days=n)) for n in (0, 3, 6, 9, 12, 15)]
    crm.service("contact.policy").log(made, taken_by="shop")
    at = datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC)
    assert (ask(crm, ann, at).code == "allowed") == allowed


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("Pacific/Kiritimati", "2026-03-31T09:59:59", "2026-03-31"),
        ("Pacific/Kiritimati", "2026-03-31T10:00:00", "2026-04-01"),
        ("Pacific/Pago_Pago", "2026-03-31T10:59:59", "2026-03-30"),
        ("Pacific/Pago_Pago", "2026-03-31T11:00:00", "2026-03-31"),
        # A name that no computer knows is the workspace's zone.
        ("Pacific", "2026-03-31T10:00:00", "2026-03-31"),
        (None, "2026-03-31T10:00:00", "2026-03-31"),
    ],
)
def test_a_contact_is_counted_on_the_customers_own_day(
    crm: Crm, zone: str | None, at: str, day: str
) -> None:
    """Kiritimati is UTC+14 and Pago Pago UTC-11, so their days begin at 10:00 and 11:00 UTC."""
    ann = crm.store.customers.add(name="Ann").id
    with crm.store.begin("zone") as tx:
        table = crm.store.tables["customer"]
        tx.connection.execute(table.update().where(table.c.id == ann).values(time_zone=zone))
    instant = datetime.fromisoformat(at).replace(tzinfo=UTC)
    (slot,) = crm.service("contact.policy").log([request(ann, instant)], taken_by="shop")
    (row,) = crm.store.records.read("contact.slot", ("day",), where={"ref": slot})
    assert row[0].isoformat() == day


def test_marketing_is_rare_and_by_day_and_nothing_stops_a_notice(crm: Crm) -> None:
    """Once a day, twice in 7 and six times in 30 days, never from 21:00 to 08:00."""
    rules = {row["purpose"]: row for row in crm.run("contact purpose").rows}
    assert list(rules) == ["marketing", "notice", "service"]
    shown = {
        name: (
            r["needs"],
            r["caps"],
            r["quiet_from"],
            r["quiet_until"],
            r["blockable"],
            r["protected"],
        )
        for name, r in rules.items()
    }
    assert shown == {
        "marketing": ("consent", ["1/1", "2/7", "6/30"], "21:00", "08:00", True, True),
        "service": ("no_objection", [], "21:00", "08:00", False, False),
        "notice": ("nothing", [], "00:00", "00:00", False, False),
    }
    with pytest.raises(UsageError, match="say two things"):
        crm.run("contact purpose", purpose="survey", cap=("1/1",), no_caps=True)
    with pytest.raises(UsageError, match="whose rules"):
        crm.run("contact purpose", needs="consent")


def test_caps_are_tried_by_their_days_and_then_the_strictest_first() -> None:
    caps = Purpose(name="survey", caps=((6, 30), (3, 7), (2, 7), (1, 1))).caps
    assert caps == ((1, 1), (2, 7), (3, 7), (6, 30))
    assert parse_cap("12/365") == (12, 365)


def test_what_holds_is_asked_for_an_instant_and_now_without_one(crm: Crm) -> None:
    """Withdrawn a day ago, and by an imported row with the first day to come given again."""
    ann = crm.store.customers.add(name="Ann").id
    day = timedelta(days=1)
    for number, (state, at) in enumerate({"withdrawn": NOON - day, "given": NOON + day}.items()):
        crm.store.records.set(
            "contact.consent",
            source="file",
            ref=f"{ann}-{number}",
            owner_id=ann,
            values={"channel": "email", "purpose": "marketing", "state": state, "at": at},
        )
    consents = crm.service("contact.consents")

    def state(at: datetime | None) -> str:
        return str(consents.state(ann, "email", "marketing", at=at))

    assert state(None) == "withdrawn"
    assert [state(NOON - day - TICK), state(NOON - day)] == ["unknown", "withdrawn"]
    assert [state(NOON + day - TICK), state(NOON + day)] == ["withdrawn", "given"]
