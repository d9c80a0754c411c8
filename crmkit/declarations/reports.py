"""Reports with their parameters, columns, charts and headline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen
from attrs.validators import in_

from ..entities.field_types import FieldType
from .names import texts


def _report_columns(values: Iterable[ReportColumn]) -> tuple[ReportColumn, ...]:
    return tuple(values)


def _parameters(values: Iterable[Parameter]) -> tuple[Parameter, ...]:
    return tuple(values)


def _charts(values: Iterable[Chart]) -> tuple[Chart, ...]:
    return tuple(values)


@frozen(kw_only=True)
class Parameter:
    """A parameter of a report, ``$name`` in its SQL, or of a command: ``--name`` or an argument.

    Text given by the user is parsed by ``type``.

    Args:
        default: the value where none is given.
        title: what it means, in a few words; the help of a command's option.
        choices: the only values allowed; None allows all.
        required: of a command: must be given.
        positional: of a command: an argument and no option, in the order of declaration.
        multiple: of a command: may be given several times; the value is a tuple.
        day_ends: of an instant of a command: a day alone means its end, as for a deadline, and not
            its beginning.
    """

    name: str
    type: FieldType
    default: Any = None
    title: str = ""
    title_zh: str = ""
    unit: str | None = None
    choices: tuple[Any, ...] | None = None
    required: bool = False
    positional: bool = False
    multiple: bool = False
    day_ends: bool = False


@frozen(kw_only=True)
class ReportColumn:
    """One column of a report.

    ``currency_minor`` marks an integer in minor units of the workspace's currency: it is shown as
    money under the name without ``_minor``. A column named ``customer_id`` is presented as ``ref``
    and, where the policy allows, ``name`` (D17). ``detail`` marks a column that a terminal too narrow
    for all leaves out first.
    """

    name: str
    type: FieldType
    unit: str | None = None
    title: str = ""
    title_zh: str = ""
    currency_minor: bool = False
    detail: bool = False

    @property
    def shown_name(self) -> str:
        """The name under which people see it: money without ``_minor``."""
        return self.name.removesuffix("_minor") if self.currency_minor else self.name


CHARTS = ("bar", "line", "step", "area", "point", "heat")


@frozen(kw_only=True)
class Chart:
    """A picture of a report: column names for x, y and colour.

    Args:
        kind: ``bar`` (x is a category, y a number), ``line``, ``step`` and ``area`` (y is a number),
            ``point``, or ``heat`` (x and y are categories, ``color`` a number).
        color: column that tells groups apart; None draws one.
        x_title: of the axis where the column's own title says too little, as ``Value``.
        horizontal: bars lie, with the categories one below the other.
        where: only rows with these values, by column name; a list allows several.
    """

    kind: str = field(validator=in_(CHARTS))
    x: str
    y: str
    color: str | None = None
    title: str = ""
    title_zh: str = ""
    x_title: str = ""
    x_title_zh: str = ""
    horizontal: bool = False
    where: Mapping[str, Any] = field(factory=dict, hash=False)


@frozen(kw_only=True)
class Headline:
    """The one figure that stands for a report on an index page, under its column's title.

    Args:
        column: whose value it is.
        where: which row, by column name; empty is the first row.
        total: the sum over those rows, not the first of them.
    """

    column: str
    where: Mapping[str, Any] = field(factory=dict, hash=False)
    total: bool = False


@frozen(kw_only=True)
class Report:
    """A question with an answer in rows, asked at one as-of date.

    Args:
        name: ``telecom.churn-survival``.
        sql: report SQL.
        columns: every column that the SQL returns, in order.
        key: columns that identify a row and order the result (D18).
        order: columns to order by before the key, ``-name`` for descending.
        scores: scores that must have been run at the as-of date; the runner runs them if trained.
        headline: the figure for an index page; None is the number of rows.
        method, source, notes: how it is computed, where the method comes from, what to beware of.
    """

    name: str
    title: str
    title_zh: str = ""
    sql: str = field(repr=False)
    columns: tuple[ReportColumn, ...] = field(converter=_report_columns)
    key: tuple[str, ...] = field(converter=texts)
    order: tuple[str, ...] = field(default=(), converter=texts)
    parameters: tuple[Parameter, ...] = field(default=(), converter=_parameters)
    charts: tuple[Chart, ...] = field(default=(), converter=_charts)
    scores: tuple[str, ...] = field(default=(), converter=texts)
    headline: Headline | None = None
    method: str = ""
    source: str = ""
    notes: str = ""
