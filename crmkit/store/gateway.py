"""What every gateway can do: read, write inside or without a transaction, and know the values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from .engine import translated
from .values import Codec

if TYPE_CHECKING:
    from .domain import Entity
    from .store import Store, Tx


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

    def _local_day(self, instant: datetime) -> date:
        return instant.astimezone(self._store.time_zone).date()
