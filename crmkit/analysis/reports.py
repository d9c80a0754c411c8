"""The report runner: one question, one as-of, typed rows in a steady order (design section 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from attrs import field, frozen

from ..declarations import CUSTOMER, Parameter, Report, ReportColumn
from ..entities.asof import AsOf
from ..entities.field_types import FieldType
from ..entities.money import Money
from ..errors import DeclarationError, NotFound, SqlRefused, UsageError
from ..progress import step
from ..warehouse.population import Population
from .time_dependence import tables_of

if TYPE_CHECKING:
    from ..declarations import FeatureSet
    from ..hosting.catalog import Catalog
    from ..settings import Settings
    from ..warehouse.warehouse import Warehouse
    from .features import Features
    from .scores import Scores

SIGNIFICANT = 12
ARROW = {
    FieldType.TEXT: pa.string(),
    FieldType.INTEGER: pa.int64(),
    FieldType.NUMBER: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.DATE: pa.date32(),
    FieldType.INSTANT: pa.timestamp("us"),
    FieldType.MONEY: pa.int64(),
    FieldType.LIST: pa.list_(pa.string()),
}


@frozen(kw_only=True)
class ReportResult:
    """The answer of a report.

    Attributes:
        table: Arrow rows with exactly the report's columns, in its order; money is whole minor
            units of ``currency`` (the data's where they have one only, else the workspace's), customers are ids (presentation adds names, design D17).
        parameters: the values used, by name, typed; money in minor units.
        remarks: what the reader should know about this run, one sentence each.
    """

    report: Report
    as_of: AsOf
    parameters: Mapping[str, Any] = field(hash=False)
    table: pa.Table = field(repr=False, hash=False)
    currency: str
    remarks: tuple[str, ...] = ()


class Reports:
    """Runs the reports of the enabled plugins over the warehouse."""

    def __init__(
        self,
        warehouse: Warehouse,
        features: Features,
        scores: Scores,
        catalog: Catalog,
        settings: Settings,
    ) -> None:
        self._warehouse, self._features, self._scores = warehouse, features, scores
        self._catalog, self._settings = catalog, settings

    def list(self) -> list[Report]:
        """Every report, by name."""
        return [self._catalog.reports[name] for name in sorted(self._catalog.reports)]

    def get(self, name: str) -> Report:
        """The report of that name.

        Raises:
            NotFound: with the near misses.
        """
        try:
            return self._catalog.reports[name]
        except KeyError:
            raise NotFound("report", name, self._catalog.reports) from None

    def run(
        self,
        name: str,
        parameters: Mapping[str, str] | None = None,
        as_of: AsOf | None = None,
        *,
        engine: str | None = None,
        again: bool = True,
        shown: bool = True,
        limit: int | None = None,
    ) -> ReportResult:
        """Runs a report.

        Args:
            name: ``telecom.churn-survival``.
            parameters: text by parameter name, parsed by the parameter's type; those left out take
                their defaults.
            as_of: what may be seen.
            engine: ``duckdb``, ``spark`` or ``spark://HOST:PORT``; None is the engine in use.
            again: run its scores even if their latest models have been run for the date.
            shown: False for what the program itself goes on with: it sees also those whom the viewer
                may not learn of. What people are shown is always True.
            limit: at most so many rows, the first in the report's order; the engine computes no more.

        Raises:
            NotFound: for a report or parameter that does not exist.
            UsageError: if a parameter's text is not of its type, or the engine is unknown.
            DeclarationError: if the SQL does not return what the report declares.
        """
        report = self.get(name)
        if as_of is None:
            raise UsageError(f"report {name} needs an as-of.", hint="Make one with crm.as_of().")
        values = parse_parameters(report, parameters or {}, self._settings.currency)
        self._warehouse.refresh_if_stale()
        currency, remark = self._currency(report, as_of)
        if currency != self._settings.currency:
            values = parse_parameters(report, parameters or {}, currency)
        step(f"report {name}")
        with self._warehouse.using(engine):
            said = [self._scores.ready(name, as_of, again=again) for name in report.scores]
            table = self._query(report, values, as_of, shown, limit)
            nobody = None if table.num_rows else self._why_nobody(as_of)
        remarks = tuple(found for found in (remark, *said, nobody) if found)
        return ReportResult(
            report=report,
            as_of=as_of,
            parameters=values,
            table=_ordered(report, self._typed(report, table)),
            currency=currency,
            remarks=remarks,
        )

    def _currency(self, report: Report, as_of: AsOf) -> tuple[str, str]:
        """In which currency a report's amounts are, and what is to be said of it.

        That of the data, where they have one only, else the workspace's.
        """
        own, used = self._settings.currency, self._warehouse.currency
        if not any(c.currency_minor for c in report.columns):
            return used, ""
        sets = {
            id(s): s for s in map(self._catalog.feature_set_of, self._features.needed([report.sql]))
        }
        texts = [report.sql, *(s.sql for s in sets.values())]
        names = frozenset(name for text in texts for name in tables_of(text))
        found = self._warehouse.currencies(names, Population.at(as_of))
        others = [code for code in found if code != used]
        if others:
            self._refuse_mixing(report, sets.values())
            return used, (
                f"amounts in {', '.join(others)} are left out of amounts in {used}: nothing says at what "
                "rate to convert them."
            )
        if used != own and found:
            return used, (
                f"all amounts are in {used} and are shown so; the workspace's currency is {own}, in "
                "which costs are set."
            )
        return used, ""

    def _refuse_mixing(self, report: Report, sets: Iterable[FeatureSet]) -> None:
        """Stops before sums over amounts of several currencies."""
        # Lazy: most workspaces have one currency and never ask.
        from ..warehouse.mixing import mixing_faults

        for label, name, text in (
            (f"report {report.name}", report.name, report.sql),
            *((f"feature set {s.name}", s.name, s.sql) for s in sets),
        ):
            faults = mixing_faults(text)
            if faults:
                raise DeclarationError(
                    self._catalog.owner(name), [f"{label}: {fault}" for fault in faults]
                )

    def _query(
        self,
        report: Report,
        values: Mapping[str, Any],
        as_of: AsOf,
        shown: bool,
        limit: int | None,
    ) -> pa.Table:
        population = Population.at(as_of)
        needed = self._features.needed([report.sql])
        subject = self._subject(report, needed)
        extra = {}
        if needed:
            built = self._features.build(subject, needed, population)
            extra["feature"] = self._warehouse.shown(built) if shown else built
        with self._warehouse.session(shown=shown) as session:
            frame = session.frame(population, purpose="report", subject=subject, extra=extra)
            try:
                return frame.query(_limited(report, limit), dict(values))
            except SqlRefused as error:
                # The user named a report; that its SQL does not run is the plugin's fault.
                raise DeclarationError(
                    self._catalog.owner(report.name), [f"report {report.name}: {error.message}"]
                ) from error

    def _why_nobody(self, as_of: AsOf) -> str | None:
        """A remark for an empty report if no customer was known by its as-of."""
        first = self._warehouse.known_since()
        if first is None:
            return "there are no customers yet."
        if first < as_of.instant.replace(tzinfo=None):
            return None
        return (
            f"no customer was known by {as_of.on}; what is known begins on {first:%Y-%m-%d} (UTC)."
        )

    def _subject(self, report: Report, features: Sequence[str]) -> str:
        subjects = {self._catalog.feature_set_of(name).subject for name in features}
        if len(subjects) > 1:
            raise DeclarationError(
                self._catalog.owner(report.name),
                [f"report {report.name} mixes features of {' and '.join(sorted(subjects))}"],
            )
        return subjects.pop() if subjects else CUSTOMER

    def _typed(self, report: Report, table: pa.Table) -> pa.Table:
        declared = [c.name for c in report.columns]
        if table.column_names != declared:
            raise DeclarationError(
                self._catalog.owner(report.name),
                [
                    f"report {report.name} declares the columns {', '.join(declared)} "
                    f"but its SQL returns {', '.join(table.column_names)}"
                ],
            )
        arrays = [self._cast(report, c, table.column(c.name)) for c in report.columns]
        return pa.table(arrays, names=declared)

    def _cast(self, report: Report, column: ReportColumn, values: pa.ChunkedArray) -> Any:
        kind = pa.int64() if column.currency_minor else ARROW[column.type]
        try:
            found = values if values.type == kind else values.cast(kind)
            return _steady(found) if kind == pa.float64() else found
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise DeclarationError(
                self._catalog.owner(report.name),
                [
                    f"report {report.name}, column {column.name}: {values.type} from the SQL "
                    f"is no {column.type.value} ({error})"
                ],
            ) from error


def _steady(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers to twelve significant digits.

    A sum of floats depends in its last digits on the order of the rows, which is another on another
    database or engine; equal data shall give equal figures (design D18).
    """
    numbers = np.asarray(values.to_numpy(), dtype=np.float64)
    known = np.isfinite(numbers) & (numbers != 0)
    magnitude = np.floor(np.log10(np.abs(numbers, where=known, out=np.ones_like(numbers))))
    # Powers of ten to the 22nd are exact, so that the quotient is the double nearest to the decimal.
    places = np.clip(SIGNIFICANT - 1 - magnitude, 0, 22)
    rounded = np.where(known, np.round(numbers * 10.0**places) / 10.0**places, numbers)
    return pa.chunked_array([pa.array(rounded, mask=values.is_null().to_numpy())])


