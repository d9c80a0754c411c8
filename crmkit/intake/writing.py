"""Typed cells as the texts that the profile reads: the same profile then takes the rejects file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from .profile import Profile, Spec


class Writing:
    """How each column's numbers and dates are written.

    Args:
        profile: a column is written as the first field that uses it reads it.
    """

    def __init__(self, profile: Profile) -> None:
        source = profile.source
        self._default = (source.decimal, source.date)
        self._columns: dict[str, tuple[str, str | None]] = {}
        for spec in _specs(profile):
            for name in spec.columns:
                how = (spec.decimal or source.decimal, spec.date or source.date)
                self._columns.setdefault(name, how)

    def decimal(self, column: str) -> str:
        """The decimal sign of a column."""
        return self._columns.get(column, self._default)[0]

    def layout(self, column: str) -> str | None:
        """The strptime layout of a column's dates; None is ISO 8601."""
        return self._columns.get(column, self._default)[1]

    def number(self, column: str, text: str) -> str:
        """A plain number with the column's decimal sign."""
        sign = self.decimal(column)
        return text if sign == "." else text.replace(".", sign)

    def moment(self, column: str, value: date) -> str:
        """A day or an instant; midnight without a zone is a day."""
        layout = self.layout(column)
        if layout is not None:
            # A cell knows its century, and a reader of two-digit years takes four as well.
            return value.strftime(layout.replace("%y", "%Y"))
        if not isinstance(value, datetime):
            return value.isoformat()
        if value.tzinfo is None and (value.hour, value.minute, value.second) == (0, 0, 0):
            return value.date().isoformat()
        return value.isoformat(sep=" ")

    def text(self, column: str, value: Any) -> str | None:
        """Any value of a database driver; None stays None.

        Raises:
            ValueError: if it is none that a cell can hold, such as bytes.
        """
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return str(value)
        if isinstance(value, Decimal):
            return self.number(column, _plain_decimal(value))
        if isinstance(value, float):
            return self.number(column, plain_number(value))
        if isinstance(value, date):
            return self.moment(column, value)
        if isinstance(value, bytes | bytearray | memoryview):
            raise ValueError("holds bytes, not text")
        if isinstance(value, list | dict | tuple):
            import json

            return json.dumps(value, ensure_ascii=False, default=str)
        return str(value)


def _plain_decimal(value: Decimal) -> str:
    """The digits that count: a column of four decimals says no more of 1.5000 than 1.5."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain_number(value: float) -> str:
    """The shortest decimal text of a float, without an exponent where that is short."""
    text = repr(value)
    if text.endswith(".0"):
        return text[:-2]
    return format(Decimal(text), "f") if "e" in text and 1e-15 < abs(value) < 1e21 else text


def _specs(profile: Profile) -> Iterator[Spec]:
    for emit in profile.emits:
        yield from emit.specs
        envelope = (emit.effective, emit.occurred_at, emit.amount, emit.channel, emit.direction)
        yield from (spec for spec in (*envelope, emit.actor) if spec is not None)
        for reference in (emit.owner, emit.subject):
            if reference is not None and reference.spec is not None:
                yield reference.spec
    if profile.source.effective is not None:
        yield profile.source.effective
