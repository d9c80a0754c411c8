"""What every gateway can do: read, write inside or without a transaction, and know the values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from ..declarations import Batch
from ..entities.contradictions import contradictions, ordered_names
from ..entities.field_types import FieldType
from ..entities.fields import Column, Field
from .engine import translated
from .values import Codec, refuse

if TYPE_CHECKING:
    from .domain import Entity
    from .store import Store, Tx


# A message is bounded whatever the size of the batch.
MOST_FAULTS = 5


class Gateway:
    """Entities in, entities out, for one kind of entity.

    Every method takes the open transaction as ``tx``; without one, a read sees the committed state
    and a write is a transaction of its own.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._codecs: dict[str, Codec] = {}

    def _table(self, name: str) -> Table:
        return self._store.tables[name]

    @contextmanager
    def _reading(self, tx: Tx | None) -> Iterator[Connection]:
        if tx is None:
            with self._store.read() as connection:
                yield connection
        else:
            with translated():
                yield tx.connection

    @contextmanager
    def _writing(self, tx: Tx | None, command: str) -> Iterator[Tx]:
        if tx is None:
            with self._store.begin(command) as own:
                yield own
        else:
            with translated():
                yield tx

    def _codec(self, entity: Entity) -> Codec:
        if entity.name not in self._codecs:
            self._codecs[entity.name] = Codec(entity.name, entity.fields, self._store.currency)
        return self._codecs[entity.name]

    def _check_row(
        self, codec: Codec, typed: Mapping[str, Any], *, given: Collection[str], **envelope: Any
    ) -> None:
        """Refuses a row whose values do not go together, or which its plugin refuses.

        Args:
            typed: all its values as they would be stored, by field.
            given: the fields that are set now.
            envelope: what else the plugin is shown: ``ref``, ``occurred_at``.

        Raises:
            UsageError: naming every fault.
        """
        if not ordered_names(codec.fields).isdisjoint(given):
            self._check_order(codec, {name: [value] for name, value in typed.items()})
        stored = {name: [value] for name, value in codec.columns(typed).items()}
        self._check_rows(codec.name, {**stored, **{n: [v] for n, v in envelope.items()}})

    def _check_batch(
        self, codec: Codec, columns: Mapping[str, Sequence[Any]], refs: Sequence[str]
    ) -> None:
        """As :meth:`_check_row` of many rows, given field by field; fields left out are not judged."""
        self._check_order(codec, columns)
        stored: dict[str, Sequence[Any]] = {"ref": refs}
        for f in codec.fields.fields:
            values = columns.get(f.name)
            if values is not None:
                stored |= {c.name: _part(c, f, values) for c in f.columns}
        self._check_rows(codec.name, stored)

    def _check_order(self, codec: Codec, columns: Mapping[str, Sequence[Any]]) -> None:
        now = self._store.clock()
        found = contradictions(codec.fields, columns, now, self._local_day(now))
        hidden = {f.name for f in codec.fields.fields if not f.in_warehouse}
        refuse(
            codec.name,
            [
                f"field {c.field!r}: {'the value' if c.field in hidden else c.value} {c.message}"
                for c in islice(found, MOST_FAULTS)
            ],
        )

    def _check_rows(self, entity: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """Asks the plugin whose entity it is, as an import does.

        Args:
            columns: of a batch, stored column to values.

        Raises:
            UsageError: naming what it refuses.
        """
        size = max(map(len, columns.values()), default=0)
        asked = self._store.ask_plugins(Batch(entity=entity, columns=columns, size=size))
        faults = [
            f"field {fault.field!r}: {fault.message}"
            + (f" (allowed: {fault.allowed})" if fault.allowed else "")
            + f" (plugin {plugin})"
            for plugin, found in asked
            for fault in found
        ]
        refuse(entity, faults[:MOST_FAULTS])

    def _local_day(self, instant: datetime) -> date:
        return instant.astimezone(self._store.time_zone).date()


def _part(column: Column, f: Field, values: Sequence[Any]) -> Sequence[Any]:
    """The values of one stored column of a field: of money its minor units, or its currency."""
    if f.type is not FieldType.MONEY:
        return values
    name = "minor" if column.type is FieldType.INTEGER else "currency"
    return [None if money is None else getattr(money, name) for money in values]
