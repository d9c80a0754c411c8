"""What goes into acting hooks and comes out of them.

What goes in cannot be changed: several plugins see the same, and the caller goes on with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from attrs.validators import in_

from ..entities.immutable import frozen as frozen_value

if TYPE_CHECKING:
    from ..entities.asof import AsOf


@frozen(kw_only=True)
class Batch:
    """Rows on their way into the store, column by column.

    ``entity`` is ``customer``, ``<plugin>.customer``, a record type or an interaction kind.
    ``columns`` maps stored column names to equally long sequences; None is missing.
    """

    entity: str
    columns: Mapping[str, Sequence[Any]] = field(repr=False, hash=False)
    size: int


@frozen(kw_only=True)
class RowFault:
    """Why a row cannot be taken. ``row`` is its position in the batch, from 0."""

    row: int
    field: str
    value: Any
    message: str
    allowed: str = ""
    code: str = "E_PLUGIN_CHECK"


@frozen(kw_only=True)
class StageMove:
    """A move that was asked for: ``subject_id`` from ``from_stage`` (None at first) to ``to_stage``."""

    lifecycle: str
    subject_type: str
    subject_id: int
    from_stage: str | None
    to_stage: str
    reason: str = ""


@frozen(kw_only=True)
class StageVeto:
    """Why a move is not to be made; ``subject_id`` is that of the move."""

    subject_id: int
    reason: str


@frozen(kw_only=True)
class MergeConflict:
    """A field in which two customers that are to be merged differ, both having a value.

    ``kept_id`` is the customer that stays, ``merged_id`` the one that goes into it. ``entity`` is
    ``customer`` or ``<plugin>.customer``. Values are in Python's types, money as ``Money``.
    """

    kept_id: int
    merged_id: int
    entity: str
    field: str
    kept: Any
    merged: Any


@frozen(kw_only=True)
class MergeChoice:
    """Which value survives: ``conflict`` is the position in the batch, from 0."""

    conflict: int
    survivor: str = field(validator=in_(("kept", "merged")))


@frozen(kw_only=True)
class Firing:
    """A rule that fired on a subject, for whoever carries its action out.

    Args:
        rule: its name. version: names the text under which it fired.
        as_of: aware UTC instant up to which the rule looked. Rule, subject and as-of identify it.
        action: one of ACTIONS; ``target`` says which tag, list, case topic or stage.
        message: the words for a person. evidence: the columns that the rule rests on, by name.
    """

    rule: str
    version: str
    subject_type: str
    subject_id: int
    as_of: datetime
    action: str
    target: str
    message: str
    evidence: Mapping[str, Any] = field(
        factory=dict, converter=frozen_value, hash=False, repr=False
    )


@frozen(kw_only=True)
class Scored:
    """Subjects that a score was run on, for whoever acts on the values.

    Args:
        score: its name. version: of the model that gave the values.
        subject_type: ``customer`` or a record type.
        as_of: what the run could see; with it the inputs can be asked for again.
        subjects: ids in order. values: the probability of each. inputs_hashes: of each one's inputs.
    """

    score: str
    version: int
    subject_type: str
    as_of: AsOf
    subjects: tuple[int, ...]
    values: tuple[float, ...]
    inputs_hashes: tuple[str, ...]


@frozen(kw_only=True)
class Served:
    """A firing that was carried out: ``firing`` is its position in the batch, from 0.

    ``result`` says what was made of it, as ``case 1042``; it is kept for good.
    """

    firing: int
    result: str = ""


@frozen(kw_only=True)
class Committed:
    """What one transaction changed: rows written per entity."""

    tx: int
    command: str
    source: str | None = None
    written: Mapping[str, int] = field(factory=dict, converter=frozen_value, hash=False)
