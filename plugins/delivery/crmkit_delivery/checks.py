"""What a JSON Schema cannot judge: fields of one row that contradict one another, and check digits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from crmkit.declarations import RowFault

from .data import WAYBILL
from .postal import wrong_check_digit

if TYPE_CHECKING:
    from crmkit.declarations import Batch

# entity: (earlier column, later column, what is wrong when they are the other way round)
IN_ORDER = {
    "delivery.subscription": (
        ("started_on", "ended_on", "the subscription ends before it begins"),
        ("paused_from", "paused_to", "the pause ends before it begins"),
    ),
    "delivery.courier_assignment": (
        ("starts_on", "ends_on", "the assignment ends before it begins"),
    ),
    "delivery.promise_rule": (("starts_on", "ends_on", "the rule ends before it begins"),),
    "delivery.courier": (("hired_on", "left_on", "the courier left before being hired"),),
    "delivery.incident": (("opened_at", "ended_at", "the incident ends before it begins"),),
    "delivery.claim": (
        ("filed_at", "decided_at", "the claim is decided before it is filed"),
        ("decided_at", "paid_at", "the claim is paid before it is decided"),
    ),
}


def faults(batch: Batch) -> list[RowFault]:
    """Everything that is wrong with the rows of a batch."""
    return [*contradictions(batch), *misread_numbers(batch)]


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


def contradictions(batch: Batch) -> list[RowFault]:
    """One fault for each pair of dates or instants of a row that run backwards."""
    return list(_backward(batch))


def _backward(batch: Batch) -> Iterator[RowFault]:
    for first, last, words in IN_ORDER.get(batch.entity, ()):
        if first not in batch.columns or last not in batch.columns:
            continue
        pairs: Any = zip(batch.columns[first], batch.columns[last], strict=True)
        for row, (begins, ends) in enumerate(pairs):
            if begins is not None and ends is not None and ends < begins:
                yield RowFault(
                    row=row, field=last, value=str(ends), message=words,
                    allowed=f"{begins} ({first}) or later", code="E_CONTRADICTION",
                )  # fmt: skip
