"""Cases from receipt to closing: states, clocks and limits as the brief of complaints says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from crmkit.builtin.service.cases import NewCase
from crmkit.builtin.service.complaint import COMPLAINT, NEXT
from crmkit.entities import Money, NewInteraction
from crmkit.errors import ConfigError, MoveRefused, NotFound, NotPermitted, UsageError


def test_the_states_are_those_of_the_brief() -> None:
    """Hotel and delivery brief, section 4; reopened is a state of its own, escalation has levels."""
    assert {
        "new": ("acknowledged", "merged", "spam"),
        "acknowledged": ("assigned", "answered", "merged"),
        "assigned": ("in_progress", "assigned"),
        "in_progress": ("waiting_customer", "waiting_third_party", "answered", "escalated"),
        "waiting_customer": ("in_progress", "closed_no_reply"),
        "waiting_third_party": ("in_progress",),
        "escalated": ("in_progress", "answered", "escalated"),
        "answered": ("resolved", "in_progress", "disputed"),
        "resolved": ("closed", "reopened"),
        "closed": ("reopened",),
        "reopened": ("assigned", "in_progress", "answered"),
        "disputed": ("in_progress", "resolved", "closed"),
    } == NEXT
    targets = {clock.name: dict(clock.targets) for clock in COMPLAINT.clocks}
    assert targets["answer"] == {"": "24 h"}
    assert targets["acknowledge"] == {"": "1 h"}
    assert targets["update"] == {"": "48 h"}
    assert targets["resolution"] == {
        "S1": "4 h",
        "S2": "24 h",
        "S3": "3 working days",
        "S4": "10 working days",
    }
    pausing = {clock.name for clock in COMPLAINT.clocks if clock.pauses}
    assert "answer" not in pausing


def test_an_answer_is_due_24_hours_after_receipt_whatever_the_state(
    cases, customer, at, do
) -> None:
    # A Friday afternoon: the weekend on which summer time begins does not stop the answer.
    at("2026-03-27T16:00")
    (key,) = cases.open([NewCase(customer_id=customer, values={"topic": "billing"})])
    at("2026-03-27T16:10")
    do("resume", key)
    do("wait", key)
    due = at("2026-03-28T16:00")
    row = do("show", key)
    assert (row["due_clock"], row["due_at"]) == ("answer", due)
    at("2026-03-28T15:59:59")
    assert cases.breaches(due - timedelta(seconds=1)) == []
    do("answer", key, automatic=True)
    assert [b["clock"] for b in cases.breaches(due)] == ["answer"]
    do("answer", key)
    assert cases.breaches(due + timedelta(days=9), clock="answer") == []


def test_an_answer_with_the_24th_hour_is_late(cases, customer, at, do) -> None:
    at("2026-10-24T12:00")
    (key,) = cases.open([NewCase(customer_id=customer)])
    at("2026-10-24T12:30")
    do("resume", key)
    late = at("2026-10-25T11:00")  # 24 real hours: the clocks went back by one
    do("answer", key)
    (breach,) = cases.breaches(late, clock="answer")
    assert (breach["case"], breach["stopped_at"], breach["late_minutes"]) == (key, late, 0)


def test_resolution_counts_working_days_and_waits_with_the_customer(
    cases, customer, at, do
) -> None:
    """Three working days of 8 hours from Wednesday 15:00: 2 h Wednesday, paused Thursday 12:00."""
    at("2026-03-18T14:00")
    (key,) = cases.open([NewCase(customer_id=customer, values={"severity": "S3"})])
    at("2026-03-18T15:00")
    do("resume", key)
    do("answer", key)
    at("2026-03-18T15:00")
    row = do("resume", key)
    # Wednesday 2 h, Thursday 8 h, Friday 8 h, Monday 6 h: 15:00.
    clocks = {c.split()[0]: c for c in do("show", key)["clocks"]}
    assert "2026-03-23T14:00:00Z" in clocks["resolution"]
    at("2026-03-19T12:00")  # 2 + 3 hours used
    do("wait", key)
    at("2026-03-20T12:00")
    do("resume", key)
    # 19 left: Friday 5 h, Monday 8 h, Tuesday 6 h: 15:00 in Berlin, 14:00 UTC.
    row = do("show", key)
    clocks = {c.split()[0]: c for c in row["clocks"]}
    assert "running due 2026-03-24T14:00:00Z" in clocks["resolution"]


def test_a_changed_holiday_list_recomputes_every_due_time(cases, crm, customer, at, do) -> None:
    crm.store.records.set(
        "service.calendar", source="crmkit", ref="office",
        values={"time_zone": "Europe/Berlin", "week": "mon-fri 09:00-17:00"},
    )  # fmt: skip
    calendar = crm.store.records.find("service.calendar", "office")
    at("2026-04-01T09:00")  # the Wednesday before Easter
    keys = cases.open([NewCase(customer_id=customer) for _ in range(3)])
    for key in keys:
        do("resume", key)
        do("answer", key)
    due = {key: do("show", key)["due_at"] for key in keys}
    assert set(due.values()) == {datetime(2026, 4, 3, 15, tzinfo=UTC)}  # Friday 17:00 in Berlin

    def close_on(day: date, windows: str) -> None:
        crm.store.records.set(
            "service.calendar_day", source="crmkit", ref=f"office/{day}", owner_id=calendar.id,
            values={"day": day, "windows": windows, "title": "Good Friday"},
        )  # fmt: skip

    close_on(date(2026, 4, 3), "")
    assert cases.recompute() == (3, 3)
    assert {do("show", key)["due_at"] for key in keys} == {datetime(2026, 4, 6, 15, tzinfo=UTC)}
    # The same list again gives the same times again.
    assert cases.recompute() == (3, 0)
    close_on(date(2026, 4, 3), "09:00-17:00")
    assert cases.recompute() == (3, 3)
    assert {key: do("show", key)["due_at"] for key in keys} == due


def test_an_operator_sets_another_target_for_a_region(cases, crm, customer, at, do) -> None:
    crm.store.records.set(
        "service.target", source="crmkit", ref="north",
        values={"clock": "answer", "region": "north", "target": "2 h"},
    )  # fmt: skip
    at("2026-03-18T10:00")
    keys = cases.open(
        [NewCase(customer_id=customer, values={"region": region}) for region in ("north", "south")]
    )
    for key in keys:
        do("assign", key, to="ben")
    assert [do("show", key)["due_at"].hour for key in keys] == [11, 9]
    assert do("show", keys[1])["due_at"].day == 19


def test_cases_go_to_the_department_of_the_most_specific_route(cases, crm, customer) -> None:
    for ref, values in {
        "all": {"department": "desk"},
        "billing": {"topic": "billing", "department": "accounts"},
        "north": {"topic": "billing", "region": "north", "department": "accounts north"},
    }.items():
        crm.store.records.set("service.route", source="crmkit", ref=ref, values=values)
    said = [{"topic": "billing", "region": "north"}, {"topic": "billing"}, {"topic": "noise"}]
    keys = cases.open([NewCase(customer_id=customer, values=values) for values in said])
    assert [c.values["department"] for c in cases.read(keys)] == [
        "accounts north",
        "accounts",
        "desk",
    ]


def test_a_key_opens_one_case_however_often_it_comes(cases, customer) -> None:
    new = [NewCase(customer_id=customer, source="web", ref=ref) for ref in ("7", "8", "7")]
    assert cases.open(new) == ["7", "8", "7"]
    assert cases.open(new) == ["7", "8", "7"]
    assert len(cases.due(datetime(2026, 4, 1, tzinfo=UTC))) == 2


def test_an_interaction_of_a_complaint_opens_its_case_once(cases, crm, customer) -> None:
    (seen,) = crm.store.interactions.log(
        NewInteraction(
            kind="core.complaint", customer_id=customer, channel="letter", source="post", ref="9",
            occurred_at=datetime(2026, 3, 31, 9, tzinfo=UTC), payload={"topic": "noise", "text": "loud"},
        )
    )  # fmt: skip
    row = crm.run("case open", interaction=str(seen.id)).rows[0]
    assert (row["topic"], row["channel"], row["opened_at"]) == ("noise", "letter", seen.occurred_at)
    assert crm.run("case open", interaction=str(seen.id)).rows[0]["case"] == row["case"]
    logged = crm.store.interactions.list_for(customer)
    assert sorted(i.kind for i in logged) == ["core.complaint", "service.case_event"]


def test_a_prospects_case_is_that_of_a_new_customer_in_the_first_stage(crm) -> None:
    row = crm.run("case open", prospect="Bob", contact=["phone:+4930123"], topic="offer").rows[0]
    made = crm.store.customers.get(row["customer_id"])
    assert (made.name, made.contact_points[0].value) == ("Bob", "+4930123")
    assert crm.store.stages.current("core.customer", [made.id]) == {made.id: "prospect"}
    assert row["due_at"] - row["opened_at"] == timedelta(hours=1)


def test_silence_agrees_after_a_week_and_not_before(cases, customer, at, do) -> None:
    at("2026-03-02T10:00")
    (key,) = cases.open([NewCase(customer_id=customer)])
    do("answer", key)
    at("2026-03-09T09:59")
    with pytest.raises(MoveRefused, match="neither agreed nor been silent for 7 days"):
        do("resolve", key)
    at("2026-03-09T10:00")
    assert do("resolve", key)["state"] == "resolved"
    assert do("show", key)["first_contact"] is True


def test_a_case_without_a_reply_is_closed_after_three_reminders_and_14_days(
    cases, customer, at, do
) -> None:
    at("2026-03-02T10:00")
    (key,) = cases.open([NewCase(customer_id=customer)])
    do("resume", key)
    for _ in range(4):
        do("wait", key)
    at("2026-03-16T09:59")
    with pytest.raises(MoveRefused, match="3 of 3 reminders were sent, and it waits until"):
        do("close", key)
    at("2026-03-16T10:00")
    assert do("close", key)["state"] == "closed_no_reply"


def test_reopening_starts_a_new_resolution_within_30_days(cases, customer, at, do) -> None:
    at("2026-03-02T10:00")
    keys = cases.open([NewCase(customer_id=customer) for _ in range(2)])
    for key in keys:
        do("resume", key)
        do("answer", key)
        do("resolve", key, agreed=True)
        do("close", key)
    at("2026-04-01T10:59")  # 30 days less a minute: summer time has begun
    row = do("reopen", keys[0])
    assert (row["state"], row["due_clock"]) == ("reopened", "resolution")
    assert do("show", keys[0])["reopen_count"] == 1
    at("2026-04-01T11:00")
    with pytest.raises(MoveRefused, match="closed more than 30 days ago"):
        do("reopen", keys[1])


def test_escalation_ends_at_the_highest_level(cases, customer, do) -> None:
    (key,) = cases.open([NewCase(customer_id=customer)])
    for level in (1, 2, 3):
        do("escalate", key)
        assert do("show", key)["escalation_level"] == level
    with pytest.raises(MoveRefused, match="level 3, the highest"):
        do("escalate", key)


def test_a_merged_case_is_no_breach_and_names_the_one_that_stays(
    cases, crm, customer, at, do
) -> None:
    at("2026-03-02T10:00")
    one, two = cases.open([NewCase(customer_id=customer) for _ in range(2)])
    do("merge", two, one)
    at("2026-03-09T10:00")
    assert {b["case"] for b in cases.breaches(crm.clock())} == {one}
    assert do("show", two)["merged_into"] == one
    with pytest.raises(MoveRefused):
        do("merge", one, two)


def test_above_the_limit_a_second_person_decides(cases, crm, customer, do) -> None:
    (key,) = cases.open([NewCase(customer_id=customer)])
    assert do("compensate", key, kind="voucher", amount="60.00")["state"] == "approved"
    # 60 and 41 are above 100 together: the limit cannot be split away.
    row = do("compensate", key, kind="voucher", amount="41.00")
    assert (row["state"], row["decided_by"]) == ("proposed", None)
    with pytest.raises(NotPermitted, match="a second person decides what ann proposed"):
        do("compensate", key, approve=True)
    assert do("show", key)["compensation"] == Money(6000, "USD")
    crm.store.actor = "eva"
    assert do("compensate", key, approve=True)["decided_by"] == "eva"
    assert do("show", key)["compensation"] == Money(10100, "USD")
    with pytest.raises(NotFound):
        do("compensate", key, approve=True)
    paid = [i.amount for i in crm.store.interactions.list_for(customer) if i.payload.get("action") == "compensate"]  # fmt: skip
    assert paid == [Money(4100, "USD"), Money(6000, "USD")]


def test_everything_done_is_on_the_timeline(cases, crm, customer, do) -> None:
    (key,) = cases.open([NewCase(customer_id=customer, values={"topic": "billing"})])
    do("assign", key, department="accounts")
    do("resume", key)
    do("update", key, channel="phone")
    do("answer", key, channel="email")
    seen = crm.store.interactions.list_for(customer)
    done = {
        (i.payload.get("action"), i.direction, i.channel)
        for i in seen
        if i.kind != "core.complaint"
    }
    assert done == {
        ("open", "none", None), ("assign", "none", None), ("resume", "none", None),
        ("update", "out", "phone"), ("answer", "out", "email"),
    }  # fmt: skip
    assert [i.kind for i in seen].count("core.complaint") == 1


def test_telling_the_customer_renews_the_promise_to_do_so(cases, customer, at, do) -> None:
    at("2026-03-02T10:00")
    (key,) = cases.open([NewCase(customer_id=customer, values={"severity": "S4"})])
    do("answer", key)
    do("resume", key)
    at("2026-03-04T09:00")
    do("update", key)
    row = do("show", key)
    assert (row["due_clock"], row["due_at"]) == ("update", datetime(2026, 3, 6, 8, tzinfo=UTC))


def test_a_case_cannot_be_moved_past_its_clocks(cases, crm, customer) -> None:
    (key,) = cases.open([NewCase(customer_id=customer)])
    case = crm.store.records.find("service.case", key)
    with pytest.raises(MoveRefused, match="cases are moved by 'crmkit case'"):
        crm.lifecycles.advance("service.complaint", case.id, "acknowledged")


def test_what_is_due_is_sorted_by_time_left_with_its_warning(cases, customer, at, do) -> None:
    start = at("2026-03-18T10:00")
    values = [{"severity": "S3"}, {"severity": "S1"}]
    calm, urgent = cases.open([NewCase(customer_id=customer, values=v) for v in values])
    for key in (calm, urgent):
        do("resume", key)
    levels = {0: 0.0, 119: 0.0, 120: 0.5, 180: 0.75, 216: 0.9, 239: 0.9, 240: 1.0}
    for minutes, level in levels.items():  # of the 4 hours of S1
        found = cases.due(start + timedelta(minutes=minutes))
        assert [d.ref for d in found] == [urgent, calm]
        assert (found[0].level, found[0].left) == (level, timedelta(minutes=240 - minutes))


def test_a_regulators_date_counts_as_due(cases, customer, at, do) -> None:
    at("2026-03-18T10:00")
    (key,) = cases.open([NewCase(customer_id=customer)])
    do("answer", key)
    when = at("2026-03-20T10:00")
    row = do("move", key, "disputed", external_due_at=when + timedelta(days=1))
    assert (row["due_clock"], row["due_at"]) == ("external", when + timedelta(days=1))


def test_a_state_that_there_is_not_and_a_move_that_is_not_allowed_are_said(
    cases, customer, do
) -> None:
    (key,) = cases.open([NewCase(customer_id=customer)])
    with pytest.raises(MoveRefused, match="no stage 'done'"):
        do("move", key, "done")
    with pytest.raises(MoveRefused, match="new cannot move to closed"):
        do("close", key)


def test_what_cannot_be_opened_is_said(cases, crm, customer) -> None:
    with pytest.raises(UsageError, match="severity 'S9' is not one of S1, S2, S3, S4"):
        cases.open([NewCase(customer_id=customer, values={"severity": "S9"})])
    with pytest.raises(NotFound, match="claim"):
        cases.open([NewCase(customer_id=customer, kind="delivery.claim")])
    with pytest.raises(UsageError, match="at an instant that was"):
        cases.open([NewCase(customer_id=customer, opened_at=crm.clock() + timedelta(hours=1))])
    with pytest.raises(UsageError, match="one customer, one prospect or one interaction"):
        crm.run("case open", topic="billing")
    assert crm.store.records.list("service.case") == []


def test_two_clerks_at_once_cannot_pass_the_limit_together(workspace) -> None:
    """Each reads what was given under the customer's lock, so the second sees the first's 60."""
    from threading import Barrier, Thread

    from crmkit.builtin.service import actions

    cases = workspace.service("service.cases")
    customer = workspace.store.customers.add(name="Ann").id
    (key,) = cases.open([NewCase(customer_id=customer)])
    states: list[str] = []
    start = Barrier(2)

    def give() -> None:
        start.wait()
        with cases.change([key], "case compensate") as change:
            row = actions.propose(change, change.cases[0], "voucher", Money(6000, "USD"))
            states.append(row["state"])

    clerks = [Thread(target=give) for _ in range(2)]
    for clerk in clerks:
        clerk.start()
    for clerk in clerks:
        clerk.join()
    assert sorted(states) == ["approved", "proposed"]
    assert cases.read([key])[0].values["compensation"] == Money(6000, "USD")


@pytest.mark.parametrize(
    "values",
    [
        {"time_zone": "Europe/Berlin", "week": "fri 22:00-02:00"},
        {"time_zone": "Mars/Base", "week": "mon-fri 08:00-17:00"},
        {"time_zone": "Europe/Berlin", "week": "gibberish"},
    ],
)
def test_a_calendar_that_cannot_be_read_is_refused_when_it_is_set(crm, values) -> None:
    with pytest.raises(UsageError) as refused:
        crm.store.records.set("service.calendar", source="crmkit", ref="bad", values=values)
    assert refused.value.code == "E_VALUE"


def test_a_target_that_cannot_be_read_is_refused_when_it_is_set(crm) -> None:
    with pytest.raises(UsageError, match="'soon' is not a time such as"):
        crm.store.records.set(
            "service.target", source="crmkit", ref="t", values={"clock": "answer", "target": "soon"}
        )


def test_a_bad_calendar_of_an_earlier_version_stops_only_who_uses_it(
    crm, cases, customer, at
) -> None:
    at("2026-03-27T10:00")
    crm.store.records.set(
        "service.calendar", source="crmkit", ref="night",
        values={"time_zone": "Europe/Berlin", "week": "mon-fri 09:00-17:00"},
    )  # fmt: skip
    with crm.store.begin("an earlier version") as tx:
        tx.connection.exec_driver_sql(
            "UPDATE service_calendar SET week = 'fri 22:00-02:00' WHERE ref = 'night'"
        )
    (key,) = cases.open([NewCase(customer_id=customer, values={"topic": "t", "severity": "S3"})])
    assert key
    crm.store.records.set(
        "service.target", source="crmkit", ref="t",
        values={"clock": "acknowledge", "target": "3 working days", "calendar": "night"},
    )  # fmt: skip
    with pytest.raises(ConfigError, match="calendar night: '22:00-02:00' is not a time window"):
        cases.open([NewCase(customer_id=customer, values={"topic": "t", "severity": "S3"})])
