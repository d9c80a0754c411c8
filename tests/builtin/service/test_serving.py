"""Cases that rules ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crmkit.builtin.service import serving
from crmkit.declarations import Firing

AT = datetime(2026, 3, 31, 9, tzinfo=UTC)


def fired(customer: int, *, on: datetime = AT, action: str = "open_case") -> Firing:
    return Firing(
        rule="shop.angry", version="1", subject_type="customer", subject_id=customer, as_of=on,
        action=action, target="billing", message="called four times",
    )  # fmt: skip


def test_a_firing_opens_one_case_and_the_next_opens_none_while_it_is_open(
    cases, crm, customer, do
) -> None:
    firings = [fired(customer, action="tag"), fired(customer)]
    with crm.store.begin("rule serve") as tx:
        (served,) = serving.open_cases(firings, crm.store, tx)
    (due,) = cases.due(crm.clock())
    (case,) = cases.read([due.ref])
    assert (served.firing, served.result) == (1, f"case rule.shop.angry:{case.ref}")
    assert (case.values["topic"], case.values["headline"]) == ("billing", "called four times")
    # The customer said nothing: no complaint is logged in its name.
    assert [i.kind for i in crm.store.interactions.list_for(customer)] == ["service.case_event"]
    later = fired(customer, on=AT + timedelta(days=1))
    with crm.store.begin("rule serve") as tx:
        (again,) = serving.open_cases([later], crm.store, tx)
    assert again.result == f"case rule.shop.angry:{case.ref}, open before"
    do("move", case.ref, "spam")
    with crm.store.begin("rule serve") as tx:
        serving.open_cases([later], crm.store, tx)
    assert len(cases.due(crm.clock())) == 1
    assert len(crm.store.records.list("service.case")) == 2
