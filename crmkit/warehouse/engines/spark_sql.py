"""Analysis SQL in the words of Spark 4: sqlglot's translation, and what it leaves different.

Each rewriting below stands for a difference that was seen between DuckDB 2.0 and Spark 4.3 on the
same rows (design D18). What cannot be rewritten without knowing types, the lint refuses:
:mod:`crmkit.warehouse.meaning`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.generators.spark import SparkGenerator

from ..meaning import is_date, may_be_zero
from ..portable import DIALECT
from ..scopes import CATALOG

# How many seconds the periods have that `date_diff` counts, besides days.
SECONDS = {"hour": 3600, "minute": 60, "second": 1}
# A character that no pattern holds: LIKE has no escape in DuckDB, and the backslash in Spark.
NO_ESCAPE = "\x01"


class _Generator(SparkGenerator):
    # Spark 4 knows QUALIFY; sqlglot would write a subquery, with a column too many after `b.*`.
    TRANSFORMS = {  # noqa: RUF012 - the name and kind that sqlglot reads
        kind: made for kind, made in SparkGenerator.TRANSFORMS.items() if kind is not exp.Select
    }


class CrmkitSpark(Spark):
    """sqlglot's Spark, with what Spark 4 can do by itself left as it was written."""

    Generator = _Generator


@lru_cache(maxsize=1024)
def spark_sql(sql: str) -> str:
    """A SELECT of DuckDB's dialect as Spark's, with ``:name`` for ``$name``.

    Args:
        sql: within the portable subset, or made by crmkit itself.
    """
    tree = sqlglot.parse_one(sql, read=DIALECT)
    # From the leaves up, so that what is put around a part finds that part done.
    for node in reversed(list(tree.walk())):
        rewrite = _REWRITES.get(type(node))
        if rewrite is not None:
            node.replace(rewrite(node))
    return tree.sql(dialect=CrmkitSpark, pretty=True)