def _order(report: Report) -> dict[str, str]:
    """By ``order`` and then the key, so that equal data give equal rows (design D18)."""
    directions: dict[str, str] = {}
    for name in (*report.order, *report.key):
        direction = "descending" if name.startswith("-") else "ascending"
        directions.setdefault(name.removeprefix("-"), direction)
    return directions


def _ordered(report: Report, table: pa.Table) -> pa.Table:
    directions = _order(report)
    return table.sort_by(list(directions.items())) if directions else table


def _limited(report: Report, limit: int | None) -> str:
    """The SQL of a report, or of its first rows; missing values come last either way."""
    if limit is None:
        return report.sql
    short = {"ascending": "ASC", "descending": "DESC"}
    keys = [f'answer."{name}" {short[way]} NULLS LAST' for name, way in _order(report).items()]
    order = f" ORDER BY {', '.join(keys)}" if keys else ""
    # The SQL is a declaration's, the names are its columns and the limit is a whole number.
    return f"SELECT * FROM (\n{report.sql.rstrip().rstrip(';')}\n) AS answer{order} LIMIT {limit}"  # noqa: S608


def parse_parameters(report: Report, given: Mapping[str, str], currency: str) -> dict[str, Any]:
    """The typed value of every parameter of a report.

    Raises:
        NotFound: for a name that the report does not declare.
        UsageError: naming every text that is not of its parameter's type or choices.
    """
    declared = {p.name: p for p in report.parameters}
    for name in given:
        if name not in declared:
            hint = "" if declared else "This report has no parameters."
            raise NotFound(f"parameter of report {report.name}", name, declared, hint=hint)
    values, faults = {}, []
    for name, parameter in declared.items():
        text = given.get(name, parameter.default)
        try:
            values[name] = _parse(parameter, text, currency)
        except ValueError as error:
            faults.append(f"parameter {name} of {report.name}: {error}")
    if faults:
        raise UsageError("; ".join(faults) + ".")
    return values


