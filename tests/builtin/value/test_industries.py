"""Every shipped industry says what brings revenue and what its interactions cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import crmkit
from crmkit.entities import Money, NewInteraction
from crmkit.workspace import Crm

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
ON = datetime(2026, 3, 20, 9, tzinfo=UTC)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


def event(kind: str, customer: int, amount: str | None = None, **payload: Any) -> NewInteraction:
    return NewInteraction(
        kind=kind, customer_id=customer, occurred_at=ON, payload=payload,
        amount=None if amount is None else usd(amount),
    )  # fmt: skip


def telecom(crm: Crm, ann: int) -> None:
    """A bill of 30.00 and a top-up of 10.00; a payment is no revenue. 0.40 + 0.20 + a complaint of 12.00."""
    crm.store.interactions.log([
        event("telecom.bill", ann, "30.00"), event("telecom.payment", ann, "30.00"),
        event("telecom.topup", ann, "10.00"), event("telecom.complaint", ann),
    ])  # fmt: skip


def banking(crm: Crm, ann: int) -> None:
    """A month of 25.00 interest and 4.00 fees; a transfer of 900.00 is no revenue. A complaint of 12.00."""
    crm.store.interactions.log([
        event("banking.monthly_result", ann, net_interest="25.00", fees="4.00"),
        event("banking.transaction", ann, "900.00"), event("banking.complaint", ann),
    ])  # fmt: skip


def hotel(crm: Crm, ann: int) -> None:
    """A stay with 200.00 for the room and 35.00 for food; a complaint of 15.00."""
    crm.store.records.set(
        "hotel.reservation", source="pms", ref="R1", owner_id=ann,
        effective=datetime(2026, 3, 10, tzinfo=UTC), values={"arrival_on": date(2026, 3, 18)},
    )  # fmt: skip
    crm.store.records.set(
        "hotel.stay", source="pms", ref="S1", effective=datetime(2026, 3, 18, tzinfo=UTC),
        owner_id=crm.store.records.find("hotel.reservation", "R1").id,
        values={"checked_out_on": date(2026, 3, 20), "revenue_room": usd("200.00"),
                "revenue_fnb": usd("35.00")},
    )  # fmt: skip
    crm.store.interactions.log([event("hotel.complaint", ann)])


def delivery(crm: Crm, ann: int) -> None:
    """An invoice of 80.00; a complaint of 12.00."""
    crm.store.interactions.log(
        [event("delivery.invoice", ann, "80.00"), event("delivery.complaint", ann)]
    )


@pytest.mark.parametrize(
    ("industry", "revenue", "cost"),
    [(telecom, 4000, 1260), (banking, 2900, 1200), (hotel, 23500, 1500), (delivery, 8000, 1200)],
)
def test_revenue_and_cost_are_declared(
    tmp_path: Path, crm_clock: Any, industry: Callable[[Crm, int], None], revenue: int, cost: int
) -> None:
    crm_clock.set(datetime(2026, 1, 1, tzinfo=UTC))
    plugin = industry.__name__
    with crmkit.init(tmp_path / "w", plugins=(plugin,), clock=crm_clock) as crm:
        ann = crm.store.customers.add(kind="person", name="Ann").id
        crm_clock.set(NOW)
        industry(crm, ann)
        (row,) = crm.reports.run("value.contribution", as_of=crm.as_of()).table.to_pylist()
        assert (row["revenue_minor"], row["cost_minor"]) == (revenue, cost)
        curve = crm.reports.run("value.concentration", as_of=crm.as_of()).table
        assert curve.num_rows > 0
