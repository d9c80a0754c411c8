"""Sessions and frames: where analysis SQL runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import pyarrow as pa
import pyarrow.compute as pc
from attrs import define, field

from ..declarations import CUSTOMER
from ..errors import UsageError
from . import existence
from .checksums import Stamp, stamp_of
from .engine import Engine, NoSuchColumn, quoted
from .layout import FACT_COLUMNS, INTERACTION, Layout, Shape, WarehouseTable
from .manifest import Manifest, Part, TableState
from .population import Population
from .portable import BASE, Statement, check_sql
from .runs import check_run, columns_of, current_files
from .snapshot import is_sound
from .views import POPULATION, Views

FILES, MERGED = "files_", f"{BASE}merged"


class Tables(Protocol):
    """What stands behind ``base_<name>``."""

    @property
    def layout(self) -> Layout:
        """The tables."""

    @property
    def states(self) -> Mapping[str, TableState]:
        """What is known of each table."""

    @property
    def currency(self) -> str:
        """In which amounts are added up (design D22)."""

    def bind(self, engine: Engine, name: str) -> None:
        """Binds ``base_<name>``, with customers that were merged already resolved (D8)."""


class SnapshotTables:
    """The files of one snapshot and of the runs.

    A file is compared with its checksum when it is bound, so only what a question touches is read.

    Args:
        layout: the tables.
        manifest: the snapshot; it names the files and holds the same rows for the whole session.
        folder: of the warehouse. runs: of the outcomes.
        mend: given the manifest and the names of damaged tables, a manifest of the same rows whose
            files are sound.
    """

    def __init__(
        self, layout: Layout, manifest: Manifest, folder: Path, runs: Path,
        mend: Callable[[Manifest, Collection[str]], Manifest],
    ) -> None:  # fmt: skip
        self.layout, self.manifest = layout, manifest
        self._folder, self._runs, self._mend = folder, runs, mend
        self._opened: dict[Path, Stamp] = {}

    @property
    def states(self) -> Mapping[str, TableState]:
        """What the manifest says of each table."""
        return self.manifest.tables

    @property
    def currency(self) -> str:
        """That of all amounts where they have one only, else the workspace's."""
        found = self.manifest.currencies
        return found[0] if len(found) == 1 else self.layout.currency

    def bind(self, engine: Engine, name: str, under: str | None = None) -> None:
        """As :meth:`Tables.bind`, under another name where one is given."""
        bound = under or f"{BASE}{name}"
        if name == "outcome":
            bind_outcomes(engine, self.layout, self._runs, bound)
            return
        table = INTERACTION if name == INTERACTION.name else self.layout.tables[name]
        customers = self.states.get(CUSTOMER)
        if customers is None or not customers.merged:
            self.bind_files(engine, table, bound)
            return
        self._bind_merged(engine)
        self.bind_files(engine, table, f"{FILES}{name}")
        engine.bind_view(bound, resolved(table, f"{FILES}{name}"))

    def bind_files(self, engine: Engine, table: WarehouseTable, name: str) -> None:
        """Binds the rows of a table as they were written, under ``name``.

        Raises:
            StorageError: if a file is damaged and its rows cannot be had from the store.
        """
        names = [table.name, *([existence.TABLE] if table.shape is Shape.CUSTOMER else [])]
        if table is INTERACTION:
            # Kinds of plugins that are switched off have files and no table.
            others = {t.name for t in self.layout.tables.values() if t.shape is not Shape.FACT}
            names = [n for n, s in self.states.items() if n not in others and "kind_" in s.types]
        parts = self._sound_parts(names)
        have = frozenset(column for part in parts for column in part.columns)
        types = {c.name: c.type for c in FACT_COLUMNS} if table is INTERACTION else table.types
        engine.bind_files(name, [self._folder / part.file for part in parts], types, have)

    def are_unchanged(self) -> bool:
        """Whether no file that was bound has been changed or removed since."""
        try:
            return all(stamp_of(path) == stamp for path, stamp in self._opened.items())
        except FileNotFoundError:
            return False

    def _sound_parts(self, names: Collection[str]) -> list[Part]:
        damaged = [n for n in names if not all(is_sound(self._folder, p) for p in self._parts(n))]
        if damaged:
            self.manifest = self._mend(self.manifest, damaged)
        parts = [part for name in names for part in self._parts(name)]
        paths = [self._folder / part.file for part in parts]
        self._opened.update((path, stamp_of(path)) for path in paths)
        return parts

    def _parts(self, name: str) -> tuple[Part, ...]:
        state = self.states.get(name)
        return state.parts if state else ()

    def _bind_merged(self, engine: Engine) -> None:
        name = f"{FILES}{CUSTOMER}"
        self.bind_files(engine, self.layout.tables[CUSTOMER], name)
        found = engine.query(
            f"SELECT id, merged_into FROM (SELECT id, merged_into, row_number() OVER "
            f"(PARTITION BY id ORDER BY version DESC) AS place FROM {name}) v "
            "WHERE place = 1 AND merged_into IS NOT NULL",
            {},
        )
        into = dict(zip(found["id"].to_pylist(), found["merged_into"].to_pylist(), strict=True))
        engine.bind_rows(MERGED, survivors(into))


