"""What the status machine and the excuses rest on, as data: CSV files, read once.

``statuses.csv`` names the statuses, ``transitions.csv`` which may follow which (``*`` stands for the
status that a held shipment came from), ``mappings.csv`` what carriers' codes mean, and
``reasons.csv`` who answers for a reason and whether it excuses a late delivery. ``promises.csv`` and
``compensation.csv`` are the rules that hold where the operator has none. The codes come from Karrio's tracker statuses and incident reasons, AfterShip's tags, EasyPost's statuses, the events of
UPU EMSEVT V3, UN/ECE Recommendation 24 and the business steps of GS1 EPCIS 2.0.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache

from attrs import frozen

from crmkit import resource_text

CAME_FROM = "*"


@frozen(kw_only=True)
class Status:
    """One status of a shipment.

    Attributes:
        kind: kind of stage: open, waiting, done or failed.
        progress: rank on the way from the order (0) to the end; a scan of a lower rank that may not
            follow would move the shipment back.
        moving: whether the goods are on their way between scans, so that silence is a sign.
        silence_hours: after how long without a scan it is an ill; None where it has ended, or where
            the lane (D-R2) or the working day (D-R1) says so. Our own choice: a day for a collection,
            two for the next attempt or for what is held, five in customs or in dispute, a week for a
            parcel that waits to be collected, a month for one that is declared lost.
    """

    name: str
    kind: str
    progress: int
    moving: bool
    silence_hours: int | None
    title: str
    title_zh: str

    @property
    def ends(self) -> bool:
        """Whether nothing is expected to follow."""
        return self.kind in ("done", "failed")


@frozen(kw_only=True)
class Reason:
    """Why something went wrong: who answers for it, and whether it excuses a late delivery."""

    name: str
    responsible: str
    excused: bool


@lru_cache(maxsize=1)
def statuses() -> tuple[Status, ...]:
    """Every status, in the order of the table."""
    return tuple(
        Status(
            name=row["status"], kind=row["kind"], progress=int(row["progress"]),
            moving=row["moving"] == "yes",
            silence_hours=int(row["silence_hours"]) if row["silence_hours"] else None, title=row["title"], title_zh=row["title_zh"],
        )
        for row in _rows("statuses")
    )  # fmt: skip


@lru_cache(maxsize=1)
def transitions() -> Mapping[str, tuple[str, ...]]:
    """Which statuses may follow each; ``*`` is the one that a held shipment came from."""
    found: dict[str, list[str]] = {status.name: [] for status in statuses()}
    for row in _rows("transitions"):
        found[row["from_status"]].append(row["to_status"])
    return {name: tuple(after) for name, after in found.items()}


@lru_cache(maxsize=1)
def mappings() -> Mapping[tuple[str, str], tuple[str, str]]:
    """Status and sub-status of ``(system, code)``, as ``("upu", "EMI")``."""
    return {
        (row["system"], row["code"]): (row["status"], row["substatus"]) for row in _rows("mappings")
    }


@lru_cache(maxsize=1)
def reasons() -> tuple[Reason, ...]:
    """Every reason code."""
    return tuple(
        Reason(
            name=row["reason"], responsible=row["responsible"], excused=row["excused"] == "yes"
        )
        for row in _rows("reasons")
    )  # fmt: skip


def promise_rows() -> list[dict[str, str]]:
    """The default rules of promises, as they stand in ``promises.csv``."""
    return _rows("promises")


def compensation_rows() -> list[dict[str, str]]:
    """The default rules of compensation, as they stand in ``compensation.csv``."""
    return _rows("compensation")


def table_text(name: str) -> str:
    """The CSV text of a table, for profiles that look values up in it."""
    text: str = resource_text(__package__, f"{name}.csv")
    return text


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(table_text(name).splitlines()))
