"""Statuses of waybills, computed from their scans and kept beside them.

A pass reads the scans from the warehouse, folds them (:mod:`.status`), and writes only what differs
from what is kept: the record ``delivery.tracking`` of each waybill, a ``delivery.anomaly`` for each
scan that could not follow, and the stage. An incremental pass takes the waybills with a scan that
was filed since the last pass, each with all its scans; as the fold depends on nothing else, it
comes to the same as a full one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import field, frozen

from crmkit.declarations import StageMove
from crmkit.entities.asof import AsOf
from crmkit.errors import UsageError

from .data import ANOMALY, RECOMPUTATION, SCAN, TRACKING, WAYBILL
from .lifecycle import shipment as shipment_lifecycle
from .status import ANOMALIES, MOVES, REPEATS, SKIPPED, VOIDED, Folded, fold, machine

if TYPE_CHECKING:
    from crmkit.workspace import Crm

SOURCE = "crmkit"
# The kind of anomaly of a scan that was voided.
VOID = "voided"
# Waybills in one transaction.
BATCH = 10_000
# Ids hold the millisecond in which they were drawn above 22 lower bits (design D2). Two writers may
# commit in another order than they drew their ids, so a pass looks back a day.
LOOK_BACK = (24 * 3600 * 1000) << 22
ATTEMPTS = ("attempt_failed", "delivered")
KEPT = (
    "status", "status_since", "picked_up_at", "first_attempt_at", "delivered_at", "attempts",
    "scans", "anomalies", "late_minutes",
)  # fmt: skip

# All that is stored, whatever the clock says: a device may run ahead of it.
EVERYTHING = AsOf.at(datetime(2200, 1, 1, tzinfo=UTC), "UTC")
SCANS = """
SELECT s.owner_id, s.id, s.event_at, s.status, v.scan_id IS NOT NULL AS voided, w.late_after_at
FROM delivery_scan s
JOIN delivery_waybill w ON w.id = s.owner_id
LEFT JOIN delivery_anomaly v ON v.scan_id = s.id AND v.kind = 'voided'
WHERE s.status IS NOT NULL {since}
ORDER BY s.owner_id, s.event_at, s.sequence, s.id
"""
# Voided scans are few, so their waybills are computed in every pass.
TOUCHED = (
    "AND (s.owner_id IN (SELECT owner_id FROM delivery_scan WHERE id > {scan_id}) "
    "OR s.owner_id IN (SELECT owner_id FROM delivery_anomaly WHERE kind = 'voided'))"
)
STORED = f"SELECT owner_id, {', '.join(KEPT)} FROM delivery_tracking"  # noqa: S608 - our own names
FLAGGED = "SELECT scan_id, kind FROM delivery_anomaly"


@frozen(kw_only=True)
class Recomputed:
    """What a pass did: shipments and scans read, shipments and anomalies written."""

    waybills: int
    scans: int
    changed: int
    anomalies: int


@frozen
class _Scans:
    """The scans of a pass in order of shipment and time, and what the fold made of them."""

    owners: np.typing.NDArray[np.int64] = field(repr=False)
    first: np.typing.NDArray[np.int64] = field(repr=False)
    ids: np.typing.NDArray[np.int64] = field(repr=False)
    at: np.typing.NDArray[np.int64] = field(repr=False)
    status: np.typing.NDArray[np.int8] = field(repr=False)
    late_after: np.typing.NDArray[np.int64] = field(repr=False)
    folded: Folded = field(repr=False)


def recompute(crm: Crm, *, full: bool = False) -> Recomputed:
    """Brings the kept statuses up to date.

    Args:
        full: every waybill, not only those with new scans.
    """
    since = None if full else _last_scan(crm)
    narrowed = "" if since is None else TOUCHED.format(scan_id=since)
    table = crm.query(SCANS.format(since=narrowed), EVERYTHING, WAYBILL)
    if not table.num_rows:
        return Recomputed(waybills=0, scans=0, changed=0, anomalies=0)
    scans = _folded(table)
    found = _tracked(scans)
    changed = _changed(found, crm.query(STORED, EVERYTHING, WAYBILL))
    for first in range(0, changed.num_rows, BATCH):
        _write(crm, changed.slice(first, BATCH))
    flagged = _flag(crm, scans)
    result = Recomputed(
        waybills=len(scans.owners), scans=len(scans.ids), changed=changed.num_rows,
        anomalies=flagged,
    )  # fmt: skip
    crm.store.records.set(
        RECOMPUTATION, source=SOURCE, ref="status",
        values={
            "scan_id": int(scans.ids.max()), "ran_at": crm.clock(),
            "waybills": result.waybills, "changed": result.changed,
        },
    )  # fmt: skip
    return result


@frozen(kw_only=True)
class Standing:
    """How far a shipment had come at an instant.

    Attributes:
        came_from: the status before it was held last, or None if it never was.
        seen_at: when the last scan was made that could follow, or None.
    """

    status: str
    came_from: str | None = None
    seen_at: datetime | None = None


def standing(crm: Crm, waybill_id: int, at: datetime, tx: Any) -> Standing:
    """How far a shipment had come at an instant, by the scans that are filed.

    Args:
        waybill_id: the record.
        at: aware; scans of this instant are counted.
        tx: the open write in which they are read.
    """
    read = crm.store.records.read
    where = {"owner_id": waybill_id}
    voided = {one for (one,) in read(ANOMALY, ("scan_id",), where={**where, "kind": VOID}, tx=tx)}
    m = machine()
    scans = sorted(
        (event_at, sequence or 0, scan, m.codes[status])
        for scan, event_at, sequence, status in read(
            SCAN, ("id", "event_at", "sequence", "status"), where=where, tx=tx
        )
        if status is not None and event_at <= at and scan not in voided
    )
    if not scans:
        return Standing(status="ordered")
    codes = np.array([scan[-1] for scan in scans], dtype=np.int8)
    folded = fold(np.zeros(len(scans), dtype=np.int64), codes)
    followed = np.isin(folded.verdict, (MOVES, SKIPPED, REPEATS))
    held = np.flatnonzero((folded.verdict != REPEATS) & followed & (codes == m.held))
    return Standing(
        status=m.names[folded.status[0]],
        came_from=m.names[folded.before[held[-1]]] if len(held) else None,
        seen_at=scans[np.flatnonzero(followed)[-1]][0] if followed.any() else None,
    )


def void(crm: Crm, scan: str, reason: str) -> Any:
    """Voids a scan that should not have been made: it is kept, and counts no longer.

    Reports as of an earlier instant go on counting it, as it was known then.

    Returns:
        The record of the scan.

    Raises:
        NotFound: if there is no such scan.
        UsageError: if it is voided already, or no reason is given.
    """
    if not reason.strip():
        raise UsageError("a scan is voided with a reason.", hint="Give --reason.")
    found = crm.store.records.find(SCAN, scan)
    with crm.store.begin("waybill void") as tx:
        known = crm.store.records.read(
            ANOMALY, ("kind",), where={"scan_id": found.id, "kind": VOID}, tx=tx
        )
        if known:
            raise UsageError(f"scan {found.ref} is voided already.")
        crm.store.records.set(
            ANOMALY, source=found.source, ref=found.ref, owner_id=found.owner_id, effective=tx.at,
            tx=tx,
            values={"scan_id": found.id, "kind": VOID, "to_status": found.values["status"],
                    "reason": reason, "voided_by": tx.actor},
        )  # fmt: skip
    recompute(crm)
    return found


def _last_scan(crm: Crm) -> int | None:
    """From where on scans are new, or None if there was no pass."""
    found = crm.store.records.read(RECOMPUTATION, ("scan_id",), where={"ref": "status"})
    return found[0][0] - LOOK_BACK if found else None


def _folded(table: pa.Table) -> _Scans:
    owner = table.column("owner_id").to_numpy()
    owners, first = np.unique(owner, return_index=True)
    shipment = np.repeat(np.arange(len(owners)), np.diff(np.append(first, len(owner))))
    names = pa.array(machine().names)
    status = pc.index_in(table.column("status"), value_set=names).to_numpy().astype(np.int8)
    status[table.column("voided").to_numpy()] = machine().voided
    late = table.column("late_after_at").take(pa.array(first))
    return _Scans(
        owners, first, table.column("id").to_numpy(), _micros(table.column("event_at")), status,
        _micros(late), fold(shipment, status),
    )  # fmt: skip


def _micros(column: pa.ChunkedArray) -> np.typing.NDArray[np.int64]:
    """Instants as microseconds, -1 where missing."""
    whole = column.cast(pa.timestamp("us")).cast(pa.int64())
    return np.asarray(pc.fill_null(whole, -1).to_numpy(), dtype=np.int64)


def _tracked(scans: _Scans) -> pa.Table:
    """One row a waybill, with the columns of KEPT."""
    m, folded = machine(), scans.folded
    accepted = (folded.verdict == MOVES) | (folded.verdict == SKIPPED)
    counted = folded.verdict != VOIDED
    tries = accepted & np.isin(scans.status, [m.codes[name] for name in ATTEMPTS])
    delivered = _first(scans, accepted & (scans.status == m.codes["delivered"]))
    late = (delivered >= 0) & (scans.late_after >= 0)
    minutes = np.where(late, (delivered - scans.late_after) // 60_000_000, 0)
    wrong = np.isin(folded.verdict, list(ANOMALIES))
    since = np.where(folded.last >= 0, scans.at[folded.last], -1)
    return pa.table(
        {
            "owner_id": scans.owners,
            "status": pa.array(m.names).take(pa.array(folded.status.astype(np.int64))),
            "status_since": _instants(since),
            "picked_up_at": _instants(_first(scans, accepted & (scans.status == m.codes["picked_up"]))),
            "first_attempt_at": _instants(_first(scans, tries)),
            "delivered_at": _instants(delivered),
            "attempts": np.add.reduceat(tries.astype(np.int64), scans.first),
            "scans": np.add.reduceat(counted.astype(np.int64), scans.first),
            "anomalies": np.add.reduceat(wrong.astype(np.int64), scans.first),
            "late_minutes": pa.array(minutes, mask=~late),
        }
    )  # fmt: skip


def _first(scans: _Scans, held: np.typing.NDArray[np.bool_]) -> np.typing.NDArray[np.int64]:
    """The instant of the first scan of each shipment that is held, -1 where there is none."""
    never = np.iinfo(np.int64).max
    found = np.minimum.reduceat(np.where(held, scans.at, never), scans.first)
    return np.where(found == never, -1, found)


def _instants(micros: np.typing.NDArray[np.int64]) -> pa.Array:
    return pa.array(micros, mask=micros < 0).cast(pa.timestamp("us"))


def _changed(found: pa.Table, stored: pa.Table) -> pa.Table:
    """The rows that differ from what is kept."""
    old = stored.select(["owner_id", *KEPT]).rename_columns(
        ["owner_id", *(f"old_{name}" for name in KEPT)]
    )
    joined = found.join(old, "owner_id", join_type="left outer")
    same = pc.is_valid(joined.column("old_status"))
    for name in KEPT:
        now = joined.column(name)
        then = joined.column(f"old_{name}").cast(now.type)
        equal = pc.fill_null(pc.equal(now, then), False)
        both = pc.and_(pc.is_null(now), pc.is_null(then))
        same = pc.and_(same, pc.or_(equal, both))
    kept = joined.filter(pc.invert(same)).select(found.column_names)
    return kept.sort_by("owner_id")


def _write(crm: Crm, rows: pa.Table) -> None:
    ids = rows.column("owner_id").to_pylist()
    with crm.store.begin("waybill recompute") as tx:
        keys = {
            row[0]: (row[1], row[2])
            for row in crm.store.records.read(
                WAYBILL, ("id", "source", "ref"), among={"id": ids}, tx=tx
            )
        }
        values = {name: _aware(rows.column(name)) for name in KEPT}
        for source, places in _by_source(ids, keys):
            crm.store.records.put(
                TRACKING, source=source, refs=[keys[ids[p]][1] for p in places],
                owners=[ids[p] for p in places],
                values={name: [column[p] for p in places] for name, column in values.items()},
                tx=tx,
            )  # fmt: skip
        _move(crm, ids, values, tx)


def _by_source(
    ids: Sequence[int], keys: Mapping[int, tuple[str, str]]
) -> Iterator[tuple[str, list[int]]]:
    found: dict[str, list[int]] = {}
    for place, one in enumerate(ids):
        found.setdefault(keys[one][0], []).append(place)
    yield from found.items()


def _move(crm: Crm, ids: Sequence[int], values: Mapping[str, Sequence[Any]], tx: Any) -> None:
    """Moves the stages; a late scan adds a correcting change at its own time."""
    name = shipment_lifecycle().name
    standing = crm.store.stages.current(name, ids, tx=tx)
    moves, at = [], {}
    for one, status, since in zip(ids, values["status"], values["status_since"], strict=True):
        if standing.get(one) == status:
            continue
        moves.append(
            StageMove(
                lifecycle=name, subject_type=WAYBILL, subject_id=one,
                from_stage=standing.get(one), to_stage=status, reason="scans",
            )
        )  # fmt: skip
        at[one] = since or tx.at
    if moves:
        crm.store.stages.move(moves, at=at, rule="delivery.shipment", tx=tx)


def _aware(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = pc.assume_timezone(column, "UTC")
    found: list[Any] = column.to_pylist()
    return found


def _flag(crm: Crm, scans: _Scans) -> int:
    """Keeps an anomaly for each scan that could not follow; those that can by now are cleared."""
    folded = scans.folded
    wrong = np.flatnonzero(np.isin(folded.verdict, list(ANOMALIES)))
    names = machine().names
    kinds = {int(scans.ids[p]): (ANOMALIES[int(folded.verdict[p])], p) for p in wrong}
    known = {
        row["scan_id"]: row["kind"] for row in crm.query(FLAGGED, EVERYTHING, WAYBILL).to_pylist()
    }
    new = {i: said for i, said in kinds.items() if known.get(i) != said[0]}
    here = set(scans.ids.tolist()) if known else set()
    # What was voided by hand stays voided.
    cleared = [
        i for i, kind in known.items()
        if kind not in ("none", VOID) and i in here and i not in kinds
    ]  # fmt: skip
    asked = [*new, *cleared]
    for first in range(0, len(asked), BATCH):
        batch = asked[first : first + BATCH]
        with crm.store.begin("waybill recompute") as tx:
            rows = crm.store.records.read(
                SCAN, ("id", "source", "ref", "owner_id", "event_at"), among={"id": batch}, tx=tx
            )
            for source in sorted({row[1] for row in rows}):
                mine = [row for row in rows if row[1] == source]
                said = [new.get(row[0]) for row in mine]
                crm.store.records.put(
                    ANOMALY, source=source, refs=[row[2] for row in mine],
                    owners=[row[3] for row in mine], effective=[row[4] for row in mine],
                    values={
                        "scan_id": [row[0] for row in mine],
                        "kind": [one[0] if one else "none" for one in said],
                        "from_status": [names[folded.before[one[1]]] if one else None for one in said],
                        "to_status": [names[scans.status[one[1]]] if one else None for one in said],
                    },
                    tx=tx,
                )  # fmt: skip
    return len(asked)


__all__ = ["Recomputed", "Standing", "recompute", "standing", "void"]
