"""Statuses in a workspace: any order of arrival, in parts or at once, comes to the same (W1)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crmkit.cycle import Cycle
from crmkit.entities import CustomerRef
from crmkit.errors import MoveRefused, UsageError
from crmkit.testing.clock import SettableClock
from crmkit_delivery.tables import statuses
from crmkit_delivery.tracking import recompute

from .test_status import plain

NAMES = [s.name for s in statuses()]
START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory, fresh: Any) -> Any:
    """A workspace with forty waybills, W0 to W39."""
    clock = SettableClock(datetime(2026, 3, 31, 12, tzinfo=UTC))
    folder = tmp_path_factory.mktemp("tracking") / "w"
    with fresh(folder, clock=clock) as opened:
        one = opened.store.customers.add(kind="person", refs=[CustomerRef("delivery", "A")])
        refs = [f"W{i}" for i in range(40)]
        opened.store.records.put(
            "delivery.waybill", source="delivery", refs=refs, owners=[one.id] * 40,
            effective=[START] * 40,
            values={"waybill_no": refs, "late_after_at": [START + timedelta(hours=30)] * 40},
        )  # fmt: skip
        yield opened


def test_any_order_of_arrival_comes_to_the_same(crm: Any) -> None:
    """Random scans of 30 shipments arrive in random order in five parts, each followed by a pass."""
    rng = np.random.default_rng(3)
    ids = dict(crm.store.records.read("delivery.waybill", ("ref", "id")))
    scans = [
        (f"W{w}", k, NAMES[rng.integers(len(NAMES))])
        for w in range(30)
        for k in range(int(rng.integers(1, 12)))
    ]
    order = rng.permutation(len(scans))
    for part in np.array_split(order, 5):
        mine = [scans[i] for i in part]
        at = [START + timedelta(hours=k + 1) for _, k, _ in mine]
        crm.store.records.put(
            "delivery.scan", source="delivery", refs=[f"{w}-{k}" for w, k, _ in mine],
            owners=[ids[w] for w, _, _ in mine], effective=at,
            values={"event_at": at, "sequence": [k for _, k, _ in mine],
                    "status": [s for _, _, s in mine]},
        )  # fmt: skip
        recompute(crm)
    kept = {
        ref: (status, wrong) for ref, status, wrong in crm.store.records.read(
            "delivery.tracking", ("ref", "status", "anomalies"))
    }  # fmt: skip
    stages = crm.store.stages.current("delivery.shipment")
    for w in range(30):
        mine = [s for ref, _, s in scans if ref == f"W{w}"]
        status, said = plain(mine)
        wrong = sum(word in ("skipped", "backward", "after_end") for word in said)
        assert kept[f"W{w}"] == (status, wrong)
        assert stages[ids[f"W{w}"]] == status
    again = recompute(crm, full=True)
    assert (again.changed, again.anomalies, again.waybills) == (0, 0, 30)


def _import(crm: Any, folder: Path, name: str, text: str, profile: str) -> Any:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return crm.import_file(file, profile=profile)


HEAD = "scan,waybill,system,code,event_at,place,pod_proof\n"


def test_codes_of_carriers_are_looked_up_and_unknown_ones_are_refused(
    crm: Any, tmp_path: Path
) -> None:
    rows = (
        "u1,W30,upu,EMA,2026-03-02T08:00:00Z,,\n"
        "u2,W30,aftership,OutForDelivery,2026-03-03T08:00:00Z,,\n"
        "u3,W30,rec24,21,2026-03-03T11:00:00Z,,signature\n"
        "u4,W30,upu,EMX,2026-03-03T12:00:00Z,,\n"
        "u5,W99,upu,EMA,2026-03-03T12:00:00Z,,\n"
    )
    result = _import(crm, tmp_path, "scans.csv", HEAD + rows, "delivery-scans")
    assert (result.created, result.rejected) == (3, 2)
    rejects = crm.store.imports.rejects(result.import_id)
    assert [(r.line, r.code) for r in rejects] == [(5, "E_LOOKUP"), (6, "E_OWNER")]
    recompute(crm)
    (kept,) = crm.store.records.list("delivery.tracking", where={"ref": "W30"})
    # Delivered at 11:00 on the 3rd; late after 6:00 on the 2nd: 29 hours.
    assert (kept.values["status"], kept.values["late_minutes"]) == ("delivered", 29 * 60)


def test_the_daily_run_computes_statuses(crm: Any, tmp_path: Path) -> None:
    rows = "d1,W35,crmkit,picked_up,2026-03-02T08:00:00Z,,\n"
    assert _import(crm, tmp_path, "day.csv", HEAD + rows, "delivery-scans").created == 1
    _, steps = Cycle(crm).run(only=["snapshot", "upkeep"])
    assert {s.name: s.faults for s in steps if s.status == "done"} == {"snapshot": (), "upkeep": ()}
    (kept,) = crm.store.records.list("delivery.tracking", where={"ref": "W35"})
    assert kept.values["status"] == "picked_up"


def test_epcis_events_are_scans(crm: Any, tmp_path: Path) -> None:
    events = [
        {"eventID": "e1", "type": "ObjectEvent", "epc": "W31", "eventTime": "2026-03-02T08:00:00Z",
         "recordTime": "2026-03-02T08:05:00Z", "bizStep": "accepting", "readPoint": {"id": "D1"}},
        {"eventID": "e2", "type": "ObjectEvent", "epc": "W31", "eventTime": "2026-03-02T20:00:00Z",
         "bizStep": "arriving", "readPoint": {"id": "HUB"}, "eventTimeZoneOffset": "+02:00"},
    ]  # fmt: skip
    text = "".join(json.dumps(event) + "\n" for event in events)
    result = _import(crm, tmp_path, "events.jsonl", text, "epcis-scans")
    assert (result.created, result.rejected) == (2, 0)
    rows = crm.run("waybill track", waybill="W31").rows
    assert [(r["status"], r["place"]) for r in rows] == [("picked_up", "D1"), ("at_hub", "HUB")]
    zones = crm.store.records.read("delivery.scan", ("event_zone",), among={"ref": ["e1", "e2"]})
    assert sorted(zone for (zone,) in zones if zone) == ["+02:00"]


def test_dates_that_run_backwards_are_refused(crm: Any, tmp_path: Path) -> None:
    head = "incident,waybill,as_of,reason,responsible,opened_at,ended_at,evidence,action,assignee\n"
    row = "i1,W34,2026-03-05T00:00:00Z,weather_delay,weather,2026-03-04T08:00:00Z,{},,,\n"
    bad = _import(
        crm, tmp_path, "bad.csv", head + row.format("2026-03-04T07:59:00Z"), "delivery-incidents"
    )
    assert (bad.created, bad.rejected) == (0, 1)
    (reject,) = crm.store.imports.rejects(bad.import_id)
    assert (reject.code, reject.field) == ("E_CONTRADICTION", "ended_at")
    assert "is before opened_at" in reject.message
    good = row.format("2026-03-04T08:00:00Z")
    assert _import(crm, tmp_path, "good.csv", head + good, "delivery-incidents").created == 1


def test_a_scan_by_hand_is_refused_where_it_cannot_follow(crm: Any) -> None:
    crm.clock.advance(minutes=1)
    crm.run("waybill scan", waybill="W32", status="picked_up")
    crm.clock.advance(minutes=1)
    with pytest.raises(MoveRefused, match="picked_up cannot become delivered") as refused:
        crm.run("waybill scan", waybill="W32", status="delivered")
    assert "out_for_delivery" in str(refused.value.hint)
    crm.run("waybill scan", waybill="W32", status="out_for_delivery")
    crm.clock.advance(minutes=1)
    # UPU EMH: an unsuccessful delivery needs its reason and what was done.
    with pytest.raises(UsageError, match="needs a reason and the action taken"):
        crm.run("waybill scan", waybill="W32", status="attempt_failed", reason="consignee_not_home")
    crm.run(
        "waybill scan", waybill="W32", status="attempt_failed", reason="consignee_not_home",
        action="card left",
    )  # fmt: skip
    (kept,) = crm.store.records.list("delivery.tracking", where={"ref": "W32"})
    assert (kept.values["status"], kept.values["attempts"]) == ("attempt_failed", 1)


def test_a_scan_that_cannot_follow_is_kept_flagged_and_shown(crm: Any, tmp_path: Path) -> None:
    rows = (
        "a1,W33,crmkit,out_for_delivery,2026-03-02T08:00:00Z,,\n"
        "a2,W33,crmkit,delivered,2026-03-02T10:00:00Z,,photo\n"
        "a3,W33,crmkit,at_hub,2026-03-02T12:00:00Z,HUB,\n"
    )
    assert _import(crm, tmp_path, "more.csv", HEAD + rows, "delivery-scans").rejected == 0
    recompute(crm)
    shown = crm.run("waybill track", waybill="W33").rows
    assert [r["anomaly"] for r in shown] == ["skipped", None, "after_end"]
    # The collection comes in late: nothing is skipped any more.
    late = "a0,W33,crmkit,picked_up,2026-03-01T20:00:00Z,,\n"
    _import(crm, tmp_path, "late.csv", HEAD + late, "delivery-scans")
    recompute(crm)
    shown = crm.run("waybill track", waybill="W33").rows
    assert [r["anomaly"] for r in shown] == [None, None, None, "after_end"]
