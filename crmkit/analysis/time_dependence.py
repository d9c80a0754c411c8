"""Whether a value can change by time passing alone, told from the SQL that computes it.

An incremental run looks at the subjects whose rows have changed. For all others it keeps the answer
of the run before, which is right only if the answer cannot have changed by itself. What a statement
can see of time is little: ``days_before`` and ``as_of_on``, which change once a local day, and
``as_of``, which changes with every run (design D4: an author never writes a date, and the lint
refuses ``now()``). A declared window drops what becomes too old, once a day too. Rows that were
written beforehand and become visible later are not told here: they belong to changed subjects
(:mod:`crmkit.warehouse.changes`).
"""

from __future__ import annotations

import enum
from functools import lru_cache

import sqlglot
from sqlglot import exp

from ..declarations import FeatureSet
from ..errors import SqlRefused
from ..warehouse.portable import DIALECT


class TimeDependence(enum.IntEnum):
    """How often a value may change without a change of data."""

    NEVER = 0
    DAILY = 1  # when the local day of the as-of changes
    ALWAYS = 2  # with every other as-of


DAILY_COLUMNS = frozenset({"days_before", "as_of_on"})
# Where the as-of is only handed through it is the key of a row; anywhere else it is computed with.
_KEPT_BY = (exp.Select, exp.Group, exp.Ordered)


def of_features(found: FeatureSet) -> TimeDependence:
    """How often the features of a set may change without a change of data.

    Raises:
        SqlRefused: if its SQL cannot be read.
    """
    told = of_sql(found.sql)
    if found.window_days is not None:
        return max(told, TimeDependence.DAILY)
    return told


@lru_cache(maxsize=512)
def of_sql(sql: str) -> TimeDependence:
    """The same of a statement or a condition.

    Raises:
        SqlRefused: if it cannot be read.
    """
    try:
        tree = sqlglot.parse_one(sql, read=DIALECT)
    except sqlglot.errors.SqlglotError as error:
        raise SqlRefused(f"{sql!r:.60} cannot be read as SQL.") from error
    if any(table.name.lower() == "outcome" for table in tree.find_all(exp.Table)):
        return TimeDependence.ALWAYS  # a later run of a score stands beside the data
    told = TimeDependence.NEVER
    for column in tree.find_all(exp.Column):
        name = column.name.lower()
        if name == "as_of" and not _is_key(column):
            return TimeDependence.ALWAYS
        if name in DAILY_COLUMNS:
            told = TimeDependence.DAILY
    return told


def tables_of(sql: str) -> frozenset[str]:
    """Names of the tables that a statement reads, in small letters."""
    tree = sqlglot.parse_one(sql, read=DIALECT)
    return frozenset(table.name.lower() for table in tree.find_all(exp.Table))


def _is_key(column: exp.Column) -> bool:
    """Whether this mention of ``as_of`` hands it through: selected, grouped by or joined on."""
    parent = column.parent
    if isinstance(parent, exp.Window):
        return any(column is one for one in parent.args.get("partition_by") or ())
    if isinstance(parent, exp.EQ):
        other = parent.right if parent.left is column else parent.left
        return isinstance(other, exp.Column) and other.name.lower() == "as_of"
    return isinstance(parent, _KEPT_BY)
