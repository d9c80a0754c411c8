"""Features: named values of each subject as of a date, joined into one wide table (design D4)."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlglot
from attrs import frozen

from ..declarations import CUSTOMER, Feature, FeatureSet, Scope, sql_name
from ..entities.field_types import FieldType
from ..errors import NotFound, PluginError, SqlRefused, UsageError
from ..warehouse.engine import quoted, quoted_text
from ..warehouse.layout import SQL_TYPES
from ..warehouse.population import Population
from ..warehouse.portable import DIALECT, check_sql

if TYPE_CHECKING:
    from ..entities.asof import AsOf
    from ..hosting.catalog import Catalog
    from ..warehouse.session import Session
    from ..warehouse.warehouse import Warehouse

_WHOLE = frozenset(
    "TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT".split()
)
_FITTING = {
    FieldType.INTEGER: _WHOLE,
    FieldType.MONEY: _WHOLE,
    FieldType.NUMBER: _WHOLE | {"DOUBLE", "FLOAT", "DECIMAL"},
    FieldType.BOOLEAN: frozenset({"BOOLEAN"}),
    FieldType.TEXT: frozenset({"VARCHAR"}),
    FieldType.DATE: frozenset({"DATE"}),
    FieldType.INSTANT: frozenset({"TIMESTAMP"}),
    FieldType.LIST: frozenset({"VARCHAR[]"}),
}
KEYS = ("subject_id", "as_of")


@frozen
class _Computed:
    """A feature set whose rows are kept in the session under ``table``."""

    set: FeatureSet
    table: str
    columns: dict[str, str]  # feature name → column of the kept rows


class Features:
    """Builds features of the enabled plugins over the warehouse.

    Args:
        warehouse: where the rows are.
        catalog: what the enabled plugins declare.
    """

    def __init__(self, warehouse: Warehouse, catalog: Catalog) -> None:
        self._warehouse, self._catalog = warehouse, catalog

    def list(self) -> builtins.list[Feature]:
        """Every feature, by name."""
        return [*self._catalog.features.values()]

    def of_subject(self, subject: str) -> builtins.list[str]:
        """Names of the features of ``customer`` or a record type, in order of name."""
        return [
            name
            for name in self._catalog.features
            if self._catalog.feature_set_of(name).subject == subject
        ]

    def tables(self, found: FeatureSet) -> frozenset[str]:
        """The tables that a feature set reads, as analysis SQL names them."""
        return check_sql(found.sql).tables

    def needed(self, sql_texts: Iterable[str]) -> builtins.list[str]:
        """Names of the features that SQL texts or conditions mention, in order of name.

        Raises:
            SqlRefused: if a text cannot be read as SQL.
        """
        mentioned: set[str] = set()
        for text in sql_texts:
            try:
                tokens = sqlglot.tokenize(text, read=DIALECT)
            except sqlglot.errors.SqlglotError as error:
                raise SqlRefused(f"{text!r} cannot be read as SQL.") from error
            mentioned |= {token.text.lower() for token in tokens}
        return [name for name in self._catalog.features if sql_name(name) in mentioned]

    def build(self, subject: str, names: Sequence[str] | None, population: Population) -> pa.Table:
        """The features of a population.

        Args:
            subject: ``customer`` or a record type.
            names: which features; None is every feature of the subject.
            population: for whom and as of when.

        Returns:
            ``subject_id``, ``as_of`` and one column per feature under its SQL name, in the order of
            ``names``: exactly one row per population row, ordered by date and subject.

        Raises:
            NotFound: for an unknown feature. UsageError: for a feature of another subject.
            PluginError: naming the plugin and feature set whose SQL fails, returns other columns
                or types than declared, or several rows for one population row.
        """
        with self._warehouse.session() as session:
            return self._build(session, subject, self._names(subject, names), population)

    def build_in(
        self, session: Session, subject: str, names: Sequence[str], population: Population
    ) -> pa.Table:
        """As :meth:`build`, in a session that is open: of the snapshot, or of one customer."""
        return self._build(session, subject, self._names(subject, names), population)

    def build_at(
        self, subject: str, names: Sequence[str] | None, dates: Sequence[AsOf]
    ) -> pa.Table:
        """The features of everyone who was there at each of some dates, in one pass.

        Args:
            subject, names: as for :meth:`build`, which also tells what is returned and raised.
            dates: at least one; each subject has a row for every date by which it was there.
        """
        if len(dates) == 1:
            return self.build(subject, names, Population.at(dates[0]))
        with self._warehouse.session() as session:
            everyone = [
                session.frame(Population.at(day), "feature", subject).query(
                    "SELECT subject_id, as_of, as_of_on FROM population"
                )
                for day in dates
            ]
            population = Population.rows(pa.concat_tables(everyone))
            return self._build(session, subject, self._names(subject, names), population)

    def build_now(
        self, customer_id: int, as_of: AsOf, names: Sequence[str] | None = None
    ) -> pa.Table:
        """The features of one customer from the store's rows, without a snapshot (design D6).

        Only features that look at the subject's own rows can be computed so; they equal those of
        :meth:`build`.

        Args:
            as_of: now. A record that has changed its owner since is not seen where it was.
            names: which features; None is every customer feature of scope ``subject``.

        Raises:
            UsageError: for a feature that looks at other customers.
        """
        wanted = self._names(CUSTOMER, names)
        others = [n for n in wanted if self._catalog.feature_set_of(n).scope is Scope.POPULATION]
        if names is None:
            wanted = [name for name in wanted if name not in others]
        elif others:
            raise UsageError(
                f"{', '.join(others)} look at other customers and cannot be computed for one.",
                hint="Build them for all.",
            )
        with self._warehouse.live(customer_id) as session:
            return self._build(session, CUSTOMER, wanted, Population.of([customer_id], as_of))

    # --- steps ------------------------------------------------------------------------------------

    def _names(self, subject: str, names: Sequence[str] | None) -> builtins.list[str]:
        if names is None:
            return self.of_subject(subject)
        unique = list(dict.fromkeys(names))
        for name in unique:
            if name not in self._catalog.features:
                raise NotFound("feature", name, self._catalog.features)
        odd = [n for n in unique if self._catalog.feature_set_of(n).subject != subject]
        if odd:
            found = self._catalog.feature_set_of(odd[0]).subject
            raise UsageError(f"feature {odd[0]} is of {found}, not of {subject}.")
        return unique

    def _build(
        self, session: Session, subject: str, names: Sequence[str], population: Population
    ) -> pa.Table:
        sets: dict[str, tuple[FeatureSet, builtins.list[str]]] = {}
        for name in names:
            found = self._catalog.feature_set_of(name)
            sets.setdefault(found.name, (found, []))[1].append(name)
        base = session.frame(population, "feature", subject).keep_population()
        computed = {
            name: self._compute(session, subject, found, wanted, population)
            for name, (found, wanted) in sets.items()
        }
        by_feature = {name: computed[self._catalog.feature_set_of(name).name] for name in names}
        columns = [f"p.{key}" for key in KEYS]
        aliases = {name: f"s{number}" for number, name in enumerate(computed)}
        for name in names:
            one = by_feature[name]
            columns.append(_column(self._catalog.features[name], one, aliases[one.set.name]))
        joins = "".join(
            f" LEFT JOIN {one.table} {alias} ON {alias}.subject_id = p.subject_id "
            f"AND {alias}.as_of = p.as_of"
            for one, alias in ((computed[name], alias) for name, alias in aliases.items())
        )
        # Names come from the catalog, which has checked them; there are no values in this text.
        sql = f"SELECT {', '.join(columns)} FROM {base} p{joins} ORDER BY p.as_of, p.subject_id"  # noqa: S608
        table = session.engine.query(sql, {})
        size = session.engine.query(f"SELECT count(*) AS n FROM {base}", {})["n"][0].as_py()  # noqa: S608
        if table.num_rows != size:
            self._blame(session, computed.values())
        return table

    def _compute(
        self, session: Session, subject: str, found: FeatureSet, wanted: Sequence[str],
        population: Population,
    ) -> _Computed:  # fmt: skip
        """Computes the wanted features of a set, after a check of all that it declares."""
        columns: dict[str, str] = {}

        def choose(types: dict[str, str]) -> Sequence[str]:
            columns.update(self._columns(found, types))
            return [*KEYS, *dict.fromkeys(columns[name] for name in wanted)]

        frame = session.frame(population, "feature", subject, found.window_days)
        try:
            table = frame.keep_columns(found.sql, choose)
        except SqlRefused as error:
            raise self._fault(found, str(error)) from error
        return _Computed(found, table, columns)

    def _columns(self, found: FeatureSet, types: dict[str, str]) -> dict[str, str]:
        """Feature → column of what the set's SQL returns.

        Raises:
            PluginError: if it does not return what the set declares.
        """
        columns, faults = {}, [f"column {key} is missing" for key in KEYS if key not in types]
        for feature in found.features:
            column = _found_column(feature, types)
            if column is None:
                faults.append(f"column {sql_name(feature.name)} is missing")
                continue
            columns[feature.name] = column
            kind = types[column].split("(")[0]
            if kind not in _FITTING[feature.type]:
                faults.append(f"column {column} is {types[column]}, not {feature.type.value}")
        if faults:
            listed = f"it returns {', '.join(types)}"
            raise self._fault(found, "; ".join(faults) + f" ({listed})")
        return columns

    def _blame(self, session: Session, computed: Iterable[_Computed]) -> None:
        """Names the feature set that returns several rows for one population row."""
        for one in computed:
            twice = session.engine.query(
                f"SELECT subject_id, count(*) AS n FROM {one.table} GROUP BY subject_id, as_of "  # noqa: S608
                "HAVING count(*) > 1 ORDER BY subject_id LIMIT 1",
                {},
            )
            if twice.num_rows:
                raise self._fault(
                    one.set,
                    f"returns {twice['n'][0].as_py()} rows for subject {twice['subject_id'][0]} at "
                    "one date; group by subject_id, as_of",
                )

    def _fault(self, found: FeatureSet, message: str) -> PluginError:
        plugin = self._catalog.owner(found.name)
        return PluginError(plugin, f"feature set {found.name}", message.rstrip(".") + ".")


def _found_column(feature: Feature, types: dict[str, str]) -> str | None:
    """Its column: under the SQL name, or under the name without the plugin."""
    lowered = {column.lower(): column for column in types}
    short = feature.name.partition(".")[2].replace(".", "_").replace("-", "_")
    return lowered.get(sql_name(feature.name)) or lowered.get(short)


def _column(feature: Feature, computed: _Computed, alias: str) -> str:
    kind = SQL_TYPES[feature.type]
    value = f"CAST({alias}.{quoted(computed.columns[feature.name])} AS {kind})"
    if feature.missing is not None:
        # Only for rows that the SQL leaves out: a NULL that it returns means missing.
        fill = f"CAST({_literal(feature.missing)} AS {kind})"
        value = f"CASE WHEN {alias}.subject_id IS NULL THEN {fill} ELSE {value} END"
    return f"{value} AS {quoted(sql_name(feature.name))}"


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (date, datetime)):
        return quoted_text(str(value))
    return quoted_text(str(value))
