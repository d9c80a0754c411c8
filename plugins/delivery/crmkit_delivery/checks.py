"""What a JSON Schema cannot judge: check digits of postal numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from crmkit.declarations import RowFault

from .data import WAYBILL
from .postal import wrong_check_digit

if TYPE_CHECKING:
    from crmkit.declarations import Batch


def misread_numbers(batch: Batch) -> Iterator[RowFault]:
    """Postal numbers of waybills whose check digit is wrong: one digit was misread."""
    if batch.entity != WAYBILL or "waybill_no" not in batch.columns:
        return
    numbers: Any = batch.columns["waybill_no"]
    for row, number in enumerate(numbers):
        expected = None if number is None else wrong_check_digit(number)
        if expected is not None:
            yield RowFault(
                row=row, field="waybill_no", value=number, code="E_NUMBER",
                message="is no postal number: its check digit is wrong (UPU standard S10)",
                allowed=f"check digit {expected}",
            )  # fmt: skip
