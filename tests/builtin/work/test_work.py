"""Tasks, notes, tags and visits, worked by hand on each database in turn."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crmkit.builtin.work.due import parse_due
from crmkit.builtin.work.tags import serve_tags
from crmkit.declarations import Firing, Served
from crmkit.entities import CustomerRef
from crmkit.errors import NotFound, NotPermitted, UsageError

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def crm_settings() -> dict[str, Any]:
    return {"time_zone": "Europe/Berlin"}


@pytest.fixture
def ann(workspace) -> int:
    made = workspace.store.customers.add(name="Ann", refs=[CustomerRef("crm", "ANN")])
    return int(made.id)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        # Berlin is UTC+1 until 2026-03-29 02:00 and UTC+2 from then on.
        ("2026-03-28", "2026-03-28T23:00:00"),
        ("2026-03-29", "2026-03-29T22:00:00"),
        ("2026-03-28 09:30", "2026-03-28T08:30:00"),
        ("2026-03-30T09:30", "2026-03-30T07:30:00"),
        ("2026-03-30T09:30:00Z", "2026-03-30T09:30:00"),
    ],
)
def test_a_due_day_ends_at_local_midnight_and_a_time_without_zone_is_local(text, due) -> None:
    wanted = datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert parse_due(text, ZoneInfo("Europe/Berlin")) == wanted


def test_a_due_time_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="'soon' is neither a day"):
        parse_due("soon", ZoneInfo("UTC"))


def test_the_day_shows_tasks_and_visits_by_due_time_the_overdue_first(workspace, ann) -> None:
    """At 12:00 UTC, 14:00 in Berlin: the day ends at 22:00 UTC."""
    late, today, tomorrow = (
        workspace.run("task add", title=title, due=due, **more).rows[0]
        for title, due, more in (
            ("call", "2026-03-31 09:00", {"customer": "ANN", "priority": 1}),
            ("write", "2026-03-31", {}),
            ("plan", "2026-04-01 00:01", {}),
        )
    )
    workspace.run("task add", title="other's", due="2026-03-31", person="bob")
    (visit,) = workspace.run("visit plan", customer="ANN", at="2026-03-31 16:00", aim="show").rows
    day = workspace.run("task day").rows
    assert [(r["what"], r["ref"], r["customer_id"], r["overdue"]) for r in day] == [
        ("task", late["task"], ann, True),
        ("visit", visit["visit"], ann, False),
        ("task", today["task"], None, False),
    ]
    assert tomorrow["task"] in {r["ref"] for r in workspace.run("task day", day="2026-04-01").rows}
    workspace.run("task done", task=late["task"])
    assert [r["ref"] for r in workspace.run("task day").rows] == [visit["visit"], today["task"]]
    with pytest.raises(UsageError, match="is done already"):
        workspace.run("task done", task=late["task"])
    (again,) = workspace.run("task reopen", task=late["task"]).rows
    assert (again["state"], again["done_at"], again["done_by"]) == ("open", None, None)
    assert [r["title"] for r in workspace.run("task list", customer="ANN").rows] == ["call"]
    assert [r["title"] for r in workspace.run("task list", person="bob").rows] == ["other's"]


def test_the_card_counts_what_was_kept_in_the_period(workspace, ann, crm_clock) -> None:
    """Three tasks due in March: one in time, one late, one open. Two visits: one made, one not."""
    tasks = [
        workspace.run("task add", title=t, due=due, team="north").rows[0]["task"]
        for t, due in (("a", "2026-03-31"), ("b", "2026-03-30"), ("c", "2026-03-31"), ("d", "2026-04-02"))
    ]  # fmt: skip
    visits = [
        workspace.run("visit plan", customer="ANN", at="2026-03-31 16:00").rows[0]["visit"]
        for _ in range(2)
    ]
    for task in tasks[:2]:
        workspace.run("task done", task=task)
    workspace.run("visit done", visit=visits[0], result="offer", note="wants two lines")
    workspace.run("visit cancel", visit=visits[1], reason="ill")
    rows = workspace.run("task card", since="2026-03-01", until="2026-03-31").rows
    figures = {r["figure"]: (r["count"], r["out_of"]) for r in rows}
    assert figures == {
        "tasks done in time": (1, 3), "tasks done": (2, 3), "visits made": (1, 2),
        "list contacts answered": (0, 0), "list contacts accepted": (0, 0),
        "case answers in time": (0, 0), "customers content (9 or 10)": (0, 0),
    }  # fmt: skip
    assert rows[0]["share"] == pytest.approx(1 / 3)
    assert rows[-1]["share"] is None
    team = workspace.run("task card", team="north", since="2026-03-01", until="2026-04-30").rows
    assert [(r["figure"], r["out_of"]) for r in team] == [
        ("tasks done in time", 4), ("tasks done", 4), ("visits made", 0),
    ]  # fmt: skip
    (logged,) = workspace.store.interactions.list_for(ann, kinds=["core.visit"])
    assert dict(logged.payload) == {"result": "offer", "text": "wants two lines"}
    with pytest.raises(UsageError, match="is cancelled already"):
        workspace.run("visit done", visit=visits[1], result="offer")


def test_the_card_counts_cases_that_the_person_answered(workspace, ann, crm_clock) -> None:
    """Two answers, the second on the day after the 24th hour; of two scores one is 9 or more."""
    first, second = (workspace.run("case open", customer="ANN").rows[0]["case"] for _ in range(2))
    workspace.run("case answer", case=first)
    workspace.run("case resolve", case=first, agreed=True, recovery_score=9)
    crm_clock.advance(hours=25)
    workspace.run("case answer", case=second)
    workspace.run("case resolve", case=second, agreed=True, recovery_score=8)
    rows = workspace.run("task card", since="2026-03-01", until="2026-04-30").rows
    figures = {r["figure"]: (r["count"], r["out_of"]) for r in rows}
    assert figures["case answers in time"] == (1, 2)
    assert figures["customers content (9 or 10)"] == (1, 2)
    other = workspace.run("task card", person="ben", since="2026-03-01", until="2026-04-30").rows
    assert [r["out_of"] for r in other if r["figure"].startswith("case")] == [0]


def test_notes_stand_on_the_timeline(workspace, ann, crm_clock) -> None:
    workspace.run("note add", customer="ANN", text="calls after five", topic="contact")
    crm_clock.advance(hours=1)
    workspace.run("note add", customer="ANN", text="has a dog")
    notes = workspace.run("note list", customer="ANN").rows
    assert [(n["text"], n["topic"], n["actor"]) for n in notes] == [
        ("has a dog", None, "tester"), ("calls after five", "contact", "tester"),
    ]  # fmt: skip


def test_a_tag_says_since_when_and_by_whom_and_its_past_is_kept(workspace, ann, crm_clock) -> None:
    workspace.run("tag add", customer="ANN", tag="vip")
    crm_clock.advance(days=1)
    again = workspace.run("tag add", customer="ANN", tag="vip")
    assert again.remarks == ("ANN has the tag vip already.",)
    (row,) = again.rows
    assert (row["since"], row["added_by"]) == (NOON, "tester")
    workspace.run("tag remove", customer="ANN", tag="vip")
    assert workspace.run("tag list", tag="vip").rows == []
    with pytest.raises(UsageError, match="ANN has no tag 'vip'"):
        workspace.run("tag remove", customer="ANN", tag="vip")
    crm_clock.advance(days=1)
    (row,) = workspace.run("tag add", customer="ANN", tag="vip").rows
    assert row["since"] == NOON + timedelta(days=2)
    (record,) = workspace.store.records.list("work.tag")
    past = workspace.store.records.versions("work.tag", record.id)
    assert [v.values["removed_at"] for v in past] == [None, NOON + timedelta(days=1), None]
    with pytest.raises(UsageError):
        workspace.run("tag add", customer="ANN", tag="two words")


def test_the_tags_of_merged_customers_are_together_and_apart_again(workspace, ann) -> None:
    anna = workspace.store.customers.add(name="Anna", refs=[CustomerRef("crm", "ANNA")]).id
    workspace.run("tag add", customer="ANN", tag="vip")
    workspace.run("tag add", customer="ANNA", tag="vip")
    workspace.run("tag add", customer="ANNA", tag="press")
    merges = workspace.store.merges.merge([(ann, anna)])
    assert {r["tag"] for r in workspace.run("tag list", customer="ANN").rows} == {"vip", "press"}
    assert [r["customer_id"] for r in workspace.run("tag list", tag="vip").rows] == [ann]
    workspace.store.merges.unmerge(merges)
    assert {r["tag"] for r in workspace.run("tag list", customer="ANN").rows} == {"vip"}
    assert [r["customer_id"] for r in workspace.run("tag list", tag="press").rows] == [anna]


def test_a_rule_tags_whom_it_fires_on_once(workspace, ann, crm_clock) -> None:
    def fired(customer: int, **more: str) -> Firing:
        given = {
            "rule": "shop.big",
            "version": "1",
            "action": "tag",
            "target": "big",
            "message": "m",
        }
        return Firing(**{**given, **more}, subject_type="customer", subject_id=customer, as_of=NOON)

    firings = [fired(ann, action="list"), fired(ann), fired(ann, rule="shop.huge")]
    for days in (0, 20):
        crm_clock.set(NOON + timedelta(days=days))
        with workspace.store.begin("rule serve") as tx:
            served = serve_tags(firings, workspace.store, tx)
    assert served == [Served(firing=1, result="big"), Served(firing=2, result="big")]
    (row,) = workspace.run("tag list", customer="ANN").rows
    assert (row["tag"], row["added_by"], row["since"]) == ("big", "shop.big", NOON)
    # That there was reason for it again is kept beside since when it holds.
    (record,) = workspace.store.records.list("work.tag")
    assert record.values["renewed_at"] == NOON + timedelta(days=20)


def test_what_does_not_exist_is_refused(workspace) -> None:
    with pytest.raises(NotFound):
        workspace.run("task done", task="17")
    with pytest.raises(UsageError, match="'Mars/Base' is not an IANA time zone"):
        workspace.run("task add", title="x", due="2026-04-01", time_zone="Mars/Base")
    with pytest.raises(UsageError, match="after"):
        workspace.run("task card", since=date(2026, 4, 2), until=date(2026, 4, 1))


# --- what the customer refused, and whose renewals they are ---------------------------------------


def test_a_visit_asks_the_policy_when_it_is_planned_and_when_it_is_made(
    workspace, ann, crm_clock
) -> None:
    (visit,) = workspace.run("visit plan", customer="ANN", at="2026-04-01 09:30").rows
    with pytest.raises(NotPermitted, match="within the quiet hours"):
        workspace.run("visit plan", customer="ANN", at="2026-04-02 22:30")
    workspace.run("consent withdraw", customer="ANN", channel="visit", purpose="service")
    with pytest.raises(NotPermitted, match="consent to service by visit was withdrawn") as refused:
        workspace.run("visit plan", customer="ANN", at="2026-04-02 09:30")
    assert refused.value.code == "E_CONTACT_REFUSED"
    crm_clock.set(datetime(2026, 4, 1, 8, tzinfo=UTC))
    with pytest.raises(NotPermitted, match="was withdrawn"):
        workspace.run("visit done", visit=visit["visit"], result="offer")
    assert workspace.store.interactions.list_for(ann, kinds=["core.visit"]) == []
    workspace.run("visit cancel", visit=visit["visit"])
    (slot,) = workspace.run("contact list", customer="ANN").rows
    assert (slot["state"], slot["channel"]) == ("released", "visit")


def test_a_visit_made_before_it_was_refused_is_filed_with_its_time(
    workspace, ann, crm_clock
) -> None:
    (visit,) = workspace.run("visit plan", customer="ANN", at="2026-03-31 15:00").rows
    crm_clock.advance(hours=2)
    workspace.run("consent withdraw", customer="ANN", purpose="any")
    workspace.run("visit done", visit=visit["visit"], result="lost", at="2026-03-31 15:00")
    (logged,) = workspace.store.interactions.list_for(ann, kinds=["core.visit"])
    assert logged.occurred_at == NOON + timedelta(hours=1)
    with pytest.raises(UsageError, match="is done already"):
        workspace.run("visit done", visit=visit["visit"], result="x", at="2026-04-09")


def test_a_task_that_contacts_asks_the_policy_for_a_time_up_to_its_due_time(
    workspace, ann, crm_clock
) -> None:
    """23:00 in Berlin is quiet; the call can be made from 08:00 on."""
    call = {"title": "call", "customer": "ANN", "channel": "phone"}
    crm_clock.set(datetime(2026, 3, 31, 21, tzinfo=UTC))
    with pytest.raises(NotPermitted, match="within the quiet hours"):
        workspace.run("task add", due="2026-04-01 07:00", **call)
    (task,) = workspace.run("task add", due="2026-04-01 12:00", **call).rows
    with pytest.raises(NotPermitted, match="within the quiet hours"):
        workspace.run("task done", task=task["task"])
    crm_clock.set(datetime(2026, 4, 1, 8, tzinfo=UTC))
    workspace.run("consent withdraw", customer="ANN", purpose="any")
    with pytest.raises(NotPermitted, match="asked not to be contacted at all"):
        workspace.run("task done", task=task["task"])
    with pytest.raises(NotPermitted, match="asked not to be contacted at all"):
        workspace.run("task add", **call)
    workspace.run("task done", task=task["task"], no_contact=True)
    # What nobody is contacted for is nobody's refusal.
    workspace.run("task add", title="write off", customer="ANN")
    with pytest.raises(UsageError, match="give --customer too"):
        workspace.run("task add", title="call", channel="phone")


def test_a_task_that_was_done_by_a_contact_counts_it(workspace, ann) -> None:
    (task,) = workspace.run("task add", title="call", customer="ANN", channel="phone").rows
    workspace.run("task done", task=task["task"])
    (slot,) = workspace.run("contact list", customer="ANN").rows
    assert (slot["state"], slot["channel"], slot["purpose"]) == ("made", "phone", "service")


def test_protected_renewals_are_worked_by_the_owner_alone(workspace, ann) -> None:
    """Given to ben on 31 March 2026: free for others from 30 September."""
    workspace.ownership.assign(ann, "ben")
    why = r"ben has it since 2026-03-31; renewals are free for others from 2026-09-30"
    visit = {"customer": "ANN", "at": "2026-04-01 09:30"}
    with pytest.raises(NotPermitted, match=why) as refused:
        workspace.run("visit plan", **visit)
    assert refused.value.code == "E_RENEWAL"
    with pytest.raises(NotPermitted, match=why):
        workspace.run("task add", title="renew", customer="ANN", person="cem")
    assert workspace.store.records.list("work.task") == []
    workspace.run("task add", title="renew", customer="ANN", person="ben")
    planned = workspace.run("visit plan", person="ben", **visit).rows[0]["visit"]
    # Neither is a renewal.
    workspace.run("task add", title="answer", customer="ANN", about="case:17")
    workspace.run("visit plan", purpose="service", **visit)
    # Passed on meanwhile: the visit is no longer ben's to make.
    workspace.ownership.assign(ann, "cem", over_protection=True)
    with pytest.raises(NotPermitted, match="cem has it since"):
        workspace.run("visit done", visit=planned, result="offer")