def bind_outcomes(
    engine: Engine, layout: Layout, runs: Path, bound: str = f"{BASE}outcome"
) -> None:
    """Binds ``base_outcome``: the last run for each name and date, whole, even if it found nobody.

    Raises:
        StorageError: if the file of such a run is damaged.
    """
    files = current_files(runs)
    for path in files:
        check_run(path)
    have = frozenset(name for path in files for name in columns_of(path))
    engine.bind_files(bound, files, layout.tables["outcome"].types, have)


class Session:
    """Analysis SQL over one snapshot; a context manager, used from one thread.

    Attributes:
        engine: what runs the SQL.
        tables: what is read, the same to the end.

    Args:
        put_back: told when the session is closed, to use it again; None closes the engine then.
    """

    def __init__(
        self, engine: Engine, tables: Tables, put_back: Callable[[Session], None] | None = None
    ) -> None:
        self.engine = engine
        self.tables = tables
        self._put_back = put_back
        self._passing: set[str] = set()
        self._bound: set[str] = set()
        self._views: dict[str, str] = {}
        self._kept = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            # What an error left in the engine is nothing to build on.
            self._put_back = None
        self.close()

    def close(self) -> None:
        """Gives the engine back."""
        if self._put_back is None:
            self.engine.close()
        else:
            self._put_back(self)

    def reset(self, unbind: Callable[[str], None]) -> None:
        """Forgets what its user brought and computed; the files stay bound.

        Args:
            unbind: removes a table from the engine.
        """
        for name in sorted(self._passing):
            unbind(name)
        self._passing.clear()
        # Runs write their outcomes beside the snapshot, which stays the same.
        self._bound.discard("outcome")

    def frame(
        self,
        population: Population,
        purpose: str = "report",
        subject: str = CUSTOMER,
        window_days: int | None = None,
        extra: Mapping[str, pa.Table] | None = None,
    ) -> Frame:
        """The tables as a population sees them.

        Args:
            population: for whom and as of when.
            purpose: ``feature``, ``population``, ``target`` or ``report``; see
                :mod:`crmkit.declarations`.
            subject: ``customer`` or a record type, as ``telecom.subscription``.
            window_days: facts further from the date than this are not there.
            extra: further tables by name; they stand in front of the warehouse's.

        Raises:
            NotFound: if the subject is no record type.
        """
        views = Views(
            self.tables.layout, self.tables.states, population, purpose, subject, window_days,
            self.tables.currency,
        )  # fmt: skip
        return Frame(self, views, dict(extra or {}))

    def bind_base(self, name: str) -> None:
        """Binds ``base_<name>`` once per session."""
        if name not in self._bound:
            self.tables.bind(self.engine, name)
            self._bound.add(name)

    def bind_view(self, name: str, sql: str) -> None:
        """Binds a view, unless it has this very text already."""
        if self._views.get(name) != sql:
            self.engine.bind_view(name, sql)
            self._views[name] = sql

    def bind_rows(self, name: str, rows: pa.Table) -> None:
        """Binds rows in memory under a name, in place of what had it."""
        self.engine.bind_rows(name, rows)
        self._passing.add(name)
        self._views.pop(name, None)

    def fresh_name(self) -> str:
        """A name for rows that are kept in this session."""
        self._kept += 1
        name = f"{BASE}kept_{self._kept}"
        self._passing.add(name)
        return name


