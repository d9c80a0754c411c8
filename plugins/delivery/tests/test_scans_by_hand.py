"""Scans that a person files: checked at their own instant, with proof, never ahead, and voided."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crmkit.entities import CustomerRef
from crmkit.errors import MoveRefused, NotFound, UsageError
from crmkit.testing.clock import SettableClock
from crmkit_delivery.tracking import recompute

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


@pytest.fixture
def crm(tmp_path: Path, fresh: Any) -> Any:
    """W1, next_day, was collected on the 2nd, went out and was delivered on the 4th; W2 is new."""
    with fresh(tmp_path / "w", clock=SettableClock(NOW), actor="ann") as opened:
        one = opened.store.customers.add(kind="person", refs=[CustomerRef("delivery", "A")])
        opened.store.records.put(
            "delivery.waybill", source="delivery", refs=["W1", "W2"], owners=[one.id] * 2,
            effective=[at(1, 0)] * 2,
            values={"waybill_no": ["W1", "W2"], "product": ["next_day", "economy"],
                    "scope": ["inter_city"] * 2, "ordered_at": [at(1, 8)] * 2},
        )  # fmt: skip
        scans = ((2, "picked_up"), (4, "out_for_delivery"), (4, "delivered"))
        made = [at(day, 8 + hour) for hour, (day, _) in enumerate(scans)]
        opened.store.records.put(
            "delivery.scan", source="delivery", refs=["s1", "s2", "s3"],
            owners=[opened.store.records.find("delivery.waybill", "W1").id] * 3, effective=made,
            values={"event_at": made, "status": [status for _, status in scans]},
        )  # fmt: skip
        recompute(opened)
        yield opened


def status(crm: Any, waybill: str = "W1") -> str:
    (kept,) = crm.store.records.list("delivery.tracking", where={"ref": waybill})
    return str(kept.values["status"])


def test_a_scan_is_checked_against_the_status_at_its_own_instant(crm: Any) -> None:
    """On the 3rd W1 was picked up and not yet delivered: a hub may follow, a delivery may not."""
    with pytest.raises(MoveRefused, match="picked_up cannot become delivered"):
        crm.run("waybill scan", waybill="W1", status="delivered", at=at(3, 9), proof="photo")
    crm.run("waybill scan", waybill="W1", status="at_hub", at=at(3, 9), place="H1")
    assert status(crm) == "delivered"
    shown = crm.run("waybill track", waybill="W1").rows
    assert [(r["status"], r["anomaly"]) for r in shown] == [
        ("picked_up", None), ("at_hub", None), ("out_for_delivery", None), ("delivered", None),
    ]  # fmt: skip
    with pytest.raises(MoveRefused, match="delivered cannot become at_hub"):
        crm.run("waybill scan", waybill="W1", status="at_hub", at=at(5, 9))


def test_a_shipment_goes_back_to_where_it_was_held_from_at_that_instant(crm: Any) -> None:
    """Held at a hub on the 3rd at 9:00, so at 10:00 it may go on from the hub or back to it."""
    crm.run("waybill scan", waybill="W1", status="in_transit", at=at(2, 12))
    crm.run(
        "waybill scan", waybill="W1", status="held", at=at(3, 9), reason="hold", action="kept",
    )  # fmt: skip
    with pytest.raises(MoveRefused, match="held cannot become delivered") as refused:
        crm.run("waybill scan", waybill="W1", status="delivered", at=at(3, 10), proof="photo")
    assert "in_transit" in str(refused.value.hint)
    crm.run("waybill scan", waybill="W1", status="in_transit", at=at(3, 10))


def test_a_scan_ahead_of_the_clock_is_refused_by_hand_and_from_a_file(
    crm: Any, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"'event_at'.* is in the future"):
        crm.run("waybill scan", waybill="W2", status="picked_up", at=NOW + timedelta(days=180))
    assert crm.run("waybill track", waybill="W2").rows == []
    file = tmp_path / "scans.csv"
    file.write_text(
        "scan,waybill,system,code,event_at\n"
        "x1,W2,crmkit,picked_up,2026-09-30T08:00:00Z\nx2,W2,crmkit,picked_up,2026-03-30T08:00:00Z\n"
    )
    result = crm.import_file(file, profile="delivery-scans")
    assert (result.created, result.rejected) == (1, 1)
    (reject,) = crm.store.imports.rejects(result.import_id)
    assert (reject.line, reject.code, reject.field) == (2, "E_CONTRADICTION", "event_at")


def test_a_voided_scan_counts_no_longer_and_is_kept(crm: Any) -> None:
    """The delivery was of another parcel: W1 is out for delivery again, and was delivered before."""
    assert status(crm) == "delivered"
    crm.clock.advance(minutes=1)
    shown = crm.run("waybill void", scan="s3", reason="scanned the wrong parcel").rows
    assert [(r["scan"], r["status"], r["anomaly"]) for r in shown] == [
        ("s1", "picked_up", None), ("s2", "out_for_delivery", None), ("s3", "delivered", "voided"),
    ]  # fmt: skip
    (kept,) = crm.store.records.list("delivery.tracking", where={"ref": "W1"})
    assert (kept.values["status"], kept.values["delivered_at"], kept.values["scans"]) == (
        "out_for_delivery", None, 2,
    )  # fmt: skip
    (note,) = crm.store.records.list("delivery.anomaly", where={"kind": "voided"})
    assert (note.values["reason"], note.values["voided_by"]) == ("scanned the wrong parcel", "ann")
    # Neither a pass over everything nor a new scan brings it back.
    assert recompute(crm, full=True).changed == 0
    crm.run("waybill scan", waybill="W1", status="delivered", at=at(4, 10), proof="code")
    assert status(crm) == "delivered"
    with pytest.raises(UsageError, match="s3 is voided already"):
        crm.run("waybill void", scan="s3", reason="again")
    with pytest.raises(NotFound, match="s9"):
        crm.run("waybill void", scan="s9", reason="none")
    with pytest.raises(UsageError, match="with a reason"):
        crm.run("waybill void", scan="s2", reason=" ")


def test_a_shipment_whose_every_scan_is_voided_is_ordered(crm: Any) -> None:
    crm.run("waybill scan", waybill="W2", status="picked_up", at=at(30, 9))
    (shown,) = crm.run("waybill track", waybill="W2").rows
    crm.run("waybill void", scan=shown["scan"], reason="not ours")
    assert status(crm, "W2") == "ordered"
    # The same scan again is another one.
    crm.run("waybill scan", waybill="W2", status="picked_up", at=at(30, 9))
    assert [r["anomaly"] for r in crm.run("waybill track", waybill="W2").rows] == ["voided", None]


def test_a_report_of_the_day_before_still_counts_what_was_voided_later(crm: Any) -> None:
    """Voided on 31 March: as of the 30th W1 was delivered, as of the 31st it is out since the 4th."""
    crm.run("waybill void", scan="s3", reason="scanned the wrong parcel")

    def listed(day: str) -> list[tuple[str, str]]:
        rows = crm.reports.run("delivery.ills", {}, crm.as_of(day)).table.to_pylist()
        return [(row["waybill_no"], row["rule"]) for row in rows]

    assert ("W1", "D-R2 lost") not in listed("2026-03-30")
    assert ("W1", "D-R2 lost") in listed("2026-03-31")


def test_a_delivery_needs_the_proof_that_its_product_requires(crm: Any) -> None:
    """next_day requires one (tables/promises.csv), economy does not, until a rule of one's own does."""
    crm.run("waybill void", scan="s3", reason="scanned the wrong parcel")
    for proof in (None, "none"):
        with pytest.raises(UsageError, match="W1: a delivery of next_day needs its proof"):
            crm.run("waybill scan", waybill="W1", status="delivered", at=at(4, 10), proof=proof)
    crm.run("waybill scan", waybill="W1", status="delivered", at=at(4, 10), proof="signature")
    crm.run("waybill scan", waybill="W2", status="picked_up", at=at(2, 9))
    crm.run("waybill scan", waybill="W2", status="out_for_delivery", at=at(3, 9))
    crm.store.records.set(
        "delivery.promise_rule", source="own", ref="e2",
        values={"product": "economy", "rule_version": 2, "working_days": 4, "proof_required": True},
    )  # fmt: skip
    with pytest.raises(UsageError, match="W2: a delivery of economy needs its proof"):
        crm.run("waybill scan", waybill="W2", status="delivered", at=at(3, 10))
    crm.store.records.set(
        "delivery.promise_rule", source="own", ref="e2",
        values={"product": "economy", "rule_version": 2, "working_days": 4, "proof_required": False},
    )  # fmt: skip
    crm.run("waybill scan", waybill="W2", status="delivered", at=at(3, 10))
