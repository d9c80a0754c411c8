"""Nobody is offered what they refused after a list was made, nor twice at one address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmkit.entities import ContactPoint, ContactRequest, CustomerRef
from crmkit.errors import NotPermitted, UsageError

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def database_url(tmp_path) -> str:
    """SQLite only: the lists and the policy beside this file are tried on both databases."""
    return f"sqlite:///{tmp_path / 'crmkit.db'}"


@pytest.fixture
def crm(workspace):
    return workspace


def add(crm: Any, ref: str, *points: str, **more: Any) -> int:
    """A customer ``source:key`` with contact points ``kind:value``, who consents to everything."""
    source, _, key = ref.partition(":")
    made = crm.store.customers.add(
        name=key, refs=[CustomerRef(source, key)],
        contact_points=[ContactPoint(*p.split(":", 1)) for p in points or (f"email:{key}@x.test",)],
        **more,
    )  # fmt: skip
    crm.run("consent give", customer=ref)
    return int(made.id)


def make(crm: Any, name: str = "L", channel: str = "email", **more: Any) -> dict[int, Any]:
    crm.run(
        "list make", name=name, report="core.customers", as_of="2026-04-01",
        **{"channel": (channel,), "offer": "o", **more},
    )  # fmt: skip
    return rows(crm, name)


def rows(crm: Any, name: str = "L") -> dict[int, Mapping[str, Any]]:
    return {row["customer_id"]: row for row in crm.run("list show", name=name).rows}


def next_of(crm: Any, name: str = "L") -> list[int]:
    return [row["customer_id"] for row in crm.run("list next", name=name).rows]


def stored(crm: Any, customer: int) -> tuple[str, str | None]:
    (found,) = crm.store.records.read("outreach.row", ("state", "code"), where={"owner_id": customer})  # fmt: skip
    return found


# Each is filed after the list was made: the command, its values, and the code of the blocked row.
REFUSALS = [
    ("consent withdraw", {"purpose": "any"}, "withdrawn"),
    ("consent withdraw", {"channel": "email"}, "withdrawn"),
    ("consent withdraw", {}, "withdrawn"),
    ("contact block", {"reason": "bereavement"}, "bereavement"),
    ("contact block", {"reason": "dispute", "until": NOON + timedelta(days=60)}, "dispute"),
]


@pytest.mark.parametrize(("command", "values", "code"), REFUSALS)
def test_what_is_refused_after_a_list_was_made_is_never_offered(
    crm, command: str, values: dict[str, Any], code: str
) -> None:
    one, other = add(crm, "s:1"), add(crm, "s:2")
    assert {row["state"] for row in make(crm).values()} == {"todo"}
    crm.run(command, customer="s:1", **values)
    assert (rows(crm)[one]["state"], rows(crm)[one]["code"]) == ("blocked", code)
    assert rows(crm)[other]["state"] == "todo"
    with pytest.raises(NotPermitted, match="no contact by email for marketing"):
        crm.run("list done", name="L", customer="s:1", outcome="accepted")
    # A refused command writes nothing; the next one that looks for work blocks the row.
    assert stored(crm, one) == ("todo", None)
    assert crm.store.interactions.list_for(one, kinds=["outreach.contact"]) == []
    answer = crm.run("list next", name="L")
    assert [row["customer_id"] for row in answer.rows] == [other]
    # The first of equal value is asked first, so it was met on the way.
    assert answer.remarks == (f"1 blocked since the list was made: {code}.",)
    assert stored(crm, one) == ("blocked", code)
    assert [row["state"] for row in crm.run("contact list", customer="s:1").rows] == ["released"]
    with pytest.raises(NotPermitted, match="this row of L is blocked"):
        crm.run("list done", name="L", customer="s:1", outcome="accepted")
    assert [(r["code"], r["rows"]) for r in crm.run("list blocked", name="L").rows] == [(code, 1)]


def test_another_channel_withdrawn_changes_nothing(crm) -> None:
    one = add(crm, "s:1")
    make(crm)
    crm.run("consent withdraw", customer="s:1", channel="phone")
    assert next_of(crm) == [one]
    crm.run("list done", name="L", customer="s:1", outcome="accepted")


def test_quiet_hours_put_a_row_off_and_caps_too(crm, crm_clock) -> None:
    """Quiet from 21:00 to 08:00 UTC; one contact a day, of whatever department."""
    one = add(crm, "s:1", time_zone="UTC")
    make(crm)
    crm_clock.set(NOON + timedelta(hours=10))
    answer = crm.run("list next", name="L")
    assert answer.rows == ()
    assert answer.remarks == ("the next row of L is for 2026-04-01T08:00:00Z.",)
    with pytest.raises(NotPermitted, match="quiet hours 21:00 to 08:00") as refused:
        crm.run("list done", name="L", customer="s:1", outcome="accepted")
    assert refused.value.hint == "It may be made from 2026-04-01T08:00:00Z."
    # The slot went with the row: the day before is free again, and the next is taken.
    days = crm.store.records.read("contact.slot", ("day",))
    assert [str(day) for (day,) in days] == ["2026-04-01"]
    crm_clock.set(datetime(2026, 4, 1, 9, tzinfo=UTC))
    crm.run("contact log", customer="s:1", channel="letter", purpose="service")
    assert next_of(crm) == []
    with pytest.raises(NotPermitted, match="the limit is reached: contacts 1, days 1"):
        crm.run("list done", name="L", customer="s:1", outcome="accepted")
    crm_clock.set(datetime(2026, 4, 2, 9, tzinfo=UTC))
    assert next_of(crm) == [one]
    crm.run("list done", name="L", customer="s:1", outcome="accepted")
    # It counts on the day on which it was made.
    assert [str(r["day"]) for r in crm.run("contact list", customer="s:1").rows] == [
        "2026-04-02", "2026-04-01",
    ]  # fmt: skip


def test_a_row_for_tomorrow_that_was_refused_tonight_is_not_promised(crm, crm_clock) -> None:
    """At 22:00 both rows are planned for 08:00 the next day; one customer then withdraws."""
    crm_clock.set(NOON + timedelta(hours=10))
    one, other = add(crm, "s:1"), add(crm, "s:2")
    tomorrow = datetime(2026, 4, 1, 8, tzinfo=UTC)
    assert {row["at"] for row in make(crm).values()} == {tomorrow}
    crm.run("consent withdraw", customer="s:1", channel="email")
    answer = crm.run("list next", name="L")
    assert answer.rows == ()
    assert "1 blocked since the list was made: withdrawn." in answer.remarks
    assert "the next row of L is for 2026-04-01T08:00:00Z." in answer.remarks
    assert stored(crm, one) == ("blocked", "withdrawn")
    assert stored(crm, other) == ("todo", None)
    crm.run("consent withdraw", customer="s:2", channel="email")
    assert "nothing is left to do on L." in crm.run("list next", name="L").remarks


def test_a_contact_made_before_the_refusal_can_be_filed_after_it(crm, crm_clock) -> None:
    one, _ = add(crm, "s:1"), add(crm, "s:2")
    make(crm)
    crm_clock.advance(minutes=10)
    called = crm_clock()
    crm_clock.advance(minutes=5)
    crm.run("consent withdraw", customer="s:1")
    crm.run("list next", name="L")
    assert stored(crm, one)[0] == "blocked"
    asked = {"name": "L", "customer": "s:1", "outcome": "declined"}
    for wrong in (NOON - timedelta(days=1), NOON + timedelta(days=1)):
        with pytest.raises(UsageError, match="a contact of L is made from"):
            crm.run("list done", at=wrong, **asked)
    crm.run("list done", at=called, **asked)
    (logged,) = crm.store.interactions.list_for(one, kinds=["outreach.contact"])
    assert logged.occurred_at == called
    assert stored(crm, one)[0] == "done"


def test_who_was_to_be_treated_stays_in_the_treated_group(crm) -> None:
    add(crm, "s:1")
    add(crm, "s:2")
    make(crm, success="core.order")
    crm.run("consent withdraw", customer="s:1")
    crm.run("list next", name="L")
    (treated, _) = crm.run("list results", name="L").rows
    assert treated["customers"] == 2


def test_the_desk_offers_nothing_that_was_refused(crm, crm_clock) -> None:
    from crmkit.builtin.outreach.panels import panels

    one = add(crm, "s:1", time_zone="UTC")
    make(crm)
    (panel,) = panels()
    assert [row["offer"] for row in panel.rows(crm, [one])] == ["o"]
    # Who calls at night is not called by us.
    crm_clock.set(NOON + timedelta(hours=10))
    assert [row["offer"] for row in panel.rows(crm, [one])] == ["o"]
    crm.run("consent withdraw", customer="s:1", purpose="any")
    assert list(panel.rows(crm, [one])) == []


# --- one address ----------------------------------------------------------------------------------


def test_one_address_is_contacted_once_and_the_stricter_word_holds_for_it(crm) -> None:
    """The run that was reported: two records of one person, and somebody else."""
    a1 = add(crm, "a:1", "email:ann@x.example")
    b1 = add(crm, "b:1", "email: Ann+shop@X.example")
    a2 = add(crm, "a:2", "email:cid@x.example")
    found = make(crm, "one")
    assert [found[i]["state"] for i in (a1, b1, a2)] == ["todo", "blocked", "todo"]
    assert found[b1]["code"] == "same_address"
    crm.run("consent withdraw", customer="b:1", channel="email")
    found = rows(crm, "one")
    assert [found[i]["state"] for i in (a1, b1, a2)] == ["blocked", "blocked", "todo"]
    assert found[a1]["code"] == "withdrawn"
    assert found[a1]["words"] == (
        "another customer with the same address withdrew consent to marketing by email"
    )
    assert next_of(crm, "one") == [a2]
    with pytest.raises(NotPermitted, match="another customer with the same address withdrew"):
        crm.run("list done", name="one", customer="a:1", outcome="accepted")
    found = make(crm, "two", within_days=0)
    assert [found[i]["code"] for i in (a1, b1, a2)] == ["withdrawn", "withdrawn", "cap_1"]


def test_who_may_be_contacted_is_the_one_of_the_two(crm) -> None:
    one = crm.store.customers.add(
        refs=[CustomerRef("a", "1")], contact_points=[ContactPoint("email", "ann@x.example")]
    ).id
    other = add(crm, "b:1", "email:ANN@x.example")
    found = make(crm)
    assert (found[one]["code"], found[other]["state"]) == ("no_consent", "todo")


def test_batches_of_one_list_contact_an_address_once(crm, monkeypatch) -> None:
    from crmkit.builtin.outreach import making

    monkeypatch.setattr(making, "BATCH", 1)
    a, b = add(crm, "a:1", "phone:+49 30 123456"), add(crm, "b:1", "phone:030 123456")
    found = make(crm, channel="phone")
    assert [found[i]["code"] for i in (a, b)] == [None, "same_address"]


def ask(crm: Any, customer: int, channel: str, at: datetime = NOON) -> str:
    request = ContactRequest(customer_id=customer, channel=channel, purpose="marketing", at=at)
    (decision,) = crm.service("contact.policy").ask([request])
    return str(decision.code)


def test_caps_and_blocks_count_at_the_shared_address_alone(crm) -> None:
    """Both have one phone and each a mailbox of their own."""
    a = add(crm, "a:1", "phone:+49 30 123456", "email:ann@x.example")
    b = add(crm, "b:1", "phone:0049 30 123456", "email:bob@x.example")
    crm.run("contact log", customer="a:1", channel="email")
    assert [ask(crm, i, "email") for i in (a, b)] == ["cap_1", "allowed"]
    crm.run("contact log", customer="a:1", channel="sms")
    # The message reached the phone of both.
    assert ask(crm, b, "email") == "cap_1"
    later = NOON + timedelta(days=60)
    crm.run("contact block", customer="a:1", reason="bereavement")
    assert [ask(crm, b, channel, later) for channel in ("phone", "email")] == [
        "bereavement", "allowed",
    ]  # fmt: skip
    crm.run("consent withdraw", customer="b:1", purpose="any")
    crm.run("contact unblock", customer="a:1")
    assert [ask(crm, a, channel, later) for channel in ("phone", "sms", "email", "letter")] == [
        "do_not_contact", "do_not_contact", "allowed", "allowed",
    ]  # fmt: skip


def test_two_places_at_one_address_are_one_too_many(crm) -> None:
    a = add(crm, "a:1", "email:ann@x.example")
    b = add(crm, "b:1", "email:ann+x@x.example")
    requests = [
        ContactRequest(customer_id=i, channel="email", purpose="marketing", at=NOON) for i in (a, b)
    ]
    policy = crm.service("contact.policy")
    assert [d.code for d in policy.reserve(requests, taken_by="t")] == ["allowed", "cap_1"]


def test_an_address_that_an_import_or_an_edit_brought_counts_and_a_former_one_does_not(crm) -> None:
    a, b = add(crm, "a:1", "email:ann@x.example"), add(crm, "b:1", "email:bob@x.example")
    crm.run("consent withdraw", customer="b:1")
    assert ask(crm, a, "email") == "allowed"
    crm.store.customers.edit(b, version=1, contact_points=[ContactPoint("email", "ann@X.example")])
    assert ask(crm, a, "email") == "withdrawn"
    crm.store.customers.edit(b, version=2, contact_points=[ContactPoint("email", "b@x.example")])
    assert ask(crm, a, "email") == "allowed"


def test_an_address_that_a_hundred_others_have_is_nobodys_own(crm) -> None:
    a = add(crm, "a:1", "email:none@x.example")
    crm.run("consent give", customer="a:1")
    with crm.store.begin("test") as tx:
        point = [ContactPoint("email", "None@x.example")]
        others = [crm.store.customers.add(contact_points=point, tx=tx).id for _ in range(99)]
    crm.run("consent withdraw", customer=str(others[0]))
    assert len(crm.store.customers.sharing([a])) == 99
    assert ask(crm, a, "email") == "withdrawn"
    crm.store.customers.add(contact_points=point)
    assert crm.store.customers.sharing([a]) == set()
    assert ask(crm, a, "email") == "allowed"


def test_of_merged_customers_the_addresses_of_all_count(crm) -> None:
    kept, gone = add(crm, "a:1", "email:ann@x.example"), add(crm, "a:2", "email:old@x.example")
    other = add(crm, "b:1", "email:old@x.example")
    crm.store.merges.merge([(kept, gone)])
    crm.run("consent withdraw", customer="b:1")
    assert ask(crm, kept, "email") == "withdrawn"
    assert ask(crm, other, "email") == "withdrawn"


# --- protected renewals ---------------------------------------------------------------------------


def test_a_list_leaves_the_protected_customers_of_others_to_them(crm) -> None:
    mine, theirs, free = (
        add(crm, "s:1", owner=crm.actor), add(crm, "s:2", owner="ann"), add(crm, "s:3"),
    )  # fmt: skip
    found = make(crm)
    assert [found[i]["code"] for i in (mine, theirs, free)] == [None, "protected", None]
    assert found[theirs]["words"] == (
        "ann has the customer since 2026-03-31; renewals are free for others from 2026-09-30"
    )
    # Given to somebody after the list was made: passed over, refused, and left to them.
    crm.ownership.assign(free, "ann")
    crm.run("list done", name="L", customer="s:1", outcome="accepted")
    answer = crm.run("list next", name="L")
    assert answer.rows == ()
    assert answer.remarks[0] == "1 left to the agents whose renewals are protected."
    with pytest.raises(NotPermitted, match="ann has the customer since 2026-03-31") as refused:
        crm.run("list done", name="L", customer="s:3", outcome="accepted")
    assert refused.value.code == "E_RENEWAL"
    assert stored(crm, free) == ("todo", None)
    # What is no renewal is not asked.
    crm.run("contact purpose", purpose="marketing", protected=False)
    assert next_of(crm) == [free]
    assert make(crm, "S", purpose="service")[theirs]["state"] == "todo"
