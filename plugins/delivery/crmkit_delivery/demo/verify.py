"""Holds what crmkit found against what the generator planted."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmkit.declarations import DemoCheck, DemoData
from crmkit.errors import ConfigError

from ..promise import PromiseEngine
from .calendar import AS_OF, PLANT_FROM
from .rounds import BAD

if TYPE_CHECKING:
    from crmkit.workspace import Crm

# The brief: of the planted ills so many listed on the right day, of the listed so few planted by nobody.
LEAST_RIGHT, MOST_FALSE = 0.99, 0.01
Listed = dict[tuple[str, str], date]


def checks(crm: Crm, data: DemoData) -> list[DemoCheck]:
    """Statuses, promises, ills by day, and the courier who drives subscribers away."""
    if data.truth is None:
        raise ConfigError("the demo has no truth file.", hint="Generate it again.")
    crm.run("waybill recompute")
    return [
        promises(crm), incremental(crm), *ills(listed(crm), read_truth(data.truth)), courier(crm),
        money(crm, data.truth.parent / "short.csv"),
    ]  # fmt: skip


def read_truth(path: Path) -> Listed:
    """The day on which each planted ill has to be listed first, by rule and waybill."""
    with path.open(encoding="utf-8", newline="") as lines:
        return {
            (row["rule"], row["waybill"]): date.fromisoformat(row["listed_on"])
            for row in csv.DictReader(lines)
        }


def listed(crm: Crm) -> Listed:
    """The first day on which each row of the report stood, asked for every day as of its end."""
    found: Listed = {}
    on = PLANT_FROM - timedelta(days=2)
    while on <= AS_OF:
        rows = crm.reports.run("delivery.ills", {}, crm.as_of(on.isoformat())).table
        for rule, waybill in zip(
            rows.column("rule").to_pylist(), rows.column("waybill_no").to_pylist(), strict=True
        ):
            found.setdefault((rule, waybill), on)
        on += timedelta(days=1)
    return found


def ills(found: Listed, truth: Listed) -> list[DemoCheck]:
    """How many planted ills were listed on the day they arose, and how many rows nobody planted."""
    right = sum(found.get(key) == on for key, on in truth.items())
    false = sum(key not in truth for key in found)
    share = right / len(truth) if truth else 1.0
    wrong = false / len(found) if found else 0.0
    return [
        DemoCheck(
            name="planted ills are listed on the day they arise", passed=share >= LEAST_RIGHT,
            found=f"{right} of {len(truth)} ({share:.1%}){_misses(found, truth)}",
            expected=f"at least {LEAST_RIGHT:.0%}",
        ),
        DemoCheck(
            name="nothing else is listed", passed=wrong <= MOST_FALSE,
            found=f"{false} of {len(found)} listed ({wrong:.1%})",
            expected=f"at most {MOST_FALSE:.0%}",
        ),
    ]  # fmt: skip


def _misses(found: Listed, truth: Listed) -> str:
    missed = [key for key, on in truth.items() if found.get(key) != on]
    return f", as {missed[0][0]} of {missed[0][1]} not" if missed else ""


def promises(crm: Crm) -> DemoCheck:
    """What the engine would promise is what the generator wrote into the file."""
    engine = PromiseEngine(crm)
    names = (
        "product", "scope", "pickup_to", "origin_zone", "dest_zone", "origin_depot", "promise_at",
    )  # fmt: skip
    rows = crm.store.records.read("delivery.waybill", names)
    equal = 0
    for product, scope, at, origin, destination, depot, promised in rows:
        made = engine.promise(product, scope, at, origin, destination, depot)
        equal += made is not None and made.promise_at == promised
    return DemoCheck(
        name="the promise engine agrees with the file", passed=equal == len(rows),
        found=f"{equal} of {len(rows)}", expected="all",
    )  # fmt: skip


def incremental(crm: Crm) -> DemoCheck:
    """Another pass over everything changes nothing."""
    row: Mapping[str, Any] = crm.run("waybill recompute", full=True).rows[0]
    return DemoCheck(
        name="computing all statuses anew changes none",
        passed=row["changed"] == 0 and row["anomalies"] == 0,
        found=f"{row['changed']} of {row['waybills']} changed", expected="0",
    )  # fmt: skip


def courier(crm: Crm) -> DemoCheck:
    """Only the courier whom the generator made bad is flagged."""
    rows = crm.reports.run("delivery.round-churn", {"by": "courier"}, crm.as_of(AS_OF.isoformat()))
    flagged = sorted(r["part"] for r in rows.table.to_pylist() if r["flagged"])
    return DemoCheck(
        name="the courier who loses subscribers is flagged", passed=flagged == [BAD],
        found=", ".join(flagged) or "nobody", expected=BAD,
    )  # fmt: skip


def money(crm: Crm, path: Path) -> DemoCheck:
    """Days on which goods or money lack are those that the generator made so."""
    with path.open(encoding="utf-8", newline="") as lines:
        short = {row["day"] for row in csv.DictReader(lines)}
    rows = crm.reports.run("delivery.courier-settlement", {}, crm.as_of(AS_OF.isoformat()))
    found = {f"{r['courier']} {r['day_on']}" for r in rows.table.to_pylist() if not r["balanced"]}
    return DemoCheck(
        name="days on which goods or money lack are found", passed=found == short,
        found=f"{len(found & short)} of {len(short)}, {len(found - short)} others",
        expected=f"{len(short)}, no others",
    )  # fmt: skip
