"""What a JSON Schema cannot judge: fields of one row that contradict one another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from crmkit.declarations import RowFault

if TYPE_CHECKING:
    from crmkit.declarations import Batch

# entity: (earlier column, later column, what is wrong when they are the other way round)
ORDERED_DATES = {
    "telecom.subscription": (
        ("activated_on", "ended_on", "the line ends before it begins"),
        ("contract_starts_on", "contract_ends_on", "the contract ends before it begins"),
    ),
    "telecom.contract": (("starts_on", "ends_on", "the contract ends before it begins"),),
    "telecom.bill": (("period_starts_on", "due_on", "the bill is due before its period"),),
}


def contradictions(batch: Batch) -> list[RowFault]:
    """One fault per row whose dates run backwards.

    Args:
        batch: rows of any telecom entity; dates as ``date``, None where missing.
    """
    return list(_backward_dates(batch))


def _backward_dates(batch: Batch) -> Iterator[RowFault]:
    for first, last, words in ORDERED_DATES.get(batch.entity, ()):
        if first not in batch.columns or last not in batch.columns:
            continue
        pairs: Any = zip(batch.columns[first], batch.columns[last], strict=True)
        for row, (begins, ends) in enumerate(pairs):
            if begins is not None and ends is not None and ends < begins:
                yield RowFault(
                    row=row,
                    field=last,
                    value=str(ends),
                    message=words,
                    allowed=f"{begins} ({first}) or later",
                    code="E_CONTRADICTION",
                )
