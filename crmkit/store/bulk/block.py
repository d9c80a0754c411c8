"""Rows on their way into the store, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Any

from attrs import define, evolve, field

UNCHANGED, UPDATED, CREATED = 0, 1, 2
Values = Sequence[Any]
# Kind and label of contact points.
Slot = tuple[str, str]


@define(kw_only=True)
class Block:
    """Rows of one entity on their way in; every sequence has ``size`` values.

    Attributes:
        refs: business keys; a ref may stand more than once, and its first row counts. Empty for
            customer fields, which have no key of their own.
        columns: stored column to values; columns left out keep what is stored.
        contacts: of customers: ``(kind, label)`` of contact points to values, a sequence for each
            column of the file that holds one.
        clears: columns and contacts whose missing values empty what is stored; those of others keep
            it.
        valid_from: since when each row is true (D3); None is the time of the transaction.
    """

    size: int
    refs: Sequence[str] = ()
    columns: dict[str, Values] = field(factory=dict)
    contacts: dict[Slot, list[Values]] = field(factory=dict)
    clears: frozenset[str | Slot] = frozenset()
    valid_from: Values | None = None

    def kept(self, keep: Sequence[bool]) -> Block:
        """The rows whose flag is true."""
        return evolve(
            self,
            size=sum(keep),
            refs=list(compress(self.refs, keep)),
            columns={n: list(compress(v, keep)) for n, v in self.columns.items()},
            contacts={
                slot: [list(compress(v, keep)) for v in columns]
                for slot, columns in self.contacts.items()
            },
            valid_from=None if self.valid_from is None else list(compress(self.valid_from, keep)),
        )


@define
class Written:
    """What became of a block: the id of each row, and UNCHANGED, UPDATED or CREATED."""

    ids: list[int]
    outcomes: list[int]
