"""Owners: handing over, protection of renewals and claims, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import crmkit
from crmkit.access.handover import handover_sheet
from crmkit.access.settling import decide
from crmkit.entities import CustomerRef, NewInteraction
from crmkit.errors import EditConflict, NotFound, NotPermitted, UsageError
from crmkit.store.ownership import Claim, Passing
from crmkit.store.protection import add_months
from crmkit.testing.clock import SettableClock
from crmkit.workspace import Crm


@pytest.fixture(autouse=True)
def first_of_april(crm_clock: SettableClock) -> None:
    crm_clock.set(datetime(2026, 4, 1, 12, tzinfo=UTC))


@pytest.fixture
def telecom(tmp_path: Path, crm_clock: SettableClock) -> Iterator[Crm]:
    with crmkit.init(tmp_path / "telecom", plugins=("telecom",), clock=crm_clock) as crm:
        yield crm


def add(crm: Crm, ref: str, owner: str | None = None, region: str | None = None) -> int:
    made = crm.store.customers.add(refs=[CustomerRef("b", ref)], owner=owner, region=region)
    return made.id


def owners(crm: Crm) -> dict[int, str | None]:
    return {c.id: c.owner for c in crm.store.customers.list()}


def claim(agent: str, day: int, evidence: str | None = None, *, id: int = 0) -> Claim:
    return Claim(
        id=id, customer_id=1, line="all", agent=agent, claimed_on=date(2026, 3, day),
        evidence=evidence, status="open", rule=None, decision=None, decided_by=None,
        decided_at=None,
    )  # fmt: skip


def called(crm: Crm, person: int, day: int, agent: str | None = None) -> None:
    crm.store.interactions.log(
        NewInteraction(
            kind="core.call", customer_id=person, actor=agent, direction="out", source="test",
            ref=f"{person}-{day}", occurred_at=datetime(2026, 3, day, tzinfo=UTC),
        )
    )  # fmt: skip


# --- handing over ---------------------------------------------------------------------------------


def test_customers_of_one_agent_go_in_turn_to_others_in_one_step(workspace: Crm) -> None:
    ids = [add(workspace, str(i), "ann") for i in range(5)]
    other = add(workspace, "x", "zoe")
    made = workspace.ownership.hand_over(
        ["ben", "cem"], from_agent="ann", reason="ann retires", over_protection=True
    )
    assert owners(workspace) == {
        ids[0]: "ben", ids[1]: "cem", ids[2]: "ben", ids[3]: "cem", ids[4]: "ben", other: "zoe",
    }  # fmt: skip
    assert len({a.batch for a in made}) == 1
    logged = workspace.ownership.rows.assignments(customer_id=ids[0])
    assert [(a.from_agent, a.to_agent, a.line, a.reason, a.rule, a.actor) for a in logged] == [
        ("ann", "ben", "all", "ann retires", "round-robin", workspace.actor)
    ]
    assert logged[0].orphaned is False


def test_the_earlier_owner_stays_in_the_customers_history(
    workspace: Crm, crm_clock: SettableClock
) -> None:
    person = add(workspace, "1", "ann")
    crm_clock.advance(days=10)
    before = crm_clock()
    crm_clock.advance(days=1)
    workspace.ownership.hand_over(["ben"], from_agent="ann", over_protection=True)
    then = workspace.store.customers.at(person, before)
    now = workspace.store.customers.get(person)
    assert then is not None
    assert (then.owner, then.version, now.owner, now.version) == ("ann", 1, "ben", 2)


def test_by_load_the_one_with_fewest_customers_comes_first(workspace: Crm) -> None:
    for i in range(2):
        add(workspace, f"b{i}", "ben")
    ids = [add(workspace, str(i), "ann") for i in range(4)]
    workspace.ownership.hand_over(
        ["ben", "cem"], from_agent="ann", rule="load", over_protection=True
    )
    # ben has 2, cem none: two to cem until they are even, then ben (named first), then cem.
    assert [owners(workspace)[i] for i in ids] == ["cem", "cem", "ben", "cem"]


def test_by_region_the_one_at_home_there_comes_first(workspace: Crm) -> None:
    add(workspace, "b", "ben", "north")
    add(workspace, "c", "cem", "south")
    ids = [
        add(workspace, str(i), "ann", r) for i, r in enumerate(["south", "north", "south", "west"])
    ]
    workspace.ownership.hand_over(
        ["ben", "cem"], from_agent="ann", rule="region", over_protection=True
    )
    # Nobody is at home in the west: it goes to who has fewer, ben with 2 against cem with 3.
    assert [owners(workspace)[i] for i in ids] == ["cem", "ben", "cem", "ben"]


def test_an_agent_who_left_gets_nothing_and_leaves_orphans(workspace: Crm) -> None:
    person, nobodys = add(workspace, "1", "ann"), add(workspace, "2")
    kept = add(workspace, "3", "ben")
    own = workspace.ownership
    own.leave("ann", reason="retired")
    assert [o.customer_id for o in own.rows.orphans(own.away())] == [person, nobodys]
    with pytest.raises(NotPermitted, match=r"ann left on 2026-04-01 and gets no customers") as told:
        own.assign(kept, "ann", over_protection=True)
    assert told.value.code == "E_AGENT_LEFT"
    with pytest.raises(NotPermitted, match="ann left"):
        own.hand_over(["ben", "ann"], over_protection=True)
    with pytest.raises(NotPermitted, match="ann left"):
        own.claim(kept, "ann")
    with pytest.raises(UsageError, match="ann is away already"):
        own.leave("ann")
    made = own.hand_over(["ben"], over_protection=True)
    assert [(a.customer_id, a.reason, a.orphaned) for a in made] == [
        (person, "ann left on 2026-04-01", True), (nobodys, "had no owner", True),
    ]  # fmt: skip
    own.come_back("ann")
    assert own.assign(kept, "ann", over_protection=True).to_agent == "ann"


def test_a_departure_to_come_holds_from_its_day(workspace: Crm, crm_clock: SettableClock) -> None:
    person = add(workspace, "1", "ben")
    workspace.ownership.leave("ann", on=date(2026, 4, 3))
    workspace.ownership.assign(person, "ann", over_protection=True)
    crm_clock.set(datetime(2026, 4, 3, 0, 0, tzinfo=UTC))
    with pytest.raises(NotPermitted):
        workspace.ownership.check_agent("ann")


def test_a_line_of_business_goes_with_everything_else(workspace: Crm) -> None:
    workspace.ownership._lines = ("all", "shop")
    person = add(workspace, "1", "ann")
    own = workspace.ownership
    own.assign(person, "ben", line="shop", over_protection=True)
    assert owners(workspace)[person] == "ann"
    assert own.protection(person, line="shop").owner == "ben"
    assert own.protection(person).owner == "ann"
    made = own.hand_over(["cem"], from_agent="ben", over_protection=True)
    assert [(a.line, a.from_agent, a.to_agent) for a in made] == [("shop", "ben", "cem")]
    with pytest.raises(NotFound, match="no line of business 'shopp'"):
        own.assign(person, "ben", line="shopp", over_protection=True)


def test_nothing_changes_when_an_owner_changed_in_between(workspace: Crm) -> None:
    first, second = add(workspace, "1", "ann"), add(workspace, "2", "zoe")
    stale = [
        Passing(customer_id=i, line="all", from_agent="ann", to_agent="ben", reason="x",
                rule="named", orphaned=False)
        for i in (first, second)
    ]  # fmt: skip
    with (
        pytest.raises(EditConflict, match="an owner was changed in between"),
        workspace.store.begin("test") as tx,
    ):
        workspace.ownership.rows.assign(stale, tx=tx)
    assert owners(workspace) == {first: "ann", second: "zoe"}
    assert workspace.ownership.rows.assignments() == []


def test_a_step_is_reversed_unless_somebody_passed_on_since(workspace: Crm) -> None:
    ids = [add(workspace, str(i), "ann") for i in range(3)]
    own = workspace.ownership
    batch = own.hand_over(["ben"], from_agent="ann", over_protection=True)[0].batch
    later = own.assign(ids[1], "cem", over_protection=True).batch
    with pytest.raises(UsageError, match=r"1 of 3 customers passed on since"):
        own.reverse(batch)
    assert set(owners(workspace).values()) == {"ben", "cem"}
    own.reverse(later)
    own.reverse(batch)
    assert set(owners(workspace).values()) == {"ann"}
    with pytest.raises(NotFound, match="no assignment step '17'"):
        own.reverse(17)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    people=st.lists(
        st.tuples(st.sampled_from(["ann", "ben", None]), st.sampled_from(["n", "s", None])),
        min_size=1, max_size=8,
    ),
    targets=st.lists(st.sampled_from(["cem", "dora", "eli"]), min_size=1, max_size=3),
    rule=st.sampled_from(["round-robin", "region", "load"]),
    source=st.sampled_from(["ann", "ben", None]),
)  # fmt: skip
def test_assigning_and_reversing_restores_every_owner(
    workspace: Crm, people: list[tuple[str | None, str | None]], targets: list[str], rule: str,
    source: str | None,
) -> None:  # fmt: skip
    for owner, region in people:
        workspace.store.customers.add(owner=owner, region=region)
    before = owners(workspace)
    own = workspace.ownership
    try:
        made = own.hand_over(targets, from_agent=source, rule=rule, over_protection=True)
    except NotFound:
        assert source not in before.values()
        return
    moved = {a.customer_id for a in made}
    after = owners(workspace)
    assert moved == {i for i, owner in before.items() if owner == source}
    assert {after[i] for i in moved} <= set(targets)
    assert {i: o for i, o in after.items() if i not in moved} == {
        i: o for i, o in before.items() if i not in moved
    }
    if made:
        own.reverse(made[0].batch)
    assert owners(workspace) == before


# --- protection -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 3, 1), 6, date(2026, 9, 1)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 5, 5), 0, date(2026, 5, 5)),
    ],
)
def test_months_end_on_the_same_day_or_the_last_of_the_month(
    start: date, months: int, end: date
) -> None:
    assert add_months(start, months) == end


def test_renewals_are_protected_up_to_the_day_six_months_later(workspace: Crm) -> None:
    """Given on 1 April 2026: 30 September is the last protected day, 1 October is free."""
    person = add(workspace, "1", "ann")
    own = workspace.ownership
    standing = {
        day: own.protection(person, on=day).stands
        for day in (date(2026, 3, 31), date(2026, 4, 1), date(2026, 9, 30), date(2026, 10, 1),
                    date(2026, 10, 2))
    }  # fmt: skip
    assert list(standing.values()) == [False, True, True, False, False]
    with pytest.raises(
        NotPermitted, match=r"ann has it since 2026-04-01.* from 2026-10-01"
    ) as told:
        own.check_renewal(person, "ben", on=date(2026, 9, 30))
    assert told.value.code == "E_RENEWAL"
    own.check_renewal(person, "ann", on=date(2026, 9, 30))
    own.check_renewal(person, "ben", on=date(2026, 10, 1))


def test_an_edit_that_keeps_the_owner_does_not_lengthen_the_protection(
    workspace: Crm, crm_clock: SettableClock
) -> None:
    person = add(workspace, "1", "ann")
    crm_clock.advance(days=100)
    workspace.store.customers.edit(person, version=1, changes={"region": "north"})
    assert workspace.ownership.protection(person).since_on == date(2026, 4, 1)


def test_protection_ends_when_the_owner_leaves(workspace: Crm) -> None:
    person = add(workspace, "1", "ann")
    workspace.ownership.leave("ann", on=date(2026, 4, 10))
    assert workspace.ownership.protection(person, on=date(2026, 4, 9)).stands
    found = workspace.ownership.protection(person, on=date(2026, 4, 10))
    assert (found.stands, found.why) == (False, "ann left on 2026-04-10; renewals are free")


# --- claims ---------------------------------------------------------------------------------------


def at(day: int) -> datetime:
    return datetime(2026, 2, day, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("claims", "served", "agent", "rule"),
    [
        # Evidence goes before an earlier claim without, and before service.
        ([claim("ann", 1), claim("ben", 5, "c-1")], {"ann": at(9)}, "ben", "evidence"),
        ([claim("ann", 4, "c-2"), claim("ben", 5, "c-1")], {"ben": at(9)}, "ann", "evidence"),
        # Of one day: who of those two served last, whoever else did.
        (
            [claim("ann", 4, "a"), claim("ben", 4, "b"), claim("cem", 1)],
            {"ann": at(2), "ben": at(3), "cem": at(9)}, "ben", "service",
        ),
        ([claim("ann", 1), claim("ben", 2)], {"ben": at(3)}, "ben", "service"),
        # Served in the same instant, or never: a manager.
        ([claim("ann", 1), claim("ben", 2)], {"ann": at(3), "ben": at(3)}, None, "manager"),
        ([claim("ann", 1), claim("ben", 2)], {}, None, "manager"),
        ([], {}, None, "manager"),
    ],
)  # fmt: skip
def test_claims_are_settled_by_evidence_then_service_then_a_manager(
    claims: list[Claim], served: dict[str, datetime], agent: str | None, rule: str
) -> None:
    found = decide(claims, served)
    assert (found.agent, found.rule) == (agent, rule)


def test_a_settled_claim_moves_the_customer_and_keeps_the_decision(workspace: Crm) -> None:
    person = add(workspace, "1")
    own = workspace.ownership
    own.claim(person, "ann", on=date(2026, 3, 2))
    own.claim(person, "ben", on=date(2026, 3, 9), evidence="contract 77-12")
    assert own.settle(person, dry_run=True).agent == "ben"
    assert owners(workspace)[person] is None
    own.settle(person)
    assert owners(workspace)[person] == "ben"
    told = "ben: earliest claim with evidence, of 2026-03-09 (contract 77-12)"
    assert [(c.agent, c.status, c.rule, c.decision) for c in own.rows.claims()] == [
        ("ann", "lost", "evidence", told), ("ben", "won", "evidence", told),
    ]  # fmt: skip
    assert own.rows.assignments()[0].rule == "claim"
    with pytest.raises(NotFound, match="no open claim on customer"):
        own.settle(person)


def test_a_manager_decides_what_no_rule_can_and_says_why(workspace: Crm) -> None:
    person = add(workspace, "1")
    own = workspace.ownership
    own.claim(person, "ann")
    own.claim(person, "ben")
    with pytest.raises(UsageError, match="a manager has to decide") as told:
        own.settle(person)
    assert told.value.code == "E_UNDECIDED"
    with pytest.raises(UsageError, match="needs a reason"):
        own.settle(person, to="ann")
    own.settle(person, to="ann", reason="asked the customer")
    assert owners(workspace)[person] == "ann"
    assert own.rows.claims()[0].decision == "ann: asked the customer"


def test_a_claim_of_a_protected_day_is_refused_and_an_earlier_one_is_not(workspace: Crm) -> None:
    person = add(workspace, "1", "ann")
    own = workspace.ownership
    with pytest.raises(NotPermitted, match="ann has it since 2026-04-01"):
        own.claim(person, "ben")
    own.claim(person, "ben", on=date(2026, 3, 31), evidence="offer 9")
    with pytest.raises(UsageError, match="open claim on this customer already"):
        own.claim(person, "ben", on=date(2026, 3, 30))
    with pytest.raises(UsageError, match="still to come"):
        own.claim(person, "cem", on=date(2027, 1, 1))


def test_the_last_to_serve_is_taken_from_the_interactions(
    workspace: Crm, crm_clock: SettableClock
) -> None:
    person = add(workspace, "1")
    own = workspace.ownership
    for agent, day in (("ann", 3), ("ben", 2)):
        called(workspace, person, day, agent)
        own.claim(person, agent)
    assert own.settle(person).agent == "ann"


# --- the sheet ------------------------------------------------------------------------------------


def test_the_handover_sheet_shows_the_last_contact_of_each_customer(workspace: Crm) -> None:
    first, second = add(workspace, "1", "ann", "north"), add(workspace, "2", "ann")
    add(workspace, "3", "ben")
    for day in (2, 9):
        called(workspace, second, day)
    sheet = handover_sheet(workspace.store, workspace.ownership, "ann")
    assert [(r.customer_id, r.region, r.lines, r.last_contact_on, r.open_items) for r in sheet] == [
        (first, "north", "all", None, 0), (second, None, "all", date(2026, 3, 9), 0),
    ]  # fmt: skip


def test_the_handover_sheet_shows_what_expires_next_first(workspace: Crm, tmp_path: Path) -> None:
    """Today is 1 April: of 90 days 30 June is the last, 1 July is too far."""
    ids = [add(workspace, str(i), "ann") for i in range(3)]
    file = tmp_path / "a.pdf"
    file.write_bytes(b"%PDF-1.4")
    for person, day in (
        (ids[0], date(2026, 7, 1)),
        (ids[1], date(2026, 6, 30)),
        (ids[2], date(2026, 3, 20)),
        (ids[2], date(2026, 5, 1)),
    ):
        workspace.documents.add(file, type="lease", customer_id=person, expires_on=day)
    sheet = handover_sheet(workspace.store, workspace.ownership, "ann", days=90)
    assert [(r.customer_id, r.renewal_on, r.renewal) for r in sheet] == [
        (ids[2], date(2026, 3, 20), "document lease"), (ids[1], date(2026, 6, 30), "document lease"),
        (ids[0], None, None),
    ]  # fmt: skip


def test_the_handover_sheet_shows_when_a_contract_ends(telecom: Crm) -> None:
    """A contract that ends on 31 May, within 90 days of 1 April."""
    person = add(telecom, "1", "ann")
    line = telecom.store.records.set(
        "telecom.subscription", source="t", ref="s1", owner_id=person, values={}
    )
    telecom.store.records.set(
        "telecom.contract", source="t", ref="k1", owner_id=line.id,
        values={"ends_on": date(2026, 5, 31)},
    )  # fmt: skip
    (row,) = handover_sheet(telecom.store, telecom.ownership, "ann")
    assert (row.renewal_on, row.renewal) == (date(2026, 5, 31), "telecom.contract ends_on")
