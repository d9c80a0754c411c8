"""Where everyone stands, and what rules propose, read from the store as Arrow tables.

Both may be of a million subjects, so they come in batches past SQLAlchemy, as a snapshot does.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from ..entities.lifecycle import Lifecycle
from ..store.types import instant_text
from ..warehouse.engine import quoted_text
from ..warehouse.reading import StoreReader
from .stage_moves import STANDING, WISHES

if TYPE_CHECKING:
    from ..store.store import Store

_STANDING = {"subject_id": "BIGINT", "stage": "VARCHAR", "since": "VARCHAR"}
_FIRINGS = {"subject_id": "BIGINT", "reasons": "VARCHAR"}


def read_standing(store: Store, lifecycle: Lifecycle) -> pa.Table:
    """``subject_id, stage, since`` (UTC without zone) of everyone who has a stage."""
    condition = f"lifecycle = {quoted_text(lifecycle.name)}"
    with StoreReader(store.engine.url) as reader:
        found = reader.table(
            f"SELECT subject_id, stage, since FROM stage WHERE {condition}",  # noqa: S608 - quoted
            _STANDING,
        )
    return found.cast(STANDING)


def read_proposals(store: Store, rule: str, stage: str, until: datetime) -> pa.Table:
    """Wishes into ``stage`` of everyone on whom a rule's firing of an as-of by ``until`` stands."""
    condition = f"name = {quoted_text(rule)} AND as_of <= {quoted_text(instant_text(until))}"
    with StoreReader(store.engine.url) as reader:
        found = reader.table(
            f"SELECT subject_id, reasons FROM outcome WHERE {condition}",  # noqa: S608 - quoted
            _FIRINGS,
        )
    if not found.num_rows:
        return WISHES.empty_table()
    told = found.column("reasons").combine_chunks().dictionary_encode()
    reasons = [(json.loads(text or "[]") or [""])[0] for text in told.dictionary.to_pylist()]
    size = found.num_rows
    return pa.table(
        {
            "subject_id": found.column("subject_id"),
            "stage": pa.repeat(pa.scalar(stage), size),
            "reason": pa.array(reasons, pa.string()).take(told.indices),
            "rule": pa.repeat(pa.scalar(rule), size),
        },
        schema=WISHES,
    )
