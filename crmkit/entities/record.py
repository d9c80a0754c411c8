"""Records: rows of the record types that plugins declare (C3, design D8)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen


@frozen
class Reached:
    """A number to be read beside a record's fields: which of its instants have come.

    Many records are told apart in the database by one number, where their instants would each have
    to be read and compared.

    Args:
        by: the instant that is asked about.
        steps: a number by field. The first field whose instant is at or before ``by`` gives the
            answer; a record with none of them gives 0.
    """

    by: datetime
    steps: Mapping[str, float]


@frozen(kw_only=True)
class Record:
    """One row of a record type in its current version.

    ``type`` is the public name (``telecom.subscription``), ``source`` and ``ref`` its business key,
    ``owner_id`` the id of its customer or owning record (None for ownerless reference data).
    ``values`` holds the domain fields by field name; money is a :class:`Money`.
    """

    id: int
    type: str
    source: str
    ref: str
    owner_id: int | None = None
    values: Mapping[str, Any] = field(factory=dict, hash=False)
    valid_from: datetime
    version: int = 1
