"""What plugins see of a batch in ``check_rows``: values in Python's types, made only when asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from ..declarations import Batch
from ..entities.field_types import FieldType
from .mapping import Mapped
from .plan import INTERACTION

Decode = Callable[[Any], Any]


def _instant(value: Any) -> datetime:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC)


def _date(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


_DECODERS: dict[FieldType, Decode] = {
    FieldType.BOOLEAN: bool,
    FieldType.DATE: _date,
    FieldType.INSTANT: _instant,
    FieldType.LIST: lambda text: tuple(json.loads(text)),
}
_PAYLOAD_DECODERS: dict[FieldType, Decode] = {
    FieldType.DATE: lambda text: _date(json.loads(text)),
    FieldType.INSTANT: lambda text: _instant(json.loads(text)),
}


class LazyColumns(Mapping[str, Sequence[Any]]):
    """Stored columns by name, each decoded when it is first looked at."""

    def __init__(self, stored: Mapping[str, Sequence[Any]], decoders: Mapping[str, Decode]) -> None:
        self._stored, self._decoders = stored, decoders
        self._made: dict[str, Sequence[Any]] = {}

    def __getitem__(self, name: str) -> Sequence[Any]:
        if name not in self._made:
            values, decode = self._stored[name], self._decoders.get(name)
            # A copy, as the stored values are what is written.
            self._made[name] = tuple(
                values if decode is None else (None if v is None else decode(v) for v in values)
            )
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)


def hook_batch(mapped: Mapped) -> Batch:
    """The rows of one emit as the hook's argument."""
    plan, block = mapped.plan, mapped.block
    decoders: dict[str, Decode] = {}
    if plan.kind == INTERACTION:
        stored: dict[str, Sequence[Any]] = {
            n: v for n, v in block.columns.items() if n != "payload"
        }
        decoders |= {"occurred_at": _instant, "occurred_on": _date}
        for target in plan.targets:
            kind = target.converter.field.type
            for column in target.columns:
                stored[column] = mapped.members[column]
                decoders[column] = _PAYLOAD_DECODERS.get(kind, json.loads)
    else:
        stored = dict(block.columns)
        for target in plan.targets:
            kind = target.converter.field.type
            if kind in _DECODERS:
                decoders[target.columns[0]] = _DECODERS[kind]
    if block.refs:
        stored["ref"] = block.refs
    return Batch(entity=plan.entity, columns=LazyColumns(stored, decoders), size=block.size)