def _parse(parameter: Parameter, text: Any, currency: str) -> Any:
    value = _PARSERS[parameter.type](text, currency) if isinstance(text, str) else text
    if value is not None and parameter.choices is not None and value not in parameter.choices:
        allowed = ", ".join(map(str, parameter.choices))
        raise ValueError(f"{text!r} is not one of {allowed}")
    return value


def _whole(text: str, _: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number") from None


def _number(text: str, _: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if value - value != 0:  # infinity and NaN
        raise ValueError(f"{text!r} is not a finite number")
    return value


def _boolean(text: str, _: str) -> bool:
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    try:
        return known[text.lower()]
    except KeyError:
        raise ValueError(f"{text!r} is not true or false") from None


def _day(text: str, _: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a day such as 2026-03-31") from None


def _instant(text: str, _: str) -> datetime:
    try:
        return AsOf.parse(text, "UTC").instant.replace(tzinfo=None)
    except ValueError:
        raise ValueError(f"{text!r} is not an instant such as 2026-03-31T12:00:00Z") from None


_PARSERS: dict[FieldType, Callable[[str, str], Any]] = {
    FieldType.TEXT: lambda text, _: text,
    FieldType.INTEGER: _whole,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _day,
    FieldType.INSTANT: _instant,
    FieldType.MONEY: lambda text, currency: Money.parse(text, currency).minor,
    FieldType.LIST: lambda text, _: [part.strip() for part in text.split(",")],
}
