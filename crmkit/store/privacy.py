"""What the store does not name: customers and rows behind a guard whose right the viewer lacks.

The policy says which guards hold (design D19); here they become sets of ids. Everything that people
read through the store leaves those customers out as if they were not there, and whoever asked for
somebody and found nobody is logged, whether a guard or an empty register was the reason: the two
must not be told apart by what is answered, by what is logged in the open, or by how long it takes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, and_, column, or_, select, table, true
from sqlalchemy.engine import Connection

from ..declarations import CUSTOMER, PrivacyGuard
from ..entities.interaction import NewInteraction
from ..policy import Viewer, guards_on
from .declared import KeptGuard, guards_kept
from .family import members_of, survivors_of
from .rows import is_in

if TYPE_CHECKING:
    from sqlalchemy import FromClause

    from .store import Store

# By entity: the fields that guard its rows, each with the values that do.
GuardedRows = Mapping[str, Mapping[str, frozenset[str]]]


class Privacy:
    """What a viewer may not learn of, and the questions that were refused.

    Args:
        store: whose customers are guarded.
        viewer: whose rights decide; None sees everybody.
    """

    def __init__(self, store: Store, viewer: Viewer | None) -> None:
        self._store, self.viewer = store, viewer
        self._refused: list[tuple[str, str, frozenset[int], bool]] = []
        self._kept_by: WeakKeyDictionary[Connection, list[KeptGuard]] = WeakKeyDictionary()

    @property
    def guards(self) -> list[PrivacyGuard]:
        """The guards of whole customers that hold for the viewer."""
        return [guard for guard in self._on if not guard.rows]

    @property
    def _on(self) -> list[PrivacyGuard]:
        if self.viewer is None:
            return []
        return guards_on(self._store.catalog.privacy_guards.values(), self.viewer)

    def guarded_rows(self, connection: Connection) -> GuardedRows:
        """Which rows of record types and interaction kinds are hidden from the viewer."""
        out: defaultdict[str, defaultdict[str, frozenset[str]]]
        out = defaultdict(lambda: defaultdict(frozenset))
        held = [(guard.rows, guard.field, guard.values) for guard in self._on]
        held += [(rows, name, values) for _, name, values, rows in self._kept_guards(connection)]
        for rows, name, values in held:
            for entity in rows:
                out[entity][name] |= frozenset(values)
        return out

    def rows_guarded(self) -> GuardedRows:
        """As :meth:`guarded_rows`, in a read of its own."""
        if self.viewer is None:
            return {}
        with self._store.read() as connection:
            return self.guarded_rows(connection)

    def open_records(
        self, connection: Connection, entity: str, rows: FromClause
    ) -> ColumnElement[bool]:
        """The condition that keeps the records of a type that the viewer may read."""
        guarded = self.guarded_rows(connection).get(entity, {})
        kept = [
            or_(rows.c[name].is_(None), rows.c[name].not_in(sorted(values)))
            for name, values in guarded.items()
            if name in rows.c  # not in a database that is still to be upgraded
        ]
        return and_(true(), *kept)

    def hidden(self, connection: Connection) -> frozenset[int]:
        """Ids of the customers hidden from the viewer, with everybody merged with one of them."""
        if self.viewer is None:
            return frozenset()
        ids: set[int] = set()
        for guard in self.guards:
            plugin = guard.name.partition(".")[0]
            guarded = self._store.domain.get(f"{plugin}.{CUSTOMER}")
            if guarded is None or guard.field not in guarded.current.c:
                continue  # of a database that is still to be upgraded: nobody has a value there
            made = guarded.current
            wanted = select(made.c.customer_id).where(made.c[guard.field].in_(guard.values))
            ids.update(connection.scalars(wanted))
        ids |= self._kept(connection)
        if not ids:
            return frozenset()
        people = self._store.tables[CUSTOMER]
        survivors = survivors_of(connection, people, ids).values()
        return frozenset(members_of(connection, people, {*survivors, *ids}))

    def _kept(self, connection: Connection) -> set[int]:
        """Those whom plugins guard that are not loaded now, as the last upgrade knew them."""
        ids: set[int] = set()
        for plugin, name, values, rows in self._kept_guards(connection):
            if not rows:
                guarded = table(f"{plugin}_{CUSTOMER}", column("customer_id"), column(name))
                wanted = select(guarded.c.customer_id).where(guarded.c[name].in_(values))
                ids.update(connection.scalars(wanted))
        return ids

    def _kept_guards(
        self, connection: Connection
    ) -> list[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
        """Plugin, field, values and rows of guards that hold although their plugin is not loaded."""
        if self.viewer is None:
            return []
        # A view of a customer asks three times over one state of the database.
        kept = self._kept_by.get(connection)
        if kept is None:
            kept = self._kept_by[connection] = guards_kept(self._store, connection)
        rights = self.viewer.rights
        return [(k.plugin, k.field, k.values, k.rows) for k in kept if k.right not in rights]

    def hidden_customers(self) -> frozenset[int]:
        """As :meth:`hidden`, in a read of its own."""
        if self.viewer is None:
            return frozenset()
        with self._store.read() as connection:
            return self.hidden(connection)

    def hidden_subjects(self) -> frozenset[int]:
        """The hidden customers and every record of theirs, of whatever type."""
        if self.viewer is None:
            return frozenset()
        with self._store.read() as connection:
            owners = {CUSTOMER: self.hidden(connection)}
            found = set(owners[CUSTOMER])
            for made in self._store.records.by_owner if found else ():
                above = owners.get(str(made.entity.owner), frozenset())
                if above:
                    rows = made.current.c
                    query = select(rows.id).where(is_in(connection, rows.owner_id, above))
                    owners[made.entity.name] = frozenset(connection.scalars(query))
                    found |= owners[made.entity.name]
        return frozenset(found)

    # --- refusals -----------------------------------------------------------------------------

    def refuse(
        self, command: str, asked_for: str, met: Iterable[int], *, nobody: bool = True
    ) -> None:
        """Notes a question that is answered with nobody, or with fewer than there are.

        Args:
            command: what was asked, as ``customer find``. asked_for: the words.
            met: the guarded customers that it would have named.
            nobody: whether the answer is that there is nobody.
        """
        self._refused.append((command, asked_for, frozenset(met), nobody))

    def log_refusals(self) -> None:
        """Files what was noted, each question once for nobody and once for each guarded customer."""
        noted, self._refused = self._refused, []
        viewer = self.viewer
        if not noted or viewer is None:
            return
        at = self._store.clock()
        new = []
        for guard in self.guards:
            for command, asked_for, met, nobody in noted:
                said = {"asked_for": asked_for[:200], "asked_by": viewer.name, "command": command}
                subjects = [*([None] if nobody else []), *sorted(met)]
                new += [
                    NewInteraction(
                        kind=guard.refusals, occurred_at=at, customer_id=customer,
                        channel="system", direction="in",
                        payload={**said, "answer": "nobody" if customer is None else "refused"},
                    )
                    for customer in subjects
                ]  # fmt: skip
        self._store.interactions.log(new)
