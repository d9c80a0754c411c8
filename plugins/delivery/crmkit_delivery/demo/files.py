"""The files of the demo, by the profile that imports each."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crmkit.declarations import DemoFile

from .calendar import AS_OF, FIRST, at, text
from .ills import World, plain_line
from .rounds import Rounds
from .shipments import PRODUCTS, ZONES, Shipment, hubs, visible

if TYPE_CHECKING:
    import numpy as np

Row = dict[str, str]
COLUMNS = {
    "network": "kind code as_of title city region country time_zone calendar depot zone to_zone hubs "
    "cut_off day working product scope version working_days due grace_seconds starts_on ends_on "
    "proof_required",
    "couriers": "kind code as_of name title depot product hired_on left_on round courier starts_on "
    "ends_on commission_rate",
    "shippers": "customer as_of kind name region phone email city price_tier credit_limit receivable "
    "days_overdue contract_until sla_target penalty_rate share_of_wallet",
    "waybills": "waybill customer shipper_code product scope origin_zone dest_zone lane origin_depot "
    "depot region courier route pieces weight_actual weight_charged declared_value goods_kind "
    "ordered_at pickup_to promise_at late_after_at promise_on promise_rule on_time_basis price_quoted "
    "address_lat address_lon cost_pickup cost_linehaul cost_sort cost_lastmile",
    "scans": "scan waybill system code sequence event_at recorded_at place courier condition "
    "pod_relation pod_proof reason responsible action",
    "incidents": "incident waybill as_of reason responsible opened_at ended_at evidence action assignee",
    "invoices": "line waybill as_of quoted billed surcharges discount surcharge_reason weight_basis "
    "zone_basis billed_on held explained_at",
    "claims": "claim waybill as_of kind state claimed approved paid proven_loss share_damaged "
    "freight_refund filed_at due_at decided_at decided_by paid_at liability_party evidence",
    "events": "event kind waybill occurred_at channel direction topic text",
    "subscriptions": "subscription customer as_of name phone region round courier sequence_no address "
    "product quantity days price started_on ended_on end_reason paused_from paused_to pause_reason "
    "pause_extensions collection arrears doorstep_notes",
    "rounds": "event kind subscription occurred_at channel direction reason round courier",
    "drops": "drop subscription result round courier quantity collected occurred_at",
    "bills": "bill subscription billed_on period_from period_to amount collection",
    "courier-days": "courier day round loaded delivered returned cash_due cash_remitted drops_planned "
    "drops_recorded commission_rate",
}
TIERS = ("A", "B", "C")


def write_files(
    folder: Path, customers: Sequence[str], shipments: Sequence[Shipment], world: World,
    rounds: Rounds, rng: np.random.Generator,
) -> list[DemoFile]:  # fmt: skip
    """Writes every file; what had not happened by the demo's day is left out."""
    end = text(at(AS_OF, 24))

    def known(rows: Iterable[Row], column: str = "as_of") -> list[Row]:
        return [row for row in rows if row[column] < end]

    rows: dict[str, list[Row]] = {
        "network": _network(),
        "couriers": rounds.couriers,
        "shippers": _shippers(customers, rng),
        "waybills": [_waybill(one) for one in shipments],
        "scans": _scans(shipments, rng),
        "incidents": known(world.incidents),
        "invoices": known([*world.invoices, *_invoices(shipments, world)]),
        "claims": sorted(known(world.claims), key=lambda r: r["as_of"]),
        "events": known(world.events, "occurred_at"),
        "subscriptions": known(rounds.subscriptions),
        "rounds": rounds.events,
        "drops": rounds.drops,
        "bills": rounds.bills,
        "courier-days": rounds.days,
    }
    for name, listed in rows.items():
        _write(folder / f"{name}.csv", COLUMNS[name].split(), listed)
    return [DemoFile(path=folder / f"{name}.csv", profile=f"delivery-{name}") for name in rows]


