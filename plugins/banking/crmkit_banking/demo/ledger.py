"""What happened in the demo's months, as the bank's systems would export it."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from attrs import define, field

from .world import Ints

# Codes in the arrays stand for these words.
TYPES = (
    "cash_in", "cash_out", "transfer_in", "transfer_out", "card_payment", "salary", "pension",
    "interest", "fee", "loan_payment", "insurance", "household", "child_benefit",
)  # fmt: skip
VIAS = ("counter", "atm", "pos", "web", "mobile", "call_centre", "standing_order", "system")
CURRENT, SAVINGS = 0, 1
COLUMNS = ("customer", "account", "day", "second", "type", "via", "amount", "place", "own")


@define
class Ledger:
    """Everything that the months produced.

    Attributes:
        parts: transactions of one kind and month, a tuple of arrays by COLUMNS. ``place`` is 0 at
            home and else the number of the country abroad, from 1; ``own`` is 1 for a transfer to the
            customer's own name at another bank.
        repayments: loan, due, paid (ordinals), amount.
        statements: loan, month, outstanding, days past due, written off.
        cards: customer, month, balance, paid.
        inquiries: customer, month, inquiries in six months, open lines, delinquencies.
        events: rows of the events file.
        truth: customer, kind, day (ordinal), until (ordinal), cause.
    """

    parts: list[tuple[Any, ...]] = field(factory=list)
    repayments: list[tuple[int, int, int, int]] = field(factory=list)
    statements: list[tuple[int, int, int, int, int]] = field(factory=list)
    cards: list[tuple[int, int, int, int]] = field(factory=list)
    inquiries: list[tuple[int, int, int, int, int]] = field(factory=list)
    events: list[dict[str, Any]] = field(factory=list)
    truth: list[tuple[int, str, int, int, str]] = field(factory=list)
    # By customer: the day on which the standing orders were cancelled, and on which all was closed.
    cancelled: dict[int, int] = field(factory=dict)
    closed: dict[int, int] = field(factory=dict)
    defaulted: dict[int, tuple[int, str]] = field(factory=dict)

    def add(
        self, customer: Any, day: Any, amount: Any, type_: str, via: str, *, account: int = CURRENT,
        hour: int = 12, place: Any = 0, own: int = 0,
    ) -> None:  # fmt: skip
        """Transactions of one kind: arrays of customers and days, signed minor units."""
        rows = np.asarray(customer, np.int64)
        if not len(rows):
            return
        full = [
            np.broadcast_to(np.asarray(value, np.int64), rows.shape)
            for value in (account, day, hour * 3600, TYPES.index(type_), VIAS.index(via), amount, place, own)
        ]  # fmt: skip
        self.parts.append((rows, *full))

    def event(self, kind: str, customer: int, day: int, **values: Any) -> None:
        """Adds a contact; unknown columns are refused by the writer."""
        on = date.fromordinal(day)
        self.events.append({"kind": kind, "customer": customer, "occurred_on": on, **values})

    def know(self, customer: int, kind: str, day: int, until: int = 0, cause: str = "") -> None:
        """Adds a line to the truth."""
        self.truth.append((int(customer), kind, int(day), int(until or day), cause))

    def table(self) -> dict[str, Ints]:
        """All transactions in order of account and time."""
        columns = [np.concatenate([part[i] for part in self.parts]) for i in range(len(COLUMNS))]
        customer, account, day, second = columns[:4]
        # The order in which they were made decides between two of the same second.
        order = np.lexsort((np.arange(len(day)), second, day, account, customer))
        return dict(zip(COLUMNS, (column[order] for column in columns), strict=True))


def customer_ref(index: int) -> str:
    """Key of a customer in the bank's files."""
    return f"C{index + 1:06d}"


def account_ref(index: int, account: int) -> str:
    """Key of a customer's current or savings account."""
    return f"{'S' if account else 'G'}{index + 1:06d}"


def loan_ref(index: int) -> str:
    """Key of a customer's loan."""
    return f"L{index + 1:06d}"


def money(minor: int) -> str:
    """An amount as the files write it."""
    sign = "-" if minor < 0 else ""
    whole, cents = divmod(abs(int(minor)), 100)
    return f"{sign}{whole}.{cents:02d}"
