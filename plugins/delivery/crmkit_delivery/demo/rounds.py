"""Rounds of the demo: subscribers, a courier who drives them away, missed drops, and money that lacks."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from attrs import define, field

from .calendar import AS_OF, FIRST, at, text

if TYPE_CHECKING:
    import numpy as np

Row = dict[str, str]
# In 90 days: what one dairy's couriers lost on average, and what the one whom nobody watched lost. 67 %
# is the figure that a short local survey of one dairy once found; here it is a courier's, not the trade's.
USUAL_LOSS, BAD_LOSS = 0.06, 0.67
BAD = "C00"
# Three drops a week, as a month has them.
DROPS_A_MONTH, PRICE_MINOR = 13, 120
REASONS = ("moved", "price", "quality", "missed_drops", "competitor", "other")


@define
class Rounds:
    """Rows of the files, and what is true of the couriers."""

    couriers: list[Row] = field(factory=list)
    subscriptions: list[Row] = field(factory=list)
    events: list[Row] = field(factory=list)
    drops: list[Row] = field(factory=list)
    days: list[Row] = field(factory=list)
    bills: list[Row] = field(factory=list)
    short: set[str] = field(factory=set)


def build_rounds(subscribers: int, rng: np.random.Generator) -> Rounds:
    """Subscribers on rounds of some sixty, each round with a courier of its own."""
    made = Rounds()
    count = max(2, subscribers // 60)
    for number in range(count):
        courier, name = f"C{number:02d}", f"R{number:02d}"
        stamp = FIRST.isoformat()
        made.couriers += [
            {"kind": "courier", "code": courier, "as_of": stamp, "name": f"Courier {number}",
             "depot": "DAIRY", "hired_on": "2024-01-01"},
            {"kind": "round", "code": name, "as_of": stamp, "title": f"Round {number}",
             "depot": "DAIRY", "product": "milk"},
            {"kind": "assignment", "code": f"{name}-{courier}", "as_of": stamp, "round": name,
             "courier": courier, "starts_on": stamp, "commission_rate": "0.04"},
        ]  # fmt: skip
        _days(made, courier, name, short=number == 1)
    for number in range(subscribers):
        _subscriber(made, number, number % count, rng)
    return made


def _subscriber(made: Rounds, number: int, place: int, rng: np.random.Generator) -> None:
    courier, name = f"C{place:02d}", f"R{place:02d}"
    started = FIRST - timedelta(days=int(rng.integers(60, 900)))
    row = {
        "subscription": f"S{number:05d}", "customer": f"P{number:05d}", "as_of": FIRST.isoformat(),
        "round": name, "courier": courier, "sequence_no": str(number), "product": "milk",
        "quantity": str(1 + number % 3), "days": "mon;wed;fri", "price": f"{PRICE_MINOR / 100:.2f}",
        "started_on": started.isoformat(), "collection": "monthly", "name": f"Subscriber {number}",
        "phone": f"+4930{number:07d}", "region": "DAIRY", "address": f"{number} Mill Lane",
    }  # fmt: skip
    made.subscriptions.append(row)
    ends = AS_OF
    lost = rng.random() < (BAD_LOSS if courier == BAD else USUAL_LOSS)
    if lost:
        on = ends = AS_OF - timedelta(days=int(rng.integers(0, 88)))
        reason = "missed_drops" if courier == BAD else REASONS[int(rng.integers(len(REASONS)))]
        made.subscriptions.append(
            {**row, "as_of": on.isoformat(), "ended_on": on.isoformat(), "end_reason": reason}
        )
        _event(made, "cancellation", row, on, reason)
    elif rng.random() < 0.04:
        on = AS_OF - timedelta(days=int(rng.integers(5, 25)))
        until = AS_OF + timedelta(days=int(rng.integers(1, 30)))
        made.subscriptions.append(
            {**row, "as_of": on.isoformat(), "paused_from": on.isoformat(),
             "paused_to": until.isoformat(), "pause_extensions": "0"}
        )  # fmt: skip
        _event(made, "pause", row, on, "holiday")
    _bills(made, row, ends)
    missed = 3 if courier == BAD and not lost else int(rng.random() < 0.05)
    for turn in range(missed):
        on = AS_OF - timedelta(days=4 + 7 * turn)
        made.drops.append(
            {"drop": f"{row['subscription']}-{on}", "subscription": row["subscription"],
             "result": "missed", "round": name, "courier": courier, "quantity": "0",
             "occurred_at": text(at(on, 6))}
        )  # fmt: skip


def _bills(made: Rounds, row: Row, ends: date) -> None:
    """A bill at the end of each month that was served to its end."""
    amount = DROPS_A_MONTH * int(row["quantity"]) * PRICE_MINOR / 100
    first = FIRST
    while (following := (first + timedelta(days=32)).replace(day=1)) <= ends + timedelta(days=1):
        last = following - timedelta(days=1)
        made.bills.append(
            {"bill": f"{row['subscription']}-{last}", "subscription": row["subscription"],
             "billed_on": last.isoformat(), "period_from": first.isoformat(),
             "period_to": last.isoformat(), "amount": f"{amount:.2f}", "collection": "monthly"}
        )  # fmt: skip
        first = following


def _event(made: Rounds, kind: str, row: Row, on: date, reason: str) -> None:
    made.events.append(
        {"event": f"{row['subscription']}-{kind}", "kind": kind, "subscription": row["subscription"],
         "reason": reason, "round": row["round"], "courier": row["courier"], "channel": "phone",
         "direction": "in", "occurred_at": text(at(on, 10))}
    )  # fmt: skip


def _days(made: Rounds, courier: str, name: str, *, short: bool) -> None:
    for back in range(30):
        on = AS_OF - timedelta(days=back)
        lacks = short and back % 5 == 0
        if lacks:
            made.short.add(f"{courier} {on}")
        made.days.append(
            {"courier": courier, "round": name, "day": on.isoformat(), "loaded": "120",
             "delivered": "118", "returned": "0" if lacks else "2", "cash_due": "140.00",
             "cash_remitted": "120.00" if lacks else "140.00", "drops_planned": "60",
             "drops_recorded": "60", "commission_rate": "0.04"}
        )  # fmt: skip
