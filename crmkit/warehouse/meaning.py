"""What engines read alike and mean differently: refused with another way to write it.

Each rule below stands for a difference that was seen between DuckDB 2.0 and Spark 4.3 on the same
rows, where one gave another value without a word, or failed. They look at the text alone: of a column
nothing is known but that dates end in ``_on`` and instants in ``_at``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sqlglot import exp

_WHOLE = (exp.DType.BIGINT, exp.DType.INT)
# Functions whose answer is a fraction whatever they are given.
_FRACTIONS = (
    exp.Div, exp.Avg, exp.Exp, exp.Ln, exp.Sqrt, exp.Pow, exp.Stddev, exp.StddevSamp, exp.StddevPop,
    exp.Variance, exp.VariancePop, exp.CovarSamp, exp.CovarPop, exp.PercentRank, exp.CumeDist,
)  # fmt: skip
# Functions and operators whose answer is a fraction if one of their parts is.
_PASSING = (
    exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Mod, exp.Abs, exp.Sum, exp.Min, exp.Max, exp.Greatest,
    exp.Least, exp.Coalesce, exp.Nullif, exp.Paren, exp.Window, exp.Filter, exp.Lag, exp.Lead,
    exp.FirstValue, exp.LastValue, exp.IgnoreNulls,
)  # fmt: skip


def meaning_faults(tree: exp.Expr) -> Iterator[str]:
    """One sentence for each part that engines would answer differently."""
    for node in tree.walk():
        check = _CHECKS.get(type(node))
        if check is not None:
            yield from check(node)


def is_date(node: exp.Expr) -> bool:
    """Whether an expression is visibly a date: by its cast, its function or a name in ``_on``."""
    node = node.unnest()
    if isinstance(node, exp.Column):
        return node.name.lower().endswith("_on")
    if isinstance(node, (exp.Add, exp.Sub)):
        return is_date(node.this) and not is_date(node.expression)
    if isinstance(node, (exp.Min, exp.Max, exp.Coalesce)):
        return is_date(node.this)
    return isinstance(node, exp.DateFromParts) or (
        isinstance(node, exp.Cast) and node.is_type("date")
    )


def is_instant(node: exp.Expr) -> bool:
    """Whether an expression is visibly an instant."""
    node = node.unnest()
    if isinstance(node, exp.Column):
        name = node.name.lower()
        return name in ("at", "as_of", "valid_from") or name.endswith("_at")
    return isinstance(node, exp.Cast) and node.is_type("timestamp", exp.DType.TIMESTAMPNTZ)


def is_fraction(node: exp.Expr) -> bool:
    """Whether an expression is visibly a number with a fraction."""
    if isinstance(node, exp.Literal):
        return not node.is_string and not node.this.isdigit()
    if isinstance(node, exp.Cast):
        return node.is_type("double", "decimal", "float")
    if isinstance(node, exp.Case):
        results = [branch.args["true"] for branch in node.args["ifs"]]
        return any(is_fraction(r) for r in (*results, node.args.get("default")) if r is not None)
    if isinstance(node, _PASSING):
        parts = [node.this, node.args.get("expression"), *node.expressions]
        return any(is_fraction(part) for part in parts if isinstance(part, exp.Expr))
    return isinstance(node, _FRACTIONS)


def may_be_zero(node: exp.Expr) -> bool:
    """Whether nothing in an expression says that it is not zero."""
    node = node.unnest()
    if _is_positive(node):
        return False
    if isinstance(node, (exp.Cast, exp.Neg, exp.Abs)):
        return may_be_zero(node.this)
    if isinstance(node, (exp.Mul, exp.Div)):
        return may_be_zero(node.this) or may_be_zero(node.expression)
    if isinstance(node, exp.Coalesce):
        return any(may_be_zero(part) for part in (node.this, *node.expressions))
    return not (isinstance(node, exp.Nullif) and _number(node.expression) == 0)


def _is_positive(node: exp.Expr) -> bool:
    node = node.unnest()
    if isinstance(node, exp.Exp):
        return True
    if isinstance(node, exp.Add):
        parts = (node.this, node.expression)
        return any(map(_is_positive, parts)) and not any(map(_may_be_negative, parts))
    if isinstance(node, exp.Greatest):
        return any(_is_positive(part) for part in (node.this, *node.expressions))
    if isinstance(node, exp.Window) and node.args.get("spec") is None:
        # A row is in its own partition.
        return isinstance(node.this, exp.Count) and isinstance(node.this.this, exp.Star)
    number = _number(node)
    return number is not None and number > 0


def _may_be_negative(node: exp.Expr) -> bool:
    node = node.unnest()
    return not (
        _is_positive(node) or isinstance(node, (exp.Count, exp.Abs, exp.Sqrt)) or _number(node) == 0
    )


def _number(node: exp.Expr | None) -> float | None:
    if isinstance(node, exp.Literal) and not node.is_string:
        return float(node.this)
    return None


# --- the checks -----------------------------------------------------------------------------------


def _whole_division(node: exp.Expr) -> Iterator[str]:
    if is_fraction(node.this) or is_fraction(node.expression):
        yield "// divides whole numbers only: engines differ on fractions; write floor(x / y)"


def _cast(node: exp.Expr) -> Iterator[str]:
    if not is_fraction(node.this):
        return
    if node.is_type(*_WHOLE):
        yield (
            "a fraction cast to a whole number is rounded by one engine and cut by another; "
            "write CAST(floor(x) AS BIGINT), or ceil or round"
        )
    elif node.is_type("varchar", "text"):
        yield (
            "engines write fractions differently; return the number, "
            "or CAST(CAST(floor(x) AS BIGINT) AS VARCHAR)"
        )


def _round(node: exp.Expr) -> Iterator[str]:
    digits = node.args.get("decimals")
    if digits is not None and _number(digits) != 0:
        yield (
            "round(x, n) rounds halves differently on engines; return x and let the column's unit "
            "say how it is shown"
        )


def _substring(node: exp.Expr) -> Iterator[str]:
    start = _number(node.args.get("start"))
    if start is None or start < 1:
        yield "substring starts at a whole number from 1: engines differ on 0 and less"


def _difference(node: exp.Expr) -> Iterator[str]:
    if is_date(node.this) and is_date(node.expression):
        yield "a date less a date is no number on every engine; write date_diff('day', from, to)"
    yield from _instants(node)


def _instants(node: exp.Expr) -> Iterator[str]:
    if is_instant(node.this) or is_instant(node.expression):
        yield "arithmetic on instants is not portable; count days with date_diff('day', ...)"


def _contains(node: exp.Expr) -> Iterator[str]:
    if isinstance(node.expression, exp.Null):
        yield "list_contains(list, NULL) is missing on one engine and fails on another"


def _several(node: exp.Expr) -> Iterator[str]:
    if node.args.get("count") is not None or node.expressions:
        yield f"{node.key} of the n best is not portable; use row_number"


_CHECKS: Mapping[type[exp.Expr], Callable[[exp.Expr], Iterator[str]]] = {
    exp.IntDiv: _whole_division,
    exp.Cast: _cast,
    exp.Round: _round,
    exp.Substring: _substring,
    exp.Sub: _difference,
    exp.Add: _instants,
    exp.ArrayContains: _contains,
    exp.Max: _several,
    exp.Min: _several,
    exp.ArgMax: _several,
    exp.ArgMin: _several,
}
