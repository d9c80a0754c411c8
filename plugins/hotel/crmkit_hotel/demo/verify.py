"""Holds what crmkit learnt and prepared against what the generator knows."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from crmkit.declarations import DemoCheck, DemoData

from ..data import PREFERENCE, RESERVATION
from ..preference.beliefs import PREPARE, believe
from ..preference.learning import facts_of
from ..privacy import GUARDED

if TYPE_CHECKING:
    from crmkit.workspace import Crm

SOURCE = "pms"
# After five stays at least so many true preferences are known, and at most so many of what is held
# are false (issue 7).
LEAST_TRUE, MOST_FALSE, AFTER = 0.8, 0.05, 5
FEW = 20


def checks(crm: Crm, data: DemoData) -> list[DemoCheck]:
    """Preferences learnt after 1, 3 and 5 stays, allergies, arrivals, twins and hidden guests."""
    truth, twins = _truth(data)
    ids = {ref: crm.store.customers.get(i).id for ref, i in _ids(crm).items()}
    return [
        *(_learnt(crm, truth, ids, n) for n in (1, 3, AFTER)),
        _filed(crm, truth, ids),
        _arrivals(crm, data, ids),
        _hidden(crm, data),
        *([_recognised(crm, twins)] if twins else []),
    ]


def _ids(crm: Crm) -> dict[str, int]:
    rows = crm.store.records.read(RESERVATION, ["owner_id"])
    found = crm.store.customers.refs({row[0] for row in rows})
    return {ref.ref: customer for customer, refs in found.items() for ref in refs}


def _truth(data: DemoData) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    likes: dict[str, dict[str, str]] = defaultdict(dict)
    twins = {}
    assert data.truth is not None  # noqa: S101 - the generator of this demo writes one
    with data.truth.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["duplicate_of"]:
                twins[row["guest"]] = row["duplicate_of"]
            else:
                likes[row["guest"]][row["code"]] = row["value"]
    return likes, twins


def _learnt(
    crm: Crm, truth: Mapping[str, Mapping[str, str]], ids: Mapping[str, int], stays: int
) -> DemoCheck:
    """What was held at the end of each guest's nth stay, by the facts until then alone."""
    guests = {ids[ref]: ref for ref in truth if ref in ids}
    visits, evidence, refusals = facts_of(crm, list(guests))
    known = wanted = right = held = 0
    for guest, ref in guests.items():
        past = sorted(visits[guest], key=lambda visit: visit[0])
        if len(past) < stays:
            continue
        end: date = past[stays - 1][1] + timedelta(days=1)
        trips = [(arrived, stay, purpose) for arrived, _, stay, purpose in past]
        found = {
            (b.code, b.value)
            for b in believe(evidence[guest], trips, refusals[guest], end)
            if b.status in ("declared", "learnt") and b.confidence >= PREPARE
        }
        true = set(truth[ref].items())
        wanted, known = wanted + len(true), known + len(found & true)
        held, right = held + len(found), right + len(found & true)
    recall = known / wanted if wanted else 0.0
    false = 1 - right / held if held else 0.0
    judged = stays >= AFTER and wanted >= FEW
    return DemoCheck(
        name=f"preferences after {stays} {'stay' if stays == 1 else 'stays'}",
        passed=(recall >= LEAST_TRUE and false <= MOST_FALSE) or not judged,
        found=f"{recall:.1%} of {wanted} true ones held at {PREPARE} or more, {false:.1%} of {held} false",
        expected=f"at least {LEAST_TRUE:.0%} true, at most {MOST_FALSE:.0%} false"
        if stays >= AFTER
        else "shown for comparison",
    )


def _filed(crm: Crm, truth: Mapping[str, Mapping[str, str]], ids: Mapping[str, int]) -> DemoCheck:
    """Every allergy that was said is held as required, whatever its age."""
    said = {
        (ids[ref], likes["FOOD_ALLERGY"])
        for ref, likes in truth.items()
        if "FOOD_ALLERGY" in likes and ref in ids
    }
    rows = crm.store.records.read(
        PREFERENCE, ["owner_id", "value", "status", "confidence"], where={"code": "FOOD_ALLERGY"}
    )
    held = {
        (owner, value)
        for owner, value, status, sure in rows
        if status == "declared" and sure >= PREPARE
    }
    return DemoCheck(
        name="allergies",
        passed=held == said,
        found=f"{len(held)} held",
        expected=f"{len(said)} said",
    )


def _arrivals(crm: Crm, data: DemoData, ids: Mapping[str, int]) -> DemoCheck:
    """Everybody who arrives tomorrow is on the sheet."""
    as_of = crm.as_of(data.as_of.isoformat())
    tomorrow = data.as_of + timedelta(days=1)
    rows = crm.reports.run("hotel.arrivals", {"date": tomorrow.isoformat()}, as_of, shown=False)
    sheet = set(rows.table.column("customer_id").to_pylist())
    due = {
        r[0]
        for r in crm.store.records.read(
            RESERVATION, ["owner_id"], where={"arrival_on": tomorrow, "status": "confirmed"}
        )
    }
    return DemoCheck(
        name="arrivals",
        passed=sheet == due,
        found=f"{len(sheet)} guests on the sheet",
        expected=f"{len(due)} arrive on {tomorrow}",
    )


def _hidden(crm: Crm, data: DemoData) -> DemoCheck:
    """Whoever lacks the right finds no guest who keeps their presence or room secret."""
    levels = {
        i: f.get("hotel", {}).get("privacy_level")
        for i, f in crm.store.customers.fields_of(_ids(crm).values()).items()
    }
    guarded = {i for i, level in levels.items() if level in GUARDED}
    as_of = crm.as_of(data.as_of.isoformat())
    shown = crm.query("SELECT customer_id FROM hotel_customer", as_of)
    seen = guarded & set(shown.column("customer_id").to_pylist())
    may = "hotel.presence" in crm.viewer.rights
    return DemoCheck(
        name="guests kept secret",
        passed=may or not seen,
        found=f"{len(seen)} of {len(guarded)} shown",
        expected="none to who lacks the right",
    )


def _recognised(crm: Crm, twins: Mapping[str, str]) -> DemoCheck:
    """The same person under another spelling is proposed, and nobody else by a sure pair."""
    pairs: Sequence[Any] = crm.duplicates.find(0.9)
    refs = {
        customer: keys[0].ref
        for customer, keys in crm.store.customers.refs(
            {i for p in pairs for i in (p.a_id, p.b_id)}
        ).items()
    }
    named = {frozenset((refs[p.a_id], refs[p.b_id])) for p in pairs}
    wanted = {frozenset(pair) for pair in twins.items()}
    return DemoCheck(
        name="same guest under another spelling",
        passed=len(named & wanted) >= 0.9 * len(wanted),
        found=f"{len(named & wanted)} of {len(wanted)} found, {len(named - wanted)} other pairs",
        expected="at least 90 %",
    )