def _invoices(shipments: Sequence[Shipment], world: World) -> Iterable[Row]:
    """A line for each shipment that came and has none yet."""
    billed = {line["waybill"] for line in world.invoices}
    for one in shipments:
        if one.number not in billed and one.scans[-1].code == "delivered":
            yield plain_line(one)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _network() -> list[Row]:
    stamp = FIRST.isoformat()
    base = {"as_of": stamp}
    out = [
        {**base, "kind": "calendar", "code": "SIX", "hubs": "mon;tue;wed;thu;fri;sat"},
        *({**base, "kind": "zone", "code": z, "title": z.title(), "region": z, "country": "XX",
           "time_zone": "UTC", "calendar": "SIX", "depot": f"DEPOT-{z}"} for z in ZONES),
        *({**base, "kind": "depot", "code": f"DEPOT-{z}", "title": f"Depot {z.title()}",
           "region": z, "zone": z} for z in ZONES),
        *({**base, "kind": "lane", "code": f"{a}-{b}", "zone": a, "to_zone": b,
           "hubs": ";".join(hubs(a, b))} for a in ZONES for b in ZONES),
    ]  # fmt: skip
    cut_off = {"same_day": "12:00", "next_day": "17:00", "economy": "17:00"}
    for product, scope, working, due, _ in PRODUCTS:
        out.append(
            {**base, "kind": "promise_rule", "code": f"{product}-1", "product": product,
             "scope": scope, "version": "1", "cut_off": cut_off[product],
             "working_days": str(working), "due": f"{due}:00", "grace_seconds": "0",
             "starts_on": "2025-01-01", "proof_required": str(product != "economy").lower()}
        )  # fmt: skip
    return out


def _shippers(customers: Sequence[str], rng: np.random.Generator) -> list[Row]:
    out = []
    for number, ref in enumerate(customers):
        overdue = int(rng.integers(0, 20)) if rng.random() < 0.97 else 45
        out.append(
            {"customer": ref, "as_of": FIRST.isoformat(), "kind": "organisation",
             "name": f"Shipper {number}", "region": ZONES[number % len(ZONES)],
             "phone": f"+4940{number:07d}", "price_tier": TIERS[min(number // 20, 2)],
             "credit_limit": "5000.00", "receivable": str(int(rng.integers(0, 4000))),
             "days_overdue": str(overdue), "contract_until": "2026-12-31",
             "sla_target": "0.90", "penalty_rate": "0.01"}
        )  # fmt: skip
    return out


def _waybill(one: Shipment) -> Row:
    promise = text(one.promise)
    long_way = one.scope != "same_city"
    return {
        "waybill": one.number, "customer": one.customer, "shipper_code": one.customer,
        "product": one.product, "scope": one.scope, "origin_zone": one.origin,
        "dest_zone": one.zone, "lane": one.lane, "origin_depot": f"DEPOT-{one.origin}",
        "depot": f"DEPOT-{one.zone}", "region": one.zone, "courier": one.courier,
        "route": f"{one.zone}-{one.number[-1]}", "pieces": "1", "weight_actual": str(one.weight),
        "weight_charged": str(one.weight), "declared_value": "40.00", "goods_kind": "parcel",
        "ordered_at": text(one.ordered), "pickup_to": text(one.collected), "promise_at": promise,
        "late_after_at": promise, "promise_on": promise[:10], "promise_rule": "import",
        "on_time_basis": "delivery", "price_quoted": str(one.price / 100),
        "cost_pickup": "1.10", "cost_linehaul": "2.40" if long_way else "0.00",
        "cost_sort": "0.60", "cost_lastmile": "2.90",
    }  # fmt: skip


def _scans(shipments: Sequence[Shipment], rng: np.random.Generator) -> list[Row]:
    out: list[Row] = []
    for one in shipments:
        for number, scan in enumerate(visible(one.scans)):
            # Some devices have no signal and report two hours later, never after midnight.
            late = scan.at.hour < 20 and rng.random() < 0.05
            recorded = at(scan.at.date(), scan.at.hour + scan.at.minute / 60 + 2) if late else None
            out.append(
                {"scan": f"{one.number}-{number}", "waybill": one.number, "system": "crmkit",
                 "code": scan.code, "sequence": str(number), "event_at": text(scan.at),
                 "recorded_at": text(recorded) if recorded else "", "place": scan.place, **scan.more}
            )  # fmt: skip
    out.sort(key=lambda r: r["event_at"])
    return out
