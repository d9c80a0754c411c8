"""The portable subset of analysis SQL: what may be written, checked on the parsed tree.

SQL that plugins or users hand in is one SELECT in DuckDB's dialect that any engine can run with
equal rows (design section 7, D18). The lists below are the contract; the page
``docs/reference/analysis-sql.md`` shows them and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import sqlglot
from attrs import field, frozen
from sqlglot import exp

from ..errors import SqlRefused, did_you_mean
from .meaning import meaning_faults
from .scopes import Names

DIALECT = "duckdb"

# Prefix of the unfiltered tables behind the visible ones; SQL that is handed in cannot name them.
BASE = "base_"

AGGREGATES = frozenset(
    "count count_if sum avg min max arg_max arg_min bit_and bit_or bool_and bool_or stddev_samp "
    "stddev_pop var_samp var_pop covar_samp covar_pop".split()
)
RANKINGS = frozenset(
    "row_number rank dense_rank ntile percent_rank cume_dist lag lead first_value last_value".split()
)
SCALARS = frozenset(
    "abs ceil exp floor greatest if ifnull coalesce least ln lower length mod nullif power "
    "replace round sign sqrt starts_with substring trim upper list_contains".split()
)
DATES = frozenset("date_diff date_trunc day month quarter year make_date".split())
FUNCTIONS = AGGREGATES | RANKINGS | SCALARS | DATES

TYPES = frozenset("bigint integer double varchar boolean date timestamp decimal".split())

# Beginnings of hours, minutes and seconds are counted alike everywhere; months are not.
DIFFERENCES = ("day", "hour", "minute", "second")
TRUNCATIONS = ("day", "week", "month", "quarter", "year")

# Where sqlglot's class goes by other names than DuckDB's function.
_NAMES: dict[type[exp.Expr], str] = {
    exp.TimestampTrunc: "date_trunc",
    exp.DateTrunc: "date_trunc",
    exp.ArrayContains: "list_contains",
    exp.DateFromParts: "make_date",
    exp.BitwiseAndAgg: "bit_and",
    exp.BitwiseOrAgg: "bit_or",
    exp.LogicalAnd: "bool_and",
    exp.LogicalOr: "bool_or",
    exp.Stddev: "stddev_samp",
    exp.Variance: "var_samp",
    exp.VariancePop: "var_pop",
    exp.CovarSamp: "covar_samp",
    exp.CovarPop: "covar_pop",
    exp.Pow: "power",
    exp.CountIf: "count_if",
}
# Syntax that sqlglot models as functions.
_SYNTAX = (exp.Case, exp.Cast, exp.And, exp.Or, exp.Xor, exp.Exists, exp.Not)
_NO_REASON = "not in the portable list"
_WHY: dict[str, str] = {
    "now": "an as-of date decides what is visible; filter on days_before",
    "current_date": "an as-of date decides what is visible; filter on days_before",
    "current_timestamp": "an as-of date decides what is visible; filter on days_before",
    "today": "an as-of date decides what is visible; filter on days_before",
    "epoch": "engines count epochs differently; use date_diff('day', ...)",
    "median": "quantiles are taken by rank: use ntile or row_number",
    "quantile_cont": "quantiles are taken by rank: use ntile or row_number",
    "quantile": "quantiles are taken by rank: use ntile or row_number",
    "quantile_disc": "quantiles are taken by rank: use ntile or row_number",
    "percentile_disc": "quantiles are taken by rank: use ntile or row_number",
    "percentile_cont": "quantiles are taken by rank: use ntile or row_number",
    "concat": "engines treat missing parts differently; write a || b",
    "extract": "write year(d), quarter(d), month(d) or day(d)",
    "date_part": "write year(d), quarter(d), month(d) or day(d)",
    "time_to_unix": "engines count epochs differently; use date_diff('day', ...)",
    "generate_series": "table functions are not portable; use VALUES or distinct values of a table",
    "log": "its base differs between engines; use ln",
    "random": "the same question must give the same rows",
    "any_value": "it may answer differently each time; use min or max",
    "first": "it may answer differently each time; use min, max or arg_min",
    "corr": "engines differ where one side is constant; write "
    "covar_samp(x, y) / nullif(stddev_samp(x) * stddev_samp(y), 0)",
    "date_sub": "count days with date_diff('day', ...)",
}  # fmt: skip
_SHAPES: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.Interval, "INTERVAL arithmetic is not portable; count days with date_diff('day', ...)"),
    (exp.JSONExtract, "JSON operators are not portable; payload fields are columns"),
    (exp.JSONExtractScalar, "JSON operators are not portable; payload fields are columns"),
    (exp.Pivot, "PIVOT is not portable; use count(*) FILTER (WHERE ...)"),
    (exp.TableSample, "TABLESAMPLE gives other rows each time"),
    (exp.Bracket, "subscripts are not portable"),
    (exp.Array, "list literals are not portable"),
    (exp.Struct, "struct literals are not portable"),
    (exp.Lambda, "lambdas are not portable"),
    (exp.Lateral, "LATERAL is not portable"),
    (exp.Unnest, "UNNEST is not portable"),
    (exp.Into, "SELECT INTO writes"),
    (exp.RegexpLike, "regular expressions differ between engines; use LIKE or starts_with"),
    (exp.SimilarTo, "regular expressions differ between engines; use LIKE or starts_with"),
    (exp.Glob, "GLOB is not portable; use LIKE"),
    (exp.Columns, "COLUMNS() is not portable; name the columns"),
    (exp.PositionalColumn, "columns by place (#1) are not portable; name the columns"),
    (exp.AtTimeZone, "tables carry UTC instants and local dates; use the *_on columns"),
    (exp.HistoricalData, "AT (...) is not portable; an as-of date decides what is visible"),
    (exp.MatchRecognize, "MATCH_RECOGNIZE is not portable; use window functions"),
    (exp.Command, "one SELECT is allowed, and no command inside it"),
    (exp.Describe, "DESCRIBE is no SELECT; docs/reference/analysis-sql.md lists the columns"),
    (exp.Summarize, "SUMMARIZE is not portable; write the aggregates"),
    (exp.Show, "SHOW is no SELECT"),
)
# sqlglot follows brackets by calling itself; what people and programs write stays below 20.
_TOO_DEEP = (
    "the SQL is nested too deeply: some 40 brackets within each other can be read; "
    "name inner parts in WITH"
)


@frozen
class Statement:
    """SQL that passed the check.

    Attributes:
        sql: what an engine runs: the text as it was understood, in which every common table
            expression has a name of ours and every other table is a qualified one
            (see :mod:`crmkit.warehouse.scopes`).
        tables: names in FROM that are not common table expressions, in lower case.
        columns: every column name that is mentioned, in lower case.
        parameters: names written ``$name``.
    """

    sql: str = field(repr=False)
    tables: frozenset[str]
    columns: frozenset[str]
    parameters: frozenset[str]


def check_sql(
    sql: str,
    *,
    tables: Collection[str] | None = None,
    parameters: Collection[str] | None = None,
) -> Statement:
    """The statement, if it is one SELECT within the portable subset.

    Args:
        sql: DuckDB dialect; CTEs and set operations are allowed.
        tables: the tables that may be read; None leaves names unchecked (a plugin's text before
            its workspace is known).
        parameters: the ``$names`` that will be given; None leaves them unchecked.

    Raises:
        SqlRefused: naming every fault: function, table, type or syntax, and what is allowed.
    """
    read = _read(sql)
    faults = list(read.faults)
    faults += [_qualified(*told, tables or ()) for told in read.qualified]
    if tables is not None:
        faults += [_unknown_table(name, tables) for name in sorted(read.tables - set(tables))]
    if parameters is not None:
        unknown = sorted(read.parameters - set(parameters))
        faults += [_unknown_parameter(name, parameters) for name in unknown]
    if faults:
        raise refused(faults)
    return Statement(read.sql, read.tables, read.columns, read.parameters)


@frozen
class _Read:
    """What a text says by itself, whatever tables and parameters there are."""

    sql: str = field(repr=False)
    tables: frozenset[str]
    columns: frozenset[str]
    parameters: frozenset[str]
    qualified: tuple[tuple[str, str], ...]
    faults: tuple[str, ...]


# One run asks the same few texts again and again (each date, each score, each report), and reading
# one takes ten milliseconds and more.
@lru_cache(maxsize=1024)
def _read(sql: str) -> _Read:
    with _shallow():
        tree = parsed(sql)
        faults = [*_faults(tree)]
        columns = _columns(tree)
        named = frozenset(p.name for p in tree.find_all(exp.Placeholder) if p.name)
        names = Names(prefix=f"{BASE}with_")
        names.settle(tree)
        # Quoted, a name is never taken for a keyword or a function without brackets.
        text = tree.sql(DIALECT, identify=True, comments=False)
    return _Read(
        sql=text,
        tables=frozenset(names.tables),
        columns=columns,
        parameters=named,
        qualified=tuple(names.qualified.items()),
        faults=(*faults, *names.faults),
    )


@contextmanager
def _shallow() -> Iterator[None]:
    """Texts that no reader could follow to their inmost part, told as such."""
    try:
        yield
    except RecursionError:
        raise refused([_TOO_DEEP]) from None


def check_condition(text: str) -> frozenset[str]:
    """The column names in a condition, if it is one boolean expression of the portable subset.

    Raises:
        SqlRefused: naming every fault. A subquery is a fault: conditions look at one row.
    """
    with _shallow():
        return _condition_columns(text)


def _condition_columns(text: str) -> frozenset[str]:
    try:
        trees = sqlglot.parse(f"SELECT 1 WHERE (\n{text}\n)", read=DIALECT)
    except sqlglot.errors.SqlglotError as error:
        raise refused(
            [f"condition {_short(text)} cannot be parsed: {_first_line(error)}"]
        ) from error
    tree = trees[0] if len(trees) == 1 else None
    where = tree.args.get("where") if isinstance(tree, exp.Select) else None
    if tree is None or where is None or not isinstance(where.this, exp.Paren):
        raise refused([f"condition {_short(text)} is not one expression"])
    faults = [*_faults(tree)]
    if any(True for _ in where.this.find_all(exp.Query)):
        faults.append("a condition looks at one row: it may hold no SELECT")
    if faults:
        raise refused(faults)
    return _columns(where.this)


def _short(text: str) -> str:
    return repr(text if len(text) <= 200 else f"{text[:200]}...")


def refused(faults: Iterable[str]) -> SqlRefused:
    """The error for a list of faults, each once, in the order found."""
    told = list(dict.fromkeys(faults))
    if any(_NO_REASON in fault for fault in told):
        told.append(f"functions allowed: {listed_functions()}")
    return SqlRefused("; ".join(told) + ".", hint="See docs/reference/analysis-sql.md.")


def parsed(sql: str) -> exp.Query:
    """The tree of one SELECT.

    Raises:
        SqlRefused: if the text cannot be parsed or is anything else.
    """
    try:
        trees = [tree for tree in sqlglot.parse(sql, read=DIALECT) if tree is not None]
    except sqlglot.errors.SqlglotError as error:
        raise refused([f"the SQL cannot be parsed: {_first_line(error)}"]) from error
    if len(trees) != 1:
        raise refused([f"one SELECT is allowed, {len(trees)} statements were given"])
    tree = trees[0]
    if not isinstance(tree, exp.Query):
        raise refused([f"one SELECT is allowed, not {tree.key.upper()}"])
    return tree


def _first_line(error: Exception) -> str:
    # sqlglot underlines the place with terminal escapes, which do not belong in a message.
    details = getattr(error, "errors", None)
    if details:
        first = details[0]
        return f"{first['description']} (line {first['line']}, near {first['highlight']!r})"
    return str(error).splitlines()[0]


def _faults(tree: exp.Expr) -> Iterator[str]:
    yield from _shape_faults(tree)
    yield from _function_faults(tree)
    yield from _window_faults(tree)
    yield from meaning_faults(tree)


def _shape_faults(tree: exp.Expr) -> Iterator[str]:
    for node in tree.walk():
        for kind, fault in _SHAPES:
            if isinstance(node, kind):
                yield fault
        if isinstance(node, exp.Cast):
            yield from _cast_faults(node)
        elif isinstance(node, exp.Distinct) and node.args.get("on"):
            yield "DISTINCT ON is not portable; use row_number() in a subquery"
        elif isinstance(node, exp.Star) and (node.args.get("except_") or node.args.get("replace")):
            yield "* EXCLUDE and * REPLACE are not portable; name the columns"
        elif isinstance(node, exp.Join) and node.method:
            yield f"{node.method.upper()} JOIN is not portable"
        elif isinstance(node, exp.CTE) and node.alias_or_name.lower().startswith(BASE):
            yield f"names that begin with {BASE} are crmkit's own: rename {node.alias_or_name}"
        elif isinstance(node, exp.SetOperation) and node.args.get("by_name"):
            yield "BY NAME is not portable; name the columns in one order"
        elif isinstance(node, exp.LimitOptions) and node.args.get("percent"):
            yield "LIMIT n% is not portable; take a share with ntile or row_number"
        elif isinstance(node, exp.With) and node.args.get("recursive"):
            yield "WITH RECURSIVE is not portable"
        elif isinstance(node, exp.Placeholder) and node.name in ("", "?"):
            yield "parameters are written $name, not ?"
        elif isinstance(node, (exp.DML, exp.DDL)) and not isinstance(node, exp.Query):
            yield f"{node.key.upper()} writes"


def _cast_faults(node: exp.Cast) -> Iterator[str]:
    target = node.to.this
    name = target.value.lower() if isinstance(target, exp.DataType.Type) else str(target).lower()
    name = {"int": "integer", "text": "varchar", "timestampntz": "timestamp"}.get(name, name)
    if name not in TYPES:
        yield f"a cast to {name.upper()} is not allowed; allowed: {', '.join(sorted(TYPES))}"
    elif isinstance(node, exp.TryCast) and name != "double":
        yield f"TRY_CAST to {name.upper()} reads text differently on engines; TRY_CAST to DOUBLE"


def _function_faults(tree: exp.Expr) -> Iterator[str]:
    shapes = tuple(kind for kind, _ in _SHAPES)
    for node in tree.find_all(exp.Func):
        if isinstance(node, (*_SYNTAX, *shapes)):
            continue
        name = _function_name(node)
        if name not in FUNCTIONS:
            yield _unknown_function(name)
        check = _SPECIAL.get(name)
        if check is not None:
            yield from check(node)


def _function_name(node: exp.Func) -> str:
    if isinstance(node, exp.Anonymous):
        return node.name.lower()
    known = _NAMES.get(type(node))
    if known:
        return known
    names = [name.lower() for name in type(node).sql_names()]
    return next((name for name in names if name in FUNCTIONS), names[0])


def _unknown_function(name: str) -> str:
    why = _WHY.get(name)
    if why is None:
        why = did_you_mean(name, FUNCTIONS, sentence=False) or _NO_REASON
    return f"function {name} is not allowed ({why})"


def listed_functions() -> str:
    """The allowed functions, in one line."""
    return ", ".join(sorted(FUNCTIONS))


def _date_diff_faults(node: exp.Expr) -> Iterator[str]:
    unit = node.args.get("unit")
    if unit is None or unit.name.lower() not in DIFFERENCES:
        given = unit.name.lower() if unit is not None else "nothing"
        yield (
            f"date_diff counts by {', '.join(DIFFERENCES)}, not {given!r}: by month engines "
            "silently differ"
        )


def _date_trunc_faults(node: exp.Expr) -> Iterator[str]:
    unit = node.args.get("unit")
    if unit is None or unit.name.lower() not in TRUNCATIONS:
        yield f"date_trunc goes to {', '.join(TRUNCATIONS)} only"
    if not (isinstance(node.parent, exp.Cast) and node.parent.is_type("date")):
        # DuckDB gives a date and Spark an instant, which prints and joins differently.
        yield "write CAST(date_trunc(...) AS DATE): engines give different types"


def _no_multiple_columns(node: exp.Expr) -> Iterator[str]:
    inner = node.this
    if isinstance(inner, exp.Distinct) and len(inner.expressions) > 1:
        yield "count(DISTINCT a, b) treats missing values differently; count a subquery's rows"


_SPECIAL: dict[str, Callable[[exp.Expr], Iterator[str]]] = {
    "date_diff": _date_diff_faults,
    "date_trunc": _date_trunc_faults,
    "count": _no_multiple_columns,
}


def _window_faults(tree: exp.Expr) -> Iterator[str]:
    windowed: set[int] = set()
    for window in tree.find_all(exp.Window):
        inner = window.this
        while isinstance(inner, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter)):
            inner = inner.this
        windowed.add(id(inner))
        name = _function_name(inner) if isinstance(inner, exp.Func) else ""
        ordered = window.args.get("order") is not None
        # Over a whole partition an aggregate is the same in any order; a rank or a frame is not.
        if not ordered and (name in RANKINGS or window.args.get("spec") is not None):
            yield f"{name}() OVER needs an ORDER BY on a unique key, or rows come out in any order"
    for node in tree.find_all(exp.Func):
        if id(node) not in windowed and _function_name(node) in RANKINGS:
            yield f"{_function_name(node)}() needs OVER (... ORDER BY ...)"


def _qualified(told: str, joined: str, tables: Collection[str]) -> str:
    cure = f"write {joined}" if joined in tables else "name the table alone"
    return f"table {told} is qualified; {cure}"


def _unknown_table(name: str, tables: Collection[str]) -> str:
    if name == "feature":
        return "table 'feature' has the features that the SQL names, and it names none"
    known = did_you_mean(name, tables, sentence=False) or f"known: {', '.join(sorted(tables))}"
    return f"there is no table {name!r} here ({known})"


def _unknown_parameter(name: str, parameters: Collection[str]) -> str:
    known = ", ".join(f"${p}" for p in sorted(parameters)) or "none"
    return f"parameter ${name} is not declared (declared: {known})"


def _columns(tree: exp.Expr) -> frozenset[str]:
    return frozenset(c.name.lower() for c in tree.find_all(exp.Column))
