"""What the contact policy allows, refuses and takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmkit.builtin.contact.policy import count_blocked
from crmkit.entities import ContactDecision, ContactRequest, CustomerRef
from crmkit.errors import NotFound, UsageError

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


def ask(workspace: Any, customer: int, at: datetime = NOON, **more: str) -> ContactDecision:
    (found,) = workspace.service("contact.policy").ask([request(customer, at, **more)])
    return found


def request(
    customer: int, at: datetime = NOON, channel: str = "email", purpose: str = "marketing"
) -> ContactRequest:
    return ContactRequest(customer_id=customer, channel=channel, purpose=purpose, at=at)


def take(workspace: Any, *requests: ContactRequest, by: str = "test") -> list[ContactDecision]:
    found: list[ContactDecision] = workspace.service("contact.policy").reserve(
        requests, taken_by=by
    )
    return found


@pytest.fixture
def database_url(tmp_path) -> str:
    """SQLite only: nothing here asks the database more than the tests beside it, which use both."""
    return f"sqlite:///{tmp_path / 'crmkit.db'}"


@pytest.fixture
def ann(workspace) -> int:
    """A customer in Berlin who consents to everything."""
    made = workspace.store.customers.add(
        name="Ann", time_zone="Europe/Berlin", refs=[CustomerRef("crm", "ANN")]
    )
    workspace.run("consent give", customer="ANN", purpose="any")
    return made.id


def test_marketing_needs_a_consent_and_service_only_no_objection(workspace) -> None:
    bob = workspace.store.customers.add(name="Bob", refs=[CustomerRef("crm", "BOB")]).id
    refused = ask(workspace, bob)
    assert (refused.code, refused.free_at) == ("no_consent", None)
    assert refused.words == "there is no consent to marketing by email"
    assert refused.words_zh == "客户未同意marketing（email）"
    assert ask(workspace, bob, purpose="service").allowed
    workspace.run("consent give", customer="BOB", channel="email")
    assert ask(workspace, bob).allowed
    assert ask(workspace, bob, channel="phone").code == "no_consent"


def test_an_objection_to_everything_stops_all_but_what_has_to_be_told(workspace, ann) -> None:
    workspace.run("consent withdraw", customer="ANN", purpose="any", at=NOON - timedelta(seconds=1))
    # Said before the consent of the fixture, it is lifted by it.
    assert ask(workspace, ann).allowed
    workspace.run("consent withdraw", customer="ANN", purpose="any")
    assert ask(workspace, ann).code == "do_not_contact"
    assert ask(workspace, ann, purpose="service").code == "do_not_contact"
    assert ask(workspace, ann, purpose="notice").allowed


def test_the_ledger_is_never_changed(workspace, ann) -> None:
    (row,) = workspace.store.records.list("contact.consent")
    with pytest.raises(UsageError) as refused:
        workspace.store.records.set(
            "contact.consent", source=row.source, ref=row.ref, values={"state": "withdrawn"}
        )
    assert refused.value.code == "E_APPEND_ONLY"


def test_caps_hold_over_departments_and_say_when_the_customer_is_free(workspace, ann) -> None:
    """One a day and two in seven days, in the customer's own days.

    Taken on Tuesday 2026-03-31 and Thursday 2026-04-02. On Friday both are in the seven days, and
    so until the Tuesday has left them: on Tuesday 2026-04-07, from 08:00 in Berlin, 06:00 UTC.
    """
    thursday, friday = NOON + timedelta(days=2), NOON + timedelta(days=3)
    (first,) = take(workspace, request(ann), by="telesales")
    assert first.allowed
    again = ask(workspace, ann, NOON + timedelta(hours=3), channel="phone")
    # Wednesday 08:00 in Berlin.
    assert (again.code, again.free_at) == ("cap_1", datetime(2026, 4, 1, 6, tzinfo=UTC))
    assert take(workspace, request(ann, thursday), by="web")[0].allowed
    full = ask(workspace, ann, friday)
    assert (full.code, full.free_at) == ("cap_7", datetime(2026, 4, 7, 6, tzinfo=UTC))
    assert ask(workspace, ann, full.free_at).allowed
    assert not ask(workspace, ann, full.free_at - timedelta(minutes=1)).allowed


def test_the_sixth_contact_in_thirty_days_is_the_last(workspace, ann) -> None:
    weeks = [request(ann, NOON + timedelta(days=d)) for d in (0, 5, 10, 15, 20, 25, 29, 30)]
    decided = take(workspace, *weeks)
    assert [d.code for d in decided] == ["allowed"] * 6 + ["cap_30", "allowed"]
    assert decided[6].free_at == datetime(2026, 4, 30, 6, tzinfo=UTC)
    assert count_blocked(decided) == {"cap_30": 1}


def test_a_day_ends_at_the_customers_midnight(workspace, ann) -> None:
    """23:30 and 00:30 in Berlin are 21:30 and 22:30 UTC: two days there and one in UTC."""
    workspace.run("contact purpose", purpose="marketing", quiet="00:00-00:00", cap=("1/1",))
    late = datetime(2026, 3, 31, 21, 30, tzinfo=UTC)
    decided = take(workspace, request(ann, late), request(ann, late + timedelta(hours=1)))
    assert [d.code for d in decided] == ["allowed", "allowed"]


def test_service_messages_are_exempt_but_counted(workspace, ann) -> None:
    service = [request(ann, NOON + timedelta(hours=h), purpose="service") for h in (0, 1, 2)]
    assert [d.code for d in take(workspace, *service)] == ["allowed"] * 3
    assert ask(workspace, ann).code == "cap_1"


def test_what_is_given_back_no_longer_counts_and_what_was_made_does(workspace, ann) -> None:
    policy = workspace.service("contact.policy")
    (taken,) = take(workspace, request(ann))
    policy.release([taken.slot])
    assert ask(workspace, ann).allowed
    (slot,) = policy.log([request(ann)], taken_by="shop")
    assert ask(workspace, ann).code == "cap_1"
    policy.made([slot])
    assert ask(workspace, ann).code == "cap_1"
    with pytest.raises(NotFound):
        policy.release(["no-such-slot"])


def test_caps_of_a_purpose_are_data(workspace, ann) -> None:
    workspace.run("contact purpose", purpose="marketing", cap=("2/1",), quiet="20:00-09:00")
    (row,) = workspace.run("contact purpose", purpose="marketing").rows
    assert (row["caps"], row["quiet_from"], row["quiet_until"]) == (["2/1"], "20:00", "09:00")
    assert [d.code for d in take(workspace, *[request(ann)] * 3)] == ["allowed", "allowed", "cap_1"]
    # 08:30 in Berlin was free by the built-in hours.
    assert ask(workspace, ann, datetime(2026, 4, 1, 6, 30, tzinfo=UTC)).code == "quiet_hours"
    workspace.run("contact purpose", purpose="survey", needs="no_objection", no_caps=True)
    assert ask(workspace, ann, purpose="survey").allowed
    with pytest.raises(NotFound, match="contact purpose 'surveys'"):
        ask(workspace, ann, purpose="surveys")
    with pytest.raises(UsageError):
        workspace.run("contact purpose", purpose="marketing", cap=("two a week",))


def test_a_block_stops_marketing_until_it_ends(workspace, ann) -> None:
    until = NOON + timedelta(days=90)
    workspace.run("contact block", customer="ANN", reason="bereavement", until=until)
    refused = ask(workspace, ann)
    assert (refused.code, refused.free_at) == ("bereavement", until)
    assert refused.words == "the customer is not to be contacted: a death in the family"
    assert ask(workspace, ann, purpose="service").allowed
    assert ask(workspace, ann, until).allowed
    workspace.run("contact block", customer="ANN", reason="dispute", purpose=("service",))
    assert ask(workspace, ann, purpose="service").free_at is None
    workspace.run("contact unblock", customer="ANN")
    assert ask(workspace, ann).allowed
    with pytest.raises(UsageError, match="nothing blocks ANN"):
        workspace.run("contact unblock", customer="ANN")


def test_a_withdrawal_dated_ahead_counts_from_its_date_on(workspace, ann) -> None:
    """Imported with a date to come: it holds for contacts planned after it."""
    from_friday = NOON + timedelta(days=3)
    workspace.store.records.set(
        "contact.consent", source="crm", ref="1", owner_id=ann,
        values={"channel": "email", "purpose": "marketing", "state": "withdrawn", "at": from_friday},
    )  # fmt: skip
    assert ask(workspace, ann).allowed
    assert ask(workspace, ann, from_friday - timedelta(hours=1)).allowed
    assert ask(workspace, ann, from_friday).code == "withdrawn"


def test_the_commands_show_the_decision_and_the_ledger(workspace, ann) -> None:
    workspace.run("consent withdraw", customer="ANN", channel="phone", wording="2026-03")
    (row,) = workspace.run("contact check", customer="ANN", channel="phone").rows
    assert (row["allowed"], row["code"]) == (False, "withdrawn")
    said = workspace.run("consent list", customer="ANN").rows
    assert [(r["channel"], r["state"], r["wording"]) for r in said] == [
        ("any", "given", None), ("phone", "withdrawn", "2026-03"),
    ]  # fmt: skip
    shown = workspace.run("consent show", customer="ANN", as_of="2026-03-31").rows
    states = {(r["purpose"], r["channel"]): r["state"] for r in shown}
    assert states["marketing", "phone"] == "withdrawn"
    assert states["marketing", "email"] == "given"
    before = workspace.run("consent show", customer="ANN", as_of="2026-03-30").rows
    assert {r["state"] for r in before} == {"unknown"}
    (counted,) = workspace.run("contact log", customer="ANN", channel="letter").rows
    listed = workspace.run("contact list", customer="ANN").rows
    assert listed == [counted]
    assert (counted["state"], counted["taken_by"]) == ("made", "tester")


def test_the_profile_in_the_guide_files_consents_from_a_file(
    workspace, ann, root, tmp_path
) -> None:
    guide = (root / "docs/how-to/file-consents.md").read_text(encoding="utf-8")
    profile, file = tmp_path / "consents.toml", tmp_path / "consents.csv"
    profile.write_text(guide.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    file.write_text(
        "customer,channel,answer,said_at\n"
        "ANN,phone,no,2026-03-31T12:00:00Z\nBOB,phone,no,2026-03-31T12:00:00Z\n"
    )
    result = workspace.import_file(file, profile=str(profile))
    assert (result.created, result.rejected) == (1, 1)
    assert ask(workspace, ann, channel="phone").code == "withdrawn"
    again = workspace.import_file(file, profile=str(profile))
    assert (again.created, again.updated) == (0, 0)