@define
class Frame:
    """The tables as one population sees them: made by :meth:`Session.frame`."""

    session: Session
    views: Views
    extra: dict[str, pa.Table] = field(repr=False)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """The rows of a SELECT.

        Args:
            sql: within the portable subset, over listed tables.
            parameters: values for ``$name``; those that the SQL does not mention are left out.

        Raises:
            SqlRefused: if the SQL is outside the subset or does not fit the tables.
        """
        statement, values = self._bound(sql, parameters or {})
        engine = self.session.engine
        try:
            return engine.query(statement.sql, values)
        except NoSuchColumn as error:
            known = [column for name in statement.tables for column in engine.types(name)]
            raise NoSuchColumn(error.column, known) from error

    def keep(self, sql: str, parameters: Mapping[str, Any] | None = None) -> str:
        """Computes a SELECT and keeps its rows in the session; the name to read them by.

        Raises:
            SqlRefused: as :meth:`query`.
        """
        statement, values = self._bound(sql, parameters or {})
        name = self.session.fresh_name()
        self.session.engine.keep(name, statement.sql, values)
        return name

    def keep_columns(self, sql: str, choose: Callable[[dict[str, str]], Sequence[str]]) -> str:
        """Computes some columns of a SELECT and keeps them; what nobody asks for is not computed.

        Args:
            sql: within the portable subset, over listed tables, without parameters.
            choose: given the SELECT's columns with their DuckDB types, those to keep.

        Raises:
            SqlRefused: as :meth:`query`. Whatever ``choose`` raises.
        """
        statement, _ = self._bound(sql, {})
        session, engine = self.session, self.session.engine
        whole, name = session.fresh_name(), session.fresh_name()
        engine.bind_view(whole, statement.sql)
        listed = ", ".join(quoted(column) for column in choose(engine.types(whole)))
        # Both names are the session's own, and the columns are the SELECT's.
        engine.keep(name, f"SELECT {listed} FROM {whole}", {})
        return name

    def keep_population(self) -> str:
        """Keeps the population rows in the session; the name to read them by."""
        return self.keep("SELECT subject_id, as_of, as_of_on FROM population")

    def _bound(self, sql: str, parameters: Mapping[str, Any]) -> tuple[Statement, dict[str, Any]]:
        statement = self._checked(sql, parameters)
        population = self.views.population
        if population.table is not None:
            self.session.bind_rows(POPULATION, population.table)
        for name in sorted(statement.tables):
            if name in self.extra:
                self.session.bind_rows(name, self.extra[name])
                continue
            for base in sorted(self.views.bases(name)):
                self.session.bind_base(base)
            self.session.bind_view(name, self.views.sql(name))
        return statement, {name: parameters[name] for name in statement.parameters}

    def _checked(self, sql: str, parameters: Mapping[str, Any] | None) -> Statement:
        clash = [name for name in self.extra if name.startswith(BASE)]
        if clash:
            raise UsageError(f"table names may not begin with {BASE}: {', '.join(clash)}.")
        tables = self.session.tables.layout.names | set(self.extra)
        return check_sql(sql, tables=tables, parameters=None if parameters is None else set(parameters))  # fmt: skip


def resolved(table: WarehouseTable, files: str) -> str:
    """A table with merged customers replaced by those that remain."""
    if table.shape in (Shape.CUSTOMER, Shape.CUSTOMER_FIELDS):
        # The one that remains speaks for all that were merged into it.
        return f"SELECT v.* FROM {files} v WHERE v.id NOT IN (SELECT id FROM {MERGED})"
    column = {Shape.RECORD: "owner_id", Shape.STAGE_CHANGE: "record_id"}.get(
        table.shape, "customer_id"
    )
    if table.shape is Shape.RECORD and table.owner != CUSTOMER:
        return f"SELECT * FROM {files}"
    types = {c.name: c.type for c in FACT_COLUMNS} if table is INTERACTION else table.types
    listed = [f"v.{quoted(n)}" for n in types if n != column]
    condition = " AND v.subject_type = 'customer'" if table.shape is Shape.STAGE_CHANGE else ""
    return (
        f"SELECT coalesce(m.survivor, v.{column}) AS {column}, {', '.join(listed)} "
        f"FROM {files} v LEFT JOIN {MERGED} m ON m.id = v.{column}{condition}"
    )


def survivors(into: Mapping[int, int]) -> pa.Table:
    """Merged customer → the one that remains at the end of the chain."""
    ends = []
    for start in into:
        seen, end = {start}, into[start]
        while end in into and end not in seen:
            seen.add(end)
            end = into[end]
        ends.append(end)
    table = pa.table(
        {"id": pa.array(list(into), pa.int64()), "survivor": pa.array(ends, pa.int64())}
    )
    return table.filter(pc.not_equal(table["id"], table["survivor"]))