def spark_values(sql: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Spark's text and the values to bind to it; no value is ever put into the text.

    Days and instants are bound as text under a cast: the driver would read a Python instant in the
    time zone of the machine.
    """
    text, values = sql, dict(parameters)
    for name, value in parameters.items():
        if isinstance(value, (datetime, date)):
            kind = "TIMESTAMP" if isinstance(value, datetime) else "DATE"
            text = _cast_parameter(text, name, kind)
            values[name] = value.isoformat(" ") if isinstance(value, datetime) else str(value)
    return spark_sql(text), values


def _cast_parameter(sql: str, name: str, kind: str) -> str:
    tree = sqlglot.parse_one(sql, read=DIALECT)
    for node in list(tree.find_all(exp.Placeholder)):
        if node.name == name:
            node.replace(exp.cast(node.copy(), kind))
    return tree.sql(dialect=DIALECT)


def _double(node: exp.Expr) -> exp.Expr:
    return exp.cast(node.copy(), exp.DType.DOUBLE)


def _division(node: exp.Expr) -> exp.Expr:
    # DuckDB divides as floats; Spark keeps six digits of a quotient of decimals, as in x / 30.4.
    above, below = _double(node.this), _double(node.expression)
    quotient = exp.Div(this=above, expression=below)
    if not may_be_zero(node.expression):
        return quotient
    # By zero it is infinite, or no number where zero is divided; Spark stops.
    zero = exp.EQ(this=below.copy(), expression=exp.Literal.number(0))
    endless = exp.Mul(this=above.copy(), expression=_text_double("Infinity"))
    return exp.Case(ifs=[exp.If(this=zero, true=endless)], default=quotient)


def _mean(node: exp.Expr) -> exp.Expr:
    # The same with the mean of decimals.
    if isinstance(node.this, exp.Distinct):
        return node
    return exp.Avg(this=_double(node.this))


def _date_diff(node: exp.Expr) -> exp.Expr:
    # DATEDIFF(DAY, ...) counts whole 24 hours; without a unit it counts midnights, as DuckDB does.
    seconds = SECONDS.get(node.args["unit"].name.lower())
    if seconds is not None:
        return exp.Paren(
            this=exp.Sub(
                this=_periods(node.this, seconds), expression=_periods(node.expression, seconds)
            )
        )
    return exp.Anonymous(this="DATEDIFF", expressions=[node.this.copy(), node.expression.copy()])


def _periods(instant: exp.Expr, seconds: int) -> exp.Expr:
    """Whole periods since 1970: hours begin on the hour, and their beginnings are what is counted."""
    since = exp.Anonymous(
        this="UNIX_SECONDS", expressions=[exp.cast(instant.copy(), exp.DType.TIMESTAMPLTZ)]
    )
    return exp.IntDiv(this=since, expression=exp.Literal.number(seconds))


def _best(node: exp.Expr) -> exp.Expr:
    # DuckDB passes over rows whose answer is missing; Spark answers with the missing value.
    found = node.copy()
    known = exp.Not(this=exp.Is(this=node.this.copy(), expression=exp.null()))
    found.set("expression", exp.Case(ifs=[exp.If(this=known, true=node.expression.copy())]))
    return found


def _count_if(node: exp.Expr) -> exp.Expr:
    # Where no row has a known answer, DuckDB's count is missing and Spark's is 0.
    one, none = (exp.Literal.number(n) for n in (1, 0))
    ifs = [exp.If(this=node.this.copy(), true=one)]
    ifs.append(exp.If(this=exp.not_(node.this.copy()), true=none))
    return exp.Sum(this=exp.Case(ifs=ifs))


def _pattern(node: exp.Expr) -> exp.Expr:
    if isinstance(node.parent, exp.Escape):
        return node
    return exp.Escape(this=node.copy(), expression=exp.Literal.string(NO_ESCAPE))


def _logarithm(node: exp.Expr) -> exp.Expr:
    # Of nothing it is minus infinity and of less NaN; Spark gives NULL for both.
    x, zero = node.this, exp.Literal.number(0)
    ifs = [
        exp.If(this=exp.GT(this=x.copy(), expression=zero.copy()), true=node.copy()),
        exp.If(this=exp.EQ(this=x.copy(), expression=zero.copy()), true=_text_double("-Infinity")),
        exp.If(this=exp.LT(this=x.copy(), expression=zero.copy()), true=_text_double("NaN")),
    ]
    return exp.Case(ifs=ifs)


def _contains(node: exp.Expr) -> exp.Expr:
    # A list with a missing part holds what it holds; Spark says missing where it is not found.
    known = [
        exp.Not(this=exp.Is(this=p.copy(), expression=exp.null()))
        for p in (node.this, node.expression)
    ]
    absent = exp.Case(ifs=[exp.If(this=exp.and_(*known), true=exp.false())])
    return exp.Coalesce(this=node.copy(), expressions=[absent])


def _text_double(text: str) -> exp.Expr:
    return exp.cast(exp.Literal.string(text), exp.DType.DOUBLE)


def _shifted_date(node: exp.Expr) -> exp.Expr:
    # Spark adds days to a date only as a 32-bit integer.
    if not is_date(node.this) or is_date(node.expression):
        return node
    days = exp.cast(node.expression.copy(), exp.DType.INT)
    return type(node)(this=node.this.copy(), expression=exp.Paren(this=days))


def _table(node: exp.Expr) -> exp.Expr:
    # A temporary view of Spark has a name alone.
    if node.args.get("catalog") is None or node.text("catalog") != CATALOG:
        return node
    alone = node.copy()
    alone.set("db", None)
    alone.set("catalog", None)
    return alone


_REWRITES: Mapping[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Div: _division,
    exp.Avg: _mean,
    exp.DateDiff: _date_diff,
    exp.ArgMax: _best,
    exp.ArgMin: _best,
    exp.CountIf: _count_if,
    exp.ArrayContains: _contains,
    exp.Like: _pattern,
    exp.ILike: _pattern,
    exp.Ln: _logarithm,
    exp.Add: _shifted_date,
    exp.Sub: _shifted_date,
    exp.Table: _table,
}
