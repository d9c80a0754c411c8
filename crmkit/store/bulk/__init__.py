"""Bulk upsert by business key, column by column: the fast path of imports.

Values are in *storage form*: what the driver binds without conversion. On SQLite dates and instants
are text and booleans 0 or 1; on PostgreSQL they are ``date``, naive UTC ``datetime`` and ``bool``;
money is whole minor units, lists and payloads are JSON text on both. SQL is compiled once from the
tables and handed to the driver with tuples; PostgreSQL gets new rows by COPY. Both run on the
connection of the open transaction, so they commit with everything else of the batch.

An upsert has two steps, because a row may have to be refused after it has been compared: first
:meth:`prepare` looks up what is stored, then :meth:`write` writes what is left.
"""

from __future__ import annotations

from .block import CREATED, UNCHANGED, UPDATED, Block, Written
from .customers import CustomerUpsert
from .feed import Feed
from .fields import FieldsUpsert
from .interactions import InteractionUpsert
from .locks import lock_sources
from .lookup import Lookup
from .records import RecordUpsert
from .statements import Statements
from .upsert import ID, first_positions

__all__ = [
    "CREATED",
    "ID",
    "UNCHANGED",
    "UPDATED",
    "Block",
    "CustomerUpsert",
    "Feed",
    "FieldsUpsert",
    "InteractionUpsert",
    "Lookup",
    "RecordUpsert",
    "Statements",
    "Written",
    "first_positions",
    "lock_sources",
]
