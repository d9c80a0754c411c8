"""Rows whose values do not go together, or not with the day: what no field can say of itself alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from attrs import frozen

from .fields import Field, FieldSet

CODE = "E_CONTRADICTION"


@frozen
class Contradiction:
    """A value that contradicts another one of its row, or the calendar.

    Attributes:
        row: position, from 0.
        field: whose value it is; ``value`` as text, ``allowed`` what would be right.
        message: the fault in words that follow the value: ``is before starts_on (2026-04-01)``.
    """

    row: int
    field: str
    value: str
    allowed: str
    message: str


def contradictions(
    fields: FieldSet, columns: Mapping[str, Sequence[Any]], now: datetime, today: date
) -> Iterator[Contradiction]:
    """Every day and instant of some rows that is before what it follows, or has not come.

    Args:
        fields: whose ``not_before`` and ``past`` are the rules.
        columns: field to values, ``date`` and aware ``datetime``; None is missing. What a row does
            not have cannot contradict it, so columns may be left out.
        now: aware instant that ``past`` instants may not be after; ``today`` is its local day.
    """
    for field in fields.fields:
        values = columns.get(field.name) if field.not_before or field.past else None
        if values is None:
            continue
        if field.past:
            yield from _to_come(field, values, now, today)
        if field.not_before is not None and field.not_before in columns:
            yield from _backward(field, columns[field.not_before], values)


def _to_come(
    field: Field, values: Sequence[Any], now: datetime, today: date
) -> Iterator[Contradiction]:
    for row, value in enumerate(values):
        if value is None:
            continue
        last, words = today, f"is after today ({today})"
        if isinstance(value, datetime):
            last, words = now, f"is in the future (it is {now:%Y-%m-%dT%H:%M:%SZ})"
        if value > last:
            yield Contradiction(row, field.name, str(value), f"{today} or earlier", words)


def _backward(
    field: Field, earlier: Sequence[Any], values: Sequence[Any]
) -> Iterator[Contradiction]:
    for row, (begins, ends) in enumerate(zip(earlier, values, strict=True)):
        if begins is not None and ends is not None and ends < begins:
            yield Contradiction(
                row, field.name, str(ends), f"{begins} ({field.not_before}) or later",
                f"is before {field.not_before} ({begins})",
            )  # fmt: skip


def ordered_names(fields: FieldSet) -> frozenset[str]:
    """The fields that such a rule looks at."""
    found = set[str]()
    for field in fields.fields:
        if field.not_before is not None:
            found |= {field.name, field.not_before}
        if field.past:
            found.add(field.name)
    return frozenset(found)
