"""What a JSON Schema cannot judge: codes of the catalogue, and what each of them takes.

Commands, imports, the timeline and ``record set`` all ask here (``check_rows``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crmkit.declarations import RowFault
from crmkit.errors import did_you_mean

from .data import EVIDENCE, PREFERENCE, REFUSAL, REQUEST, SUPPLY
from .preference.catalogue import Code, catalogue

if TYPE_CHECKING:
    from crmkit.declarations import Batch

# Whatever has a code and a value that somebody acts on; a refusal has a code alone.
CHECKED = frozenset((PREFERENCE, REQUEST, SUPPLY, REFUSAL, *(f"hotel.{kind}" for kind in EVIDENCE)))
CATALOGUE = "a code of crmkit preference catalogue"
# Of a record of these nothing is prepared.
NOT_PREPARED = ("ask", "retired", "refused")


def preference_faults(batch: Batch) -> Iterator[RowFault]:
    """Codes that the catalogue lacks, and values that their code does not take."""
    if batch.entity not in CHECKED or not {"code", "value"} & set(batch.columns):
        return
    columns = [_column(batch, name) for name in ("code", "value", "status")]
    for row, (code, value, status) in enumerate(zip(*columns, strict=True)):
        if code is None:
            if value is not None:
                yield RowFault(
                    row=row, field="code", value=None, code="E_REQUIRED", allowed=CATALOGUE,
                    message="is missing beside the value",
                )  # fmt: skip
        elif code not in catalogue():
            near = did_you_mean(code, catalogue(), sentence=False)
            yield RowFault(
                row=row, field="code", value=code, code="E_ENUM", allowed=CATALOGUE,
                message="is not in the catalogue of preferences" + (near and f"; {near}"),
            )  # fmt: skip
        elif (
            value is not None and status not in NOT_PREPARED and not catalogue()[code].takes(value)
        ):
            yield _refused(row, catalogue()[code], value)


def _refused(row: int, code: Code, value: str) -> RowFault:
    return RowFault(
        row=row, field="value", value=value, code="E_VALUE", allowed=code.allowed,
        message=f"is not a value of {code.code}",
    )  # fmt: skip


def _column(batch: Batch, name: str) -> Sequence[Any]:
    return batch.columns.get(name) or (None,) * batch.size
