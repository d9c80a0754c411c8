"""Writes the demo's world as the files that a bank's systems export."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from .calendar import ALL_MONTHS, AS_OF, day_number, first_day, last_day
from .ledger import TYPES, VIAS, Ledger, account_ref, customer_ref, loan_ref, money
from .world import (
    ABROAD,
    AUTO,
    BRANCHES,
    EMPLOYMENT,
    FAMILY,
    GIVEN,
    HOME,
    HOUSING,
    LIFE,
    MORTGAGE,
    PRODUCTS,
    RATES,
    TERMS,
    Ints,
    World,
    branch_count,
)

LATER = "later"
# Order of import: owners before what they own.
PROFILES = {
    "branches.csv": "bank-branches",
    "customers.csv": "bank-customers",
    "accounts.csv": "bank-accounts",
    "standing_orders.csv": "bank-standing-orders",
    "deposits.csv": "bank-deposits",
    "loans.csv": "bank-loans",
    "collaterals.csv": "bank-collaterals",
    "cards.csv": "bank-cards",
    "transactions.csv": "bank-transactions",
    "repayments.csv": "bank-repayments",
    "loan_statements.csv": "bank-loan-statements",
    "card_statements.csv": "bank-card-statements",
    "bureau.csv": "bank-bureau",
    "events.csv": "bank-events",
    "cash_days.csv": "bank-cash-days",
}
EVENT_COLUMNS = (
    "event", "kind", "customer", "occurred_on", "channel", "purpose", "minutes", "topic", "reason",
    "product", "response", "campaign",
)  # fmt: skip
TRUTH_COLUMNS = ("customer", "kind", "on", "until", "cause")
Dated = tuple[date, Sequence[Any]]


def write_files(folder: Path, world: World, ledger: Ledger) -> None:
    """Writes the shown files into ``folder`` and the month held back into ``folder/later``."""
    (folder / LATER).mkdir(parents=True, exist_ok=True)
    table = ledger.table()
    _write(folder / "branches.csv", ("branch", "name", "region", "cash_limit"), _branches(world, table))  # fmt: skip
    _split(folder, "customers.csv", CUSTOMER_COLUMNS, _customers(world))
    _split(folder, "accounts.csv", ("account", "customer", "type", "branch", "opened_on", "status", "closed_on", "as_of"), _accounts(world, ledger))  # fmt: skip
    _split(folder, "standing_orders.csv", ("order", "account", "amount", "purpose", "starts_on", "cancelled_on", "as_of"), _orders(world, ledger))  # fmt: skip
    _split(folder, "deposits.csv", ("deposit", "customer", "amount", "rate", "opened_on", "matures_on", "branch", "as_of"), _deposits(world, ledger))  # fmt: skip
    _split(folder, "loans.csv", LOAN_COLUMNS, _loans(world, ledger))
    _split(folder, "collaterals.csv", ("collateral", "loan", "kind", "value", "valued_on", "ltv"), _collaterals(world))  # fmt: skip
    _split(folder, "cards.csv", ("card", "customer", "kind", "product", "issued_on", "limit"), _cards(world))  # fmt: skip
    _split(folder, "transactions.csv", ("transaction", "account", "occurred_at", "type", "via", "amount", "balance", "country", "branch", "own_name"), _transactions(world, table))  # fmt: skip
    _split(folder, "repayments.csv", ("repayment", "loan", "due_on", "paid_on", "amount", "days_late"), _repayments(ledger))  # fmt: skip
    _split(folder, "loan_statements.csv", ("statement", "loan", "on", "outstanding", "days_past_due", "written_off"), _statements(ledger))  # fmt: skip
    _split(folder, "card_statements.csv", ("statement", "card", "on", "balance", "utilisation", "paid"), _card_statements(world, ledger))  # fmt: skip
    _split(folder, "bureau.csv", ("report", "customer", "on", "inquiries", "open_lines", "delinquencies"), _bureau(ledger))  # fmt: skip
    _split(folder, "events.csv", EVENT_COLUMNS, _events(ledger))
    _split(
        folder, "cash_days.csv", ("branch", "on", "cash_in", "cash_out"), _cash_days(world, table)
    )
    _write(folder / "truth.csv", TRUTH_COLUMNS, _truth(ledger))


def _split(folder: Path, name: str, columns: Sequence[str], rows: Iterable[Dated]) -> None:
    """Rows with the day on which each became known: the demo stands on AS_OF, the rest is later."""
    with (
        (folder / name).open("w", encoding="utf-8", newline="") as shown,
        (folder / LATER / name).open("w", encoding="utf-8", newline="") as later,
    ):
        now, after = (csv.writer(out, lineterminator="\n") for out in (shown, later))
        now.writerow(columns)
        after.writerow(columns)
        for on, row in rows:
            (now if on <= AS_OF else after).writerow(row)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _day(ordinal: Any) -> date:
    return date.fromordinal(int(ordinal))


# --- who and what ---------------------------------------------------------------------------------

CUSTOMER_COLUMNS = (
    "customer", "name", "phone", "email", "since_on", "region", "branch", "district", "kyc_status", "income",
    "employment", "housing", "dependants", "life_situation", "gender", "born_on", "consent_marketing",
    "consent_on", "share_of_wallet",
)  # fmt: skip
LOAN_COLUMNS = (
    "loan", "customer", "account", "product", "branch", "granted_on", "principal", "rate", "term_months",
    "instalment", "status", "defaulted_on", "as_of",
)  # fmt: skip


def _branches(w: World, table: dict[str, Ints]) -> Iterator[Sequence[Any]]:
    """The limit is what was paid out on the busiest day but four in a hundred, as a branch keeps it."""
    _, out = _cash(w, table)
    for number, (code, name, region) in enumerate(BRANCHES[: branch_count(w.size)]):
        paid = np.sort(out[number][out[number] > 0])
        limit = int(paid[int(len(paid) * 0.96)]) if len(paid) else 100_000
        yield code, name, region, money(-(-limit // 100_000) * 100_000)


def _customers(w: World) -> Iterator[Dated]:
    for i in range(w.size):
        since = _day(w.since[i])
        code, _, region = BRANCHES[w.branch[i]]
        # Who was there before the first month is known from its first day on.
        given, family = GIVEN[w.given[i]], FAMILY[w.family[i]]
        born = date(first_day(0).year - int(w.age[i]), 1 + i % 12, 1 + i % 28)
        yield since, (
            customer_ref(i), f"{given} {family}", f"+4930{i:07d}",
            f"{given}.{family}.{i}@example.org".lower(), since, region, code, f"D{i % 24:02d}",
            "expired" if i % 97 == 0 else "due" if i % 31 == 0 else "valid",
            money(w.income[i]), EMPLOYMENT[w.employment[i]], HOUSING[w.housing[i]], int(w.dependants[i]),
            LIFE[w.life[i]], "female" if w.female[i] else "male", born,
            "true" if w.consent[i] else "false", since, None if np.isnan(w.wallet[i]) else float(w.wallet[i]),
        )  # fmt: skip


def _accounts(w: World, ledger: Ledger) -> Iterator[Dated]:
    for account, kind, among in (
        (0, "current", np.arange(w.size)),
        (1, "savings", np.flatnonzero(w.saves)),
    ):
        for i in among:
            opened = _day(w.since[i])
            row = (account_ref(int(i), account), customer_ref(int(i)), kind, BRANCHES[w.branch[i]][0], opened)  # fmt: skip
            yield opened, (*row, "open", None, opened)
            if int(i) in ledger.closed:
                closed = _day(ledger.closed[int(i)])
                yield closed, (*row, "closed", closed, closed)


def _orders(w: World, ledger: Ledger) -> Iterator[Dated]:
    for i in range(w.size):
        orders = [("H", "household", w.rent[i])]
        if w.insurance[i]:
            orders.append(("I", "insurance", w.insurance[i]))
        starts = _day(w.since[i])
        for letter, purpose, amount in orders:
            row = (f"{letter}{i + 1:06d}", account_ref(i, 0), money(amount), purpose, starts)
            yield starts, (*row, None, starts)
            if i in ledger.cancelled:
                on = _day(ledger.cancelled[i])
                yield on, (*row, on, on)


def _deposits(w: World, ledger: Ledger) -> Iterator[Dated]:
    """A deposit is renewed on the day on which it falls due, until its owner has left."""
    for i in np.flatnonzero(w.deposit):
        month = int(w.deposit_month[i])
        term, ends = int(w.deposit_term[i]), ledger.closed.get(int(i), 10**9)
        opened = max(day_number(month, 5), int(w.since[i]))
        while month < ALL_MONTHS and day_number(month, 5) < ends:
            begins = max(day_number(month, 5), int(w.since[i]))
            yield _day(begins), (
                f"T{i + 1:06d}", customer_ref(int(i)), money(w.deposit[i]), "2.5", _day(opened),
                _day(day_number(month + term, 5)), BRANCHES[w.branch[i]][0], _day(begins),
            )  # fmt: skip
            month += term


def _loans(w: World, ledger: Ledger) -> Iterator[Dated]:
    for i in np.flatnonzero(w.loan_principal):
        i = int(i)
        product, granted = int(w.loan_product[i]), _granted(w, i)
        row = (
            loan_ref(i), customer_ref(i), account_ref(i, 0), PRODUCTS[product], BRANCHES[w.branch[i]][0],
            granted, money(w.loan_principal[i]), RATES[product], TERMS[product], money(w.loan_instalment[i]),
        )  # fmt: skip
        known = max(granted, _day(w.since[i]))
        yield known, (*row, "running", None, known)
        if i in ledger.defaulted:
            on = _day(ledger.defaulted[i][0])
            yield on, (*row, "running_in_debt", on, on)


def _granted(w: World, i: int) -> date:
    return max(_day(day_number(int(w.loan_month[i]), 10)), _day(w.since[i]))


def _collaterals(w: World) -> Iterator[Dated]:
    """Houses and cars, valued when the loan was granted; some lend more than nine tenths."""
    for i in np.flatnonzero((w.loan_principal > 0) & np.isin(w.loan_product, (AUTO, MORTGAGE))):
        i = int(i)
        ltv = (0.6, 0.7, 0.8, 0.85, 0.95)[i % 5]
        kind = "property" if w.loan_product[i] == MORTGAGE else "vehicle"
        on = _granted(w, i)
        yield (
            on,
            (f"K{i + 1:06d}", loan_ref(i), kind, money(int(w.loan_principal[i] / ltv)), on, ltv),
        )


def _cards(w: World) -> Iterator[Dated]:
    for i in np.flatnonzero(w.card_limit):
        on = _day(w.since[i])
        yield on, (f"V{i + 1:06d}", customer_ref(int(i)), "credit", "classic", on, money(w.card_limit[i]))  # fmt: skip


# --- what happened --------------------------------------------------------------------------------


def _transactions(w: World, table: dict[str, Ints]) -> Iterator[Dated]:
    account = table["customer"] * 2 + table["account"]
    total = np.cumsum(table["amount"])
    first = np.flatnonzero(np.r_[True, account[1:] != account[:-1]])
    before = np.r_[0, total[first[1:] - 1]] if len(first) else np.zeros(0, np.int64)
    balance = total - np.repeat(before, np.diff(np.r_[first, len(account)]))
    days = {d: _day(d) for d in np.unique(table["day"])}
    clock = {
        s: f"T{s // 3600:02d}:00:00" for s in np.unique(table["second"])
    }  # transactions of one second keep the order of their keys
    keys = ("customer", "account", "day", "second", "type", "via", "amount", "place", "own")
    branches = [code for code, _, _ in BRANCHES]
    rows = zip(*(table[key].tolist() for key in keys), balance.tolist(), strict=True)
    for n, (i, part, day, second, type_, via, amount, place, own, held) in enumerate(rows):
        on = days[day]
        # Machines and counters are those of the customer's own branch.
        branch = branches[w.branch[i]] if via < 2 else None
        yield on, (
            f"X{n + 1:08d}", account_ref(i, part), f"{on}{clock[second]}", TYPES[type_], VIAS[via],
            money(amount), money(held), ABROAD[place - 1] if place else HOME, branch,
            "true" if own else "false",
        )  # fmt: skip


def _repayments(ledger: Ledger) -> Iterator[Dated]:
    for i, due, paid, amount in ledger.repayments:
        yield _day(paid), (f"{loan_ref(i)}-{_day(due)}", loan_ref(i), _day(due), _day(paid), money(amount), paid - due)  # fmt: skip


def _statements(ledger: Ledger) -> Iterator[Dated]:
    for i, month, owed, past, off in ledger.statements:
        on = last_day(month)
        yield on, (f"{loan_ref(i)}-{on:%Y-%m}", loan_ref(i), on, money(owed), past, "true" if off else "false")  # fmt: skip


def _card_statements(w: World, ledger: Ledger) -> Iterator[Dated]:
    for i, month, balance, paid in ledger.cards:
        on = last_day(month)
        use = round(balance / int(w.card_limit[i]), 4)
        yield (
            on,
            (f"V{i + 1:06d}-{on:%Y-%m}", f"V{i + 1:06d}", on, money(balance), use, money(paid)),
        )


def _bureau(ledger: Ledger) -> Iterator[Dated]:
    for i, month, asked, lines, late in ledger.inquiries:
        on = last_day(month)
        yield on, (f"{customer_ref(i)}-{on:%Y-%m}", customer_ref(i), on, asked, lines, late)


def _events(ledger: Ledger) -> Iterator[Dated]:
    ordered = sorted(ledger.events, key=lambda e: (e["occurred_on"], e["customer"], e["kind"]))
    for number, event in enumerate(ordered):
        row = {**event, "event": f"E{number + 1:07d}", "customer": customer_ref(event["customer"])}
        unknown = set(row) - set(EVENT_COLUMNS)
        if unknown:
            raise KeyError(f"the events file has no column {', '.join(sorted(unknown))}")
        yield event["occurred_on"], [row.get(column) for column in EVENT_COLUMNS]


def _cash(w: World, table: dict[str, Ints]) -> tuple[Any, Any]:
    """Cash paid in and out by branch and day from the first day on, in minor units."""
    first = day_number(0)
    size = (len(BRANCHES), day_number(ALL_MONTHS) - first)
    paid_in, paid_out = np.zeros(size, np.int64), np.zeros(size, np.int64)
    cash = np.isin(table["type"], (TYPES.index("cash_in"), TYPES.index("cash_out")))
    branch, on = w.branch[table["customer"][cash]], table["day"][cash] - first
    amount = table["amount"][cash]
    np.add.at(paid_in, (branch, on), np.maximum(amount, 0))
    np.add.at(paid_out, (branch, on), np.maximum(-amount, 0))
    return paid_in, paid_out


def _cash_days(w: World, table: dict[str, Ints]) -> Iterator[Dated]:
    paid_in, paid_out = _cash(w, table)
    for offset in range(paid_in.shape[1]):
        on = _day(day_number(0) + offset)
        for number, (code, _, _) in enumerate(BRANCHES[: branch_count(w.size)]):
            yield on, (code, on, money(paid_in[number, offset]), money(paid_out[number, offset]))


def _truth(ledger: Ledger) -> Iterator[Sequence[Any]]:
    for customer, kind, day, until, cause in sorted(ledger.truth, key=lambda t: (t[2], t[0], t[1])):
        yield customer_ref(customer), kind, _day(day), _day(until), cause
