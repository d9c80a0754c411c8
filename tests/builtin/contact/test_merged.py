"""Consents, caps and blocks of customers that were merged: the stricter side holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import crmkit
from crmkit.builtin.contact.consent import Entry
from crmkit.entities import ContactRequest, CustomerRef
from crmkit.testing.clock import SettableClock

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def crm(tmp_path_factory):
    clock = SettableClock()
    with crmkit.init(tmp_path_factory.mktemp("merged") / "shop", clock=clock) as crm:
        yield crm


def pair(crm: Any) -> tuple[int, int]:
    return tuple(crm.store.customers.add(name=n).id for n in ("Ann", "Anna"))  # type: ignore[return-value]


def entry(customer: int, given_: bool, hours: int, channel: str = "email") -> Entry:
    return Entry(
        customer_id=customer, channel=channel, purpose="marketing", given=given_,
        at=NOON + timedelta(hours=hours),
    )  # fmt: skip


def say(crm: Any, *entries: Entry) -> None:
    crm.service("contact.consents").file(entries)


def state(crm: Any, customer: int, channel: str = "email") -> str:
    return crm.service("contact.consents").state(customer, channel, "marketing")  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("mine", "theirs", "together"),
    [
        # None says nothing; the number is the hour before noon in which it was said.
        ((True, -2), (False, -3), "withdrawn"),
        ((False, -3), (True, -2), "withdrawn"),
        ((True, -2), None, "given"),
        (None, (True, -2), "given"),
        (None, (False, -2), "withdrawn"),
        (None, None, "unknown"),
    ],
)
def test_the_stricter_side_holds_whatever_was_said_last(crm, mine, theirs, together) -> None:
    ann, anna = pair(crm)
    for person, said in ((ann, mine), (anna, theirs)):
        if said:
            say(crm, entry(person, *said))
    alone = state(crm, ann), state(crm, anna)
    merges = crm.store.merges.merge([(ann, anna)])
    assert state(crm, ann) == together
    crm.store.merges.unmerge(merges)
    assert (state(crm, ann), state(crm, anna)) == alone


def test_the_one_customer_that_they_are_now_may_consent_anew(crm) -> None:
    ann, anna = pair(crm)
    say(crm, entry(anna, False, -3), entry(ann, True, -2))
    crm.store.merges.merge([(ann, anna)])
    assert state(crm, ann) == "withdrawn"
    crm.clock.advance(hours=1)
    crm.run("consent give", customer=str(ann), channel="email")
    assert state(crm, ann) == "given"
    crm.clock.advance(hours=-1)


SAID = st.lists(
    st.tuples(
        st.sampled_from((0, 1)), st.booleans(), st.integers(-9, 0),
        st.sampled_from(("any", "email", "phone")),
    ),
    max_size=6,
)  # fmt: skip


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(SAID)
def test_a_merge_is_never_laxer_than_a_side_and_is_undone_exactly(crm, said) -> None:
    people = pair(crm)
    say(crm, *(entry(people[side], *rest) for side, *rest in said))
    policy = crm.service("contact.policy")
    asked = [
        ContactRequest(customer_id=p, channel=c, purpose="marketing", at=NOON)
        for p in people for c in ("email", "phone")
    ]  # fmt: skip
    alone = [d.code for d in policy.ask(asked)]
    merges = crm.store.merges.merge([people])
    together = policy.ask(asked)
    assert {d.customer_id for d in together} == {people[0]}
    for channel in (0, 1):
        sides = {alone[channel], alone[2 + channel]}
        code = together[channel].code
        assert code == together[2 + channel].code
        if sides & {"withdrawn", "do_not_contact"}:
            assert code in ("withdrawn", "do_not_contact")
        elif "allowed" in sides:
            assert code == "allowed"
        else:
            assert code == "no_consent"
    crm.store.merges.unmerge(merges)
    assert [d.code for d in policy.ask(asked)] == alone


def test_contacts_and_blocks_of_both_sides_count(workspace) -> None:
    ids = [
        workspace.store.customers.add(name=n, refs=[CustomerRef("crm", n)]).id
        for n in ("Ann", "Anna")
    ]
    policy = workspace.service("contact.policy")
    for name in ("Ann", "Anna"):
        workspace.run("consent give", customer=name)
    asked = [
        ContactRequest(customer_id=i, channel="email", purpose="marketing", at=NOON) for i in ids
    ]
    policy.reserve(asked[1:], taken_by="web")
    later = [
        ContactRequest(customer_id=i, channel="email", purpose="marketing", at=NOON + timedelta(days=9))
        for i in ids
    ]  # fmt: skip
    workspace.run(
        "contact block", customer="Anna", reason="dispute", until=NOON + timedelta(days=10)
    )
    workspace.run("contact unblock", customer="Anna")
    merges = workspace.store.merges.merge([(ids[0], ids[1])])
    assert [d.code for d in policy.ask(asked)] == ["cap_1", "cap_1"]
    workspace.run(
        "contact block", customer="Ann", reason="dispute", until=NOON + timedelta(days=10)
    )
    assert [d.code for d in policy.ask(later)] == ["dispute", "dispute"]
    workspace.store.merges.unmerge(merges)
    assert [d.code for d in policy.ask(asked)] == ["dispute", "cap_1"]
