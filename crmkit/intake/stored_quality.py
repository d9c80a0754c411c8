"""How good the stored data of each source are (requirement C6): what is missing, malformed, stale, contradictory or double.

An import reports the rows that it rejects; this module checks what is stored, whichever command wrote
it: data from before a check existed, and faults that only several rows together show.

=============== ==================================================================================
missing         a customer of whom nothing is known but the key; a row without a required field
malformed       a value that its field does not take today; contact points by kind: the digits of a
                phone number, the shape of an e-mail address, the scheme of a web address
stale           a customer whom nobody changed for a year, of a source that was not imported since
contradictory   days and instants that contradict one another, or lie ahead though they may not
duplicate       a customer with name and a contact point of an earlier one; a contact point that its
                customer has already, written otherwise
=============== ==================================================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from attrs import define, field
from sqlalchemy import Select, Table, select
from sqlalchemy.engine import Connection

from ..declarations import CUSTOMER, sql_name
from ..entities.address import address_key
from ..entities.checks import as_json, compile_check
from ..entities.contradictions import contradictions, ordered_names
from ..entities.customer import CONTACT_FIELDS, CONTACT_KINDS, CUSTOMER_FIELDS
from ..entities.fields import Field, FieldSet
from ..entities.text_formats import text_reader
from ..store.history import Row
from ..store.values import Codec

if TYPE_CHECKING:
    from ..store.domain import DomainTable
    from ..store.imports import ImportRun
    from ..store.store import Store

KINDS = ("missing", "malformed", "stale", "contradictory", "duplicate")
# Ours: customers of a source that comes at least yearly are never stale because of it.
STALE_AFTER = timedelta(days=365)
Points = dict[int, list[tuple[str, str]]]


@define
class Measure:
    """Rows of one kind, and how many of them have each fault; ``faulty`` have any."""

    rows: int = 0
    faulty: int = 0
    faults: Counter[str] = field(factory=Counter)

    def add(self, faults: Collection[str]) -> None:
        """Counts one row with its faults."""
        self.rows += 1
        self.faulty += bool(faults)
        self.faults.update(faults)

    @property
    def share(self) -> float | None:
        """The share of rows with a fault; None without rows."""
        return self.faulty / self.rows if self.rows else None


# What a source has stored: its customers, contact points by kind, plugin fields and records.
STORED_COLUMNS = (
    "source", "what", "rows", "faulty", "faulty_share", *(f"{kind}_share" for kind in KINDS),
    "change",
)  # fmt: skip


def stored_rows(store: Store, source: str | None = None) -> list[dict[str, Any]]:
    """One row per source and kind of stored thing: customers, contact points by kind, plugins' rows.

    ``change`` is the share of rows with a fault less that share before the last import of the
    source: above 0 it has brought worse data. It is None before a second import.
    """
    out = []
    with store.read() as connection:
        for name, runs in _sources(store, connection).items():
            if source not in (None, name):
                continue
            now = look(store, connection, name, runs, 0).by_kind
            earlier = look(store, connection, name, runs, 1).by_kind if len(runs) > 1 else {}
            for what, found in now.items():
                before = earlier.get(what, Measure()).share
                out.append(
                    {
                        "source": name, "what": what, "rows": found.rows, "faulty": found.faulty,
                        "faulty_share": found.share,
                        **{f"{kind}_share": found.faults[kind] / found.rows for kind in KINDS},
                        "change": None if before is None else (found.share or 0.0) - before,
                    }
                )  # fmt: skip
    return out


def look(
    store: Store, connection: Connection, source: str, runs: Sequence[ImportRun], back: int
) -> Look:
    """The stored data of a source as they stood after one of its last imports.

    Args:
        runs: its finished imports, the latest first.
        back: 0 is now, 1 before the latest import, and so on.
    """
    before = runs[back - 1].id if back else None
    finished = runs[back].finished_at if back < len(runs) else None
    return Look(store, connection, source, finished, before)


def _sources(store: Store, connection: Connection) -> dict[str, list[ImportRun]]:
    """Every source of which something is stored, with its finished imports, the latest first."""
    tables = [store.tables["customer_ref"]]
    tables += [made.current for made in store.domain.values() if made.entity.what == "record"]
    found: set[str] = set()
    for table in tables:
        found |= set(connection.scalars(select(table.c.source).distinct()))
    runs: dict[str, list[ImportRun]] = {name: [] for name in sorted(found)}
    for run in store.imports.runs():
        if run.status == "done" and run.source in runs:
            runs[run.source].append(run)
    return runs


class Look:
    """The data of one source as they stand, or as they stood before a transaction.

    Args:
        imported_at: when the source was last imported by then; None is never.
        before: what was written from this id on is not there yet; None is now.

    Attributes:
        by_kind: rows and faults by kind of thing: customers, contact points by kind, plugins' rows.
        overall: customers, each with the faults of its contact points and plugin fields, and records.
    """

    def __init__(
        self, store: Store, connection: Connection, source: str, imported_at: datetime | None,
        before: int | None,
    ) -> None:  # fmt: skip
        self.store, self.connection, self.source, self.before = store, connection, source, before
        self.now = store.clock()
        self.today = self.now.astimezone(store.time_zone).date()
        self.imported_lately = imported_at is not None and self.now - imported_at < STALE_AFTER
        self.by_kind: dict[str, Measure] = {}
        self.overall = Measure()
        self._measure()

    def _measure(self) -> None:
        keys = self.store.tables["customer_ref"]
        of_source = select(keys.c.customer_id).where(keys.c.source == self.source)
        people = {row["id"]: row for row in self._rows(CUSTOMER, "id", of_source)}
        points = {i: of for i, of in self._points(of_source).items() if i in people}
        known, faults = set[int](), {i: set[str]() for i in people}
        domain = dict[str, Measure]()
        for made in self.store.domain.values():
            entity = made.entity
            if entity.what == "customer":
                rows = [
                    r
                    for r in self._rows(sql_name(entity.name), "customer_id", of_source)
                    if r["customer_id"] in people
                ]
                known |= {row["customer_id"] for row in rows}
            elif entity.what == "record":
                c = made.current.c
                rows = list(
                    self._rows(
                        sql_name(entity.name), "id", select(c.id).where(c.source == self.source)
                    )
                )
                known |= {row["owner_id"] for row in rows} if entity.owner == CUSTOMER else set()
            else:
                continue
            judged = self._domain(made, rows)
            self._count(domain, entity.name, judged)
            for row, found in zip(rows, judged, strict=True):
                if entity.what == "customer":
                    faults[row["customer_id"]] |= found
                else:
                    self.overall.add(found)
        self._count(self.by_kind, CUSTOMER, self._people(people, points, known, faults))
        for kind in CONTACT_KINDS:
            self._count(self.by_kind, kind, self._of_kind(kind, points, faults))
        self.by_kind |= domain
        for found in faults.values():
            self.overall.add(found)

    @staticmethod
    def _count(into: dict[str, Measure], name: str, judged: Iterable[set[str]]) -> None:
        measure = Measure()
        for found in judged:
            measure.add(found)
        if measure.rows:
            into[name] = measure

    # --- reading ------------------------------------------------------------------------------

    def _rows(self, name: str, key: str, among: Select[Any]) -> Iterator[Row]:
        """The rows of a table with history whose key is among those, in the version of then."""
        current, past = self.store.tables[name], self.store.tables[f"{name}_history"]
        asked = [select(current).where(current.c[key].in_(among))]
        if self.before is not None:
            names = [past.c[c.name] for c in current.columns]
            earlier = past.c.tx < self.before, past.c.closed_tx >= self.before
            asked = [
                asked[0].where(current.c.tx < self.before),
                select(*names).where(past.c[key].in_(among), *earlier),
            ]
        for query in asked:
            for row in self.connection.execute(query).mappings():
                if row.get("merged_into") is None:
                    yield row

    def _points(self, among: Select[Any]) -> Points:
        out: Points = {}
        for table in self._tables_of_points():
            c = table.c
            query = select(c.customer_id, c.kind, c.value).where(c.customer_id.in_(among))
            if self.before is not None:
                query = query.where(c.tx < self.before)
                if "closed_tx" in c:
                    query = query.where(c.closed_tx >= self.before)
            for row in self.connection.execute(query.order_by(c.position, c.id)):
                out.setdefault(row.customer_id, []).append((row.kind, row.value))
        return out

    def _tables_of_points(self) -> list[Table]:
        names = ["contact_point"] + ([] if self.before is None else ["contact_point_history"])
        return [self.store.tables[name] for name in names]

    # --- judging ------------------------------------------------------------------------------

    def _people(
        self, people: Mapping[int, Row], points: Points, known: set[int],
        faults: dict[int, set[str]],
    ) -> list[set[str]]:  # fmt: skip
        seen, out = set[tuple[str, str]](), []
        checks = {f.name: fits(f) for f in CUSTOMER_FIELDS.fields}
        own = [n for n in checks if n != "kind"]
        for customer, row in sorted(people.items()):
            found = set[str]()
            contacts = points.get(customer, ())
            if not contacts and customer not in known and all(row[n] is None for n in own):
                found.add("missing")
            if not all(row[n] is None or check(row[n]) for n, check in checks.items()):
                found.add("malformed")
            if not self.imported_lately and self.now - row["updated_at"] >= STALE_AFTER:
                found.add("stale")
            name = " ".join((row["name"] or "").casefold().split())
            alike = {(name, normal(kind, value)) for kind, value in contacts} if name else set()
            if not seen.isdisjoint(alike):
                found.add("duplicate")
            seen |= alike
            faults[customer] |= found
            out.append(found)
        return out

    def _of_kind(
        self, kind: str, points: Points, faults: dict[int, set[str]]
    ) -> Iterator[set[str]]:
        check = fits(CONTACT_FIELDS.by_name[kind])
        for customer, contacts in points.items():
            seen = set[str]()
            for _, value in (point for point in contacts if point[0] == kind):
                same = normal(kind, value)
                found = set() if check(value) else {"malformed"}
                found |= {"duplicate"} if same in seen else set()
                seen.add(same)
                faults[customer] |= found
                yield found

    def _domain(self, made: DomainTable, rows: Sequence[Row]) -> list[set[str]]:
        fields: FieldSet = made.entity.fields
        codec = Codec(made.entity.name, fields, self.store.currency)
        checks = {f.name: fits(f) for f in fields.fields}
        required = [f.name for f in fields.fields if f.required]
        columns = [codec.values(row) for row in rows]
        told = {name: [values[name] for values in columns] for name in ordered_names(fields)}
        backward = {c.row for c in contradictions(fields, told, self.now, self.today)}
        out = []
        for i, values in enumerate(columns):
            found = {"contradictory"} if i in backward else set[str]()
            if any(values[name] is None for name in required):
                found.add("missing")
            if not all(v is None or checks[n](v) for n, v in values.items()):
                found.add("malformed")
            out.append(found)
        return out


def fits(f: Field) -> Callable[[Any], bool]:
    """Whether a stored value is one that its field takes."""
    check = compile_check(f.schema)
    read = None if f.text_format is None else text_reader(f.text_format)

    @cache
    def judge(value: Any) -> bool:
        if read is not None:
            try:
                read(value)
            except ValueError:
                return False
        return check is None or check(value)

    return lambda value: judge(tuple(value) if isinstance(value, list) else as_json(value))


def normal(kind: str, value: str) -> str:
    """A contact point as two writings of it are the same."""
    return address_key(kind, value) or " ".join(value.casefold().split())
