"""Writes the demo's world as the files that an operator's systems export."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from .calendar import AS_OF
from .ledger import (
    BILL_COLUMNS,
    EVENT_COLUMNS,
    USAGE_COLUMNS,
    Ledger,
    customer_ref,
    line_ref,
    money,
)
from .world import (
    ADDONS,
    CITIES,
    COMPETITORS,
    FAMILY,
    GIVEN,
    METHODS,
    PLANS,
    PREPAID,
    TIERS,
    World,
    as_date,
)

LATER = "later"
# Order of import: owners before what they own.
PROFILES = {
    "plans.csv": "telecom-plans",
    "customers.csv": "telecom-customers",
    "subscriptions.csv": "telecom-subscriptions",
    "billing.csv": "telecom-billing",
    "usage.csv": "telecom-usage",
    "events.csv": "telecom-events",
}

PLAN_COLUMNS = (
    "plan", "plan_name", "payment_model", "monthly_fee", "data_allowance_gb", "voice_allowance_min",
)  # fmt: skip
CUSTOMER_COLUMNS = (
    "customer", "kind", "name", "phone", "email", "joined_on", "region", "city", "postal_code",
    "household", "gender", "senior", "partner", "dependants", "key_account_tier",
    "account_manager", "marketing_consent", "consent_on",
)  # fmt: skip
TRUTH_COLUMNS = ("customer", "left_on", "kind", "cause", "standing", "expected")
SUBSCRIPTION_COLUMNS = (
    "subscription", "customer", "as_of", "msisdn", "status", "payment_model", "activated_on", "plan",
    "contract_type", "contract_starts_on", "contract_ends_on", "early_exit_fee", "monthly_fee",
    "data_allowance_gb", "voice_allowance_min", "line_count", "internet_service",
    *(f"addon_{name}" for name in ADDONS),
    "payment_method", "paperless", "ported_from", "device_model", "device_acquired_on",
    "instalment_balance", "ended_on", "churn_kind", "churn_reason", "churn_to",
)  # fmt: skip


def write_files(folder: Path, world: World, start: World, ledger: Ledger) -> None:
    """Writes the shown files into ``folder`` and the month held back into ``folder/later``.

    Args:
        world: as it stands after the last month.
        start: as it stood before the first.
    """
    (folder / LATER).mkdir(parents=True, exist_ok=True)
    plans = list(_plans())
    _write(folder / "plans.csv", PLAN_COLUMNS, plans)
    _split(folder, "customers.csv", CUSTOMER_COLUMNS, _customers(world))
    _split(folder, "subscriptions.csv", SUBSCRIPTION_COLUMNS, _subscriptions(start, ledger))
    _split(folder, "usage.csv", USAGE_COLUMNS, [(row[3], row) for row in ledger.usage])
    _split(folder, "events.csv", ("event", *EVENT_COLUMNS), _events(ledger))
    _write_bills(folder, ledger)
    _write_truth(folder / "truth.csv", world, ledger)


def _split(
    folder: Path, name: str, columns: Sequence[str], rows: Iterable[tuple[date, Sequence[Any]]]
) -> None:
    """Rows with the day on which each became known: the demo stands on AS_OF, the rest is later."""
    known = list(rows)
    _write(folder / name, columns, (row for on, row in known if on <= AS_OF))
    _write(folder / LATER / name, columns, (row for on, row in known if on > AS_OF))


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _write_bills(folder: Path, ledger: Ledger) -> None:
    """A bill that is paid after AS_OF is open in the shown file and paid in the later one."""
    shown, later = [], []
    paid_column, issued_column = BILL_COLUMNS.index("paid_on"), BILL_COLUMNS.index("issued_on")
    for row in ledger.bills:
        paid = row[paid_column]
        if row[issued_column] > AS_OF:
            later.append(row)
        elif paid is not None and paid > AS_OF:
            shown.append((*row[:paid_column], None, *row[paid_column + 1 :]))
            later.append(row)
        else:
            shown.append(row)
    _write(folder / "billing.csv", BILL_COLUMNS, shown)
    _write(folder / LATER / "billing.csv", BILL_COLUMNS, later)


def _plans() -> Iterable[Sequence[Any]]:
    for plan in PLANS:
        yield (
            plan.code, plan.name, plan.model, money(plan.fee),
            plan.data_gb or None, plan.voice_min or None,
        )  # fmt: skip


def _customers(w: World) -> list[tuple[date, Sequence[Any]]]:
    rows: list[tuple[date, Sequence[Any]]] = []
    for i in range(w.size):
        joined = date.fromordinal(int(w.activated[i]))
        city, region = CITIES[w.city[i]]
        given, family = GIVEN[w.given[i]], FAMILY[w.family[i]]
        business = bool(w.business[i])
        name = f"{family} & {given} Ltd {i + 1}" if business else f"{given} {family}"
        row = (
            customer_ref(i), "organisation" if business else "person", name,
            f"+1555{2000000 + i}", f"c{i + 1}@example.com", joined, region, city,
            f"{10000 + w.cell[i]}", f"H{w.household[i]:05d}",
            None if business else ("female" if w.female[i] else "male"),
            *_flags(w, i, business),
            TIERS[w.tier[i]] if business else "none",
            f"M{w.manager[i]:02d}" if business and w.manager[i] else None,
            _yes(w.consent[i]), joined,
        )  # fmt: skip
        rows.append((joined, row))
    return rows


def _flags(w: World, i: int, business: bool) -> tuple[str | None, ...]:
    if business:
        return (None, None, None)
    return (_yes(w.senior[i]), _yes(w.partner[i]), _yes(w.dependants[i]))


def _yes(flag: Any) -> str:
    return "yes" if flag else "no"


def _subscriptions(w: World, ledger: Ledger) -> list[tuple[date, Sequence[Any]]]:
    """First state of every line and its later ones, by the day from which each holds."""
    rows = []
    for i in range(w.size):
        holds = {
            "plan": int(w.plan[i]), "fee": int(w.fee[i]), "term": int(w.term[i]),
            "contract_start": int(w.contract_start[i]), "contract_end": int(w.contract_end[i]),
            "device_on": int(w.device_on[i]), "instalments": int(w.instalments[i]),
        }  # fmt: skip
        begins = date.fromordinal(max(int(w.activated[i]), int(w.contract_start[i])))
        rows.append((begins, i, holds))
    rows += ledger.versions
    rows.sort(key=lambda row: (row[0], row[1]))
    return [(on, _subscription(w, i, on, holds)) for on, i, holds in rows]


def _subscription(w: World, i: int, on: date, holds: dict[str, Any]) -> Sequence[Any]:
    plan = PLANS[holds["plan"]]
    scale = w.lines[i] / 10 if w.business[i] else 1
    term = holds["term"]
    # A contract that has run out stays the last one until it is renewed.
    exit_fee = money(holds["fee"] * 2) if term else None
    prepaid = holds["plan"] == PREPAID
    return (
        line_ref(i), customer_ref(i), on, f"+1555{2000000 + i}", holds.get("status", "active"),
        plan.model, as_date(w.activated[i]), plan.code,
        f"{term}m" if term else "month_to_month",
        as_date(holds["contract_start"]), as_date(holds["contract_end"]), exit_fee,
        money(holds["fee"]), round(plan.data_gb * scale) or None,
        round(plan.voice_min * scale) or None, int(w.lines[i]), plan.internet,
        *(_yes(flag) for flag in w.addons[i]),
        "top_up" if prepaid else METHODS[w.method[i]], _yes(w.paperless[i]),
        COMPETITORS[w.ported_from[i] - 1] if w.ported_from[i] else None,
        f"Phone {holds['device_on'] % 7 + 1}", as_date(holds["device_on"]),
        money(holds["instalments"]), holds.get("ended_on"), holds.get("churn_kind"),
        holds.get("churn_reason"), holds.get("churn_to"),
    )  # fmt: skip


def _events(ledger: Ledger) -> list[tuple[date, Sequence[Any]]]:
    """Events in time order, numbered; the number is their key."""
    order = sorted(
        range(len(ledger.events)),
        key=lambda k: (ledger.events[k]["occurred_on"], ledger.events[k]["customer"], k),
    )
    rows: list[tuple[date, Sequence[Any]]] = []
    for number, position in enumerate(order, start=1):
        event = ledger.events[position]
        unknown = set(event) - set(EVENT_COLUMNS)
        if unknown:
            raise KeyError(f"event {event['kind']} has no column for {', '.join(sorted(unknown))}")
        customer = event["customer"]
        filled = {**event, "customer": customer_ref(customer), "subscription": line_ref(customer)}
        row = (f"E{number:07d}", *(_text(filled.get(c)) for c in EVENT_COLUMNS))
        rows.append((event["occurred_on"], row))
    return rows


def _text(value: Any) -> Any:
    return _yes(value) if isinstance(value, bool) else value


def _write_truth(path: Path, w: World, ledger: Ledger) -> None:
    """Per customer: when, how and why they left, and what the generator expected on JUDGED_ON."""
    left = {d.customer: d for d in ledger.departures}
    rows = []
    for i in range(w.size):
        gone = left.get(i)
        expected, standing = ledger.oracle.get(i, (None, None))
        rows.append((
            customer_ref(i),
            *((gone.on, gone.kind, gone.cause) if gone else (None, None, None)),
            standing,
            None if expected is None else f"{expected:.6f}",
        ))  # fmt: skip
    _write(path, TRUTH_COLUMNS, rows)
