"""Issue 14: random legal and illegal acts in random order, and what has to hold whatever came before.

A customer with two lines is billed, pays in parts, too much or for no bill, payments are reversed,
credit notes written, entries corrected and filed late, numbers asked to be ported and kept. What is
refused changes nothing, and in the end the features agree with a ledger that is kept by hand here.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

import crmkit
from crmkit.entities import Money, NewInteraction
from crmkit.errors import UsageError
from crmkit.testing.clock import SettableClock
from crmkit.warehouse.population import Population

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
TODAY = NOW.date()
ACTS = 40
# Due on last days of months and on a 14th, 1 to 121 days ago and one day ahead.
DUES = (
    date(2025, 11, 30),
    date(2026, 1, 31),
    date(2026, 2, 28),
    date(2026, 3, 14),
    date(2026, 4, 1),
)
REQUESTS = ("port_out", "cancellation")
ILLEGAL = (
    ("telecom.request_withdrawal", {}),
    ("telecom.request_withdrawal", {"request": "complaint"}),
    ("telecom.payment", {"method": "gold"}),
    ("telecom.bill", {"due_on": date(2026, 1, 1), "period_starts_on": date(2026, 2, 1)}),
    ("telecom.receipt", {}),
)  # fmt: skip


@frozen
class Entry:
    """A bill or credit note, a payment or reversal, a top-up, a request or its withdrawal."""

    what: str
    line: int
    at: datetime
    amount: int = 0
    currency: str = "USD"
    due: date | None = None


def overdue(entries: Iterable[Entry], today: date) -> int:
    """Days since the oldest due date of which something is open, by hand."""
    worst = 0
    books: dict[tuple[int, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.what in ("bill", "payment"):
            books[entry.line, entry.currency].append(entry)
    for book in books.values():
        bills = [e for e in book if e.what == "bill" and e.amount > 0]
        if not bills:
            continue
        began = min(e.at for e in bills)
        owed = dict.fromkeys((e.due for e in bills), 0)
        spare = 0
        for entry in book:
            billed = entry.amount if entry.what == "bill" else -entry.amount
            note = entry.what == "bill" and entry.amount < 0
            if entry.due in owed:
                owed[entry.due] += billed
            elif entry.at >= began and (entry.due is None or note):
                spare -= billed
        spare += sum(-left for left in owed.values() if left < 0)
        for due, left in sorted((d, left) for d, left in owed.items() if d and left > 0):
            if left > spare:
                worst = max(worst, (today - due).days)
                break
            spare -= left
    return worst


class Operator:
    """A workspace, the dice, and what the test knows to be true."""

    def __init__(self, crm: Any, seed: int) -> None:
        self.crm, self.dice = crm, random.Random(seed)
        self.customer = crm.store.customers.add(kind="person", name="Ann").id
        for ref in ("L0", "L1"):
            crm.store.records.set(
                "telecom.subscription", source="own", ref=ref, owner_id=self.customer,
                effective=datetime(2025, 9, 1, tzinfo=UTC),
                values={"status": "active", "activated_on": date(2025, 9, 1)},
            )  # fmt: skip
        self.lines = [
            crm.store.records.find("telecom.subscription", ref).id for ref in ("L0", "L1")
        ]
        self.entries: dict[str, Entry] = {}
        # One amount in the workspace's currency, so that this is the currency of the analysis.
        self.file("E0", Entry("topup", 0, NOW - timedelta(days=150), 500))

    def at(self) -> datetime:
        return NOW - timedelta(minutes=self.dice.randrange(1, 60 * 24 * 140))

    def file(self, ref: str, entry: Entry) -> None:
        kind, payload = f"telecom.{entry.what}", {}
        if entry.what in REQUESTS:
            kind += "_request"
        elif entry.what.endswith("_withdrawn"):
            kind = "telecom.request_withdrawal"
            payload = {"request": entry.what.removesuffix("_withdrawn")}
        elif entry.due is not None:
            payload = {"due_on": entry.due}
        self.crm.store.interactions.log([
            NewInteraction(
                kind=kind, customer_id=self.customer, occurred_at=entry.at, source="own", ref=ref,
                amount=Money(entry.amount, entry.currency) if entry.amount else None,
                subject_id=self.lines[entry.line], payload=payload,
            )
        ])  # fmt: skip
        self.entries[ref] = entry

    def act(self) -> None:
        dice, ref = self.dice, f"E{len(self.entries)}"
        line, due = dice.randrange(2), dice.choice((*DUES, None))
        currency = dice.choice(("USD", "USD", "USD", "JPY"))
        amount = dice.choice((1, 400, 600, 1000, 2000))
        roll = dice.random()
        if roll < 0.1:
            before = self.crm.store.interactions.read(["id"], customers=[self.customer])
            kind, payload = dice.choice(ILLEGAL)
            with pytest.raises(UsageError):
                self.crm.store.interactions.log([
                    NewInteraction(kind=kind, occurred_at=NOW, customer_id=self.customer, payload=payload)
                ])  # fmt: skip
            after = self.crm.store.interactions.read(["id"], customers=[self.customer])
            assert sorted(after) == sorted(before)
        elif roll < 0.35:
            sign = -1 if dice.random() < 0.2 else 1
            self.file(ref, Entry("bill", line, self.at(), sign * 1000, currency, due or DUES[0]))
        elif roll < 0.7:
            sign = -1 if dice.random() < 0.25 else 1
            self.file(ref, Entry("payment", line, self.at(), sign * amount, currency, due))
        elif roll < 0.8:
            corrected = dice.choice([r for r, e in self.entries.items() if e.amount])
            entry = self.entries[corrected]
            self.file(corrected, evolve(entry, amount=-entry.amount if amount == 1 else amount))
        elif roll < 0.85:
            self.file(ref, Entry("topup", line, self.at(), amount, currency))
        else:
            asked = dice.choice(REQUESTS)
            withdrawn = "_withdrawn" if dice.random() < 0.5 else ""
            self.file(ref, Entry(asked + withdrawn, line, self.at()))

    def requests(self, what: str) -> int:
        """Requests of the last 60 days that were not withdrawn afterwards, for their line."""
        said = [e for e in self.entries.values() if e.what == f"{what}_withdrawn"]
        return sum(
            entry.what == what
            and (TODAY - entry.at.date()).days < 60
            and not any(w.line == entry.line and w.at >= entry.at for w in said)
            for entry in self.entries.values()
        )

    def revenue(self) -> int | None:
        """Bills less credit notes, and top-ups; none where some are in another currency."""
        earned = [e for e in self.entries.values() if e.what in ("bill", "topup")]
        return sum(e.amount for e in earned) if all(e.currency == "USD" for e in earned) else None

    def check(self) -> None:
        names = ["telecom.days_overdue", "telecom.port_out_requests_60d",
                 "telecom.cancellation_requests_60d", "value.revenue_365d_minor"]  # fmt: skip
        population = Population.of([self.customer], self.crm.as_of())
        (row,) = self.crm.features.build("customer", names, population).to_pylist()
        assert row["telecom_days_overdue"] == overdue(self.entries.values(), TODAY)
        assert row["telecom_port_out_requests_60d"] == self.requests("port_out")
        assert row["telecom_cancellation_requests_60d"] == self.requests("cancellation")
        assert row["value_revenue_365d_minor"] == self.revenue()


@pytest.mark.parametrize(
    "seed",
    [pytest.param(n, marks=pytest.mark.slow if n < 30 else pytest.mark.soak) for n in range(1000)],
)
def test_whatever_happens_the_features_agree_with_the_ledger(tmp_path: Path, seed: int) -> None:
    clock = SettableClock(datetime(2025, 9, 1, tzinfo=UTC))
    with crmkit.init(tmp_path / "w", plugins=("telecom",), clock=clock, actor="ann") as crm:
        operator = Operator(crm, seed)
        clock.set(NOW)
        for _ in range(ACTS):
            operator.act()
        operator.check()
