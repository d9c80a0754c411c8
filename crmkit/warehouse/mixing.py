"""Amounts of different currencies are never added up (design D22).

An amount ``x_minor`` of a table is in the currency of its row. An aggregate over it is refused unless
its currency is there as well: in GROUP BY or PARTITION BY, in WHERE or FILTER, or in the condition of a
CASE around it. ``x_base_minor`` is in one currency only. What a common table expression or a subquery
makes of an amount is followed to where it is added up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from .portable import parsed

# Tables of values that were computed before, in the one currency of the analysis.
_COMPUTED = frozenset(("feature", "outcome", "activity_cost"))
# What adds amounts up or compares them.
_AGGREGATES = (
    exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Stddev, exp.StddevSamp, exp.StddevPop, exp.Variance,
    exp.VariancePop, exp.CovarSamp, exp.CovarPop,
)  # fmt: skip
# What has an amount in it and is none: a count, a question, a ratio of two.
_NO_AMOUNT = (
    exp.Count, exp.CountIf, exp.Predicate, exp.Connector, exp.Not, exp.Query, exp.Sign,
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.PercentRank, exp.CumeDist,
)  # fmt: skip

Outputs = Mapping[str, bool]


def mixing_faults(sql: str) -> list[str]:
    """One sentence for each aggregate that may add amounts of different currencies.

    Args:
        sql: one SELECT of the portable subset.

    Raises:
        SqlRefused: if it cannot be parsed.
    """
    known: dict[int, Outputs] = {}
    faults: list[str] = []
    for scope in traverse_scope(parsed(sql)):
        if isinstance(scope.expression, exp.SetOperation):
            known[id(scope.expression)] = _of_union(scope.expression, known)
        elif isinstance(scope.expression, exp.Select):
            select = _Select(scope, known)
            faults += select.faults()
            known[id(scope.expression)] = select.outputs()
    return list(dict.fromkeys(faults))


def _of_union(union: exp.SetOperation, known: Mapping[int, Outputs]) -> Outputs:
    """By the names of the first SELECT: whether any of them has an amount in that place."""
    parts = [known.get(id(part.unnest()), {}) for part in (union.this, union.expression)]
    names = list(parts[0]) if parts else []
    rows = [list(part.values()) for part in parts]
    return {
        name: any(row[place] for row in rows if place < len(row))
        for place, name in enumerate(names)
    }


@frozen
class _Select:
    """One SELECT, with what is known of those that it reads from."""

    scope: Scope
    known: Mapping[int, Outputs]

    def faults(self) -> Iterator[str]:
        for node in self.scope.find_all(*_AGGREGATES):
            if not self._is_apart(node) and self._has_amount(node.this):
                yield (
                    f"{node.sql('duckdb', comments=False)[:80]} may add up several currencies: write "
                    "the _base_minor of the amount, which is in one, or name its currency in GROUP BY"
                )

    def outputs(self) -> Outputs:
        if self._names_currency(self.scope.expression.args.get("where")):
            return {name: False for name, _ in self._listed()}
        return {name: node is None or self._has_amount(node) for name, node in self._listed()}

    def _listed(self) -> Iterator[tuple[str, exp.Expr | None]]:
        for node in self.scope.expression.expressions:
            if node.is_star:
                for name, amount in self._of_star(node):
                    yield name, None if amount else exp.null()
            else:
                yield node.alias_or_name.lower(), node.unalias()

    def _of_star(self, star: exp.Expr) -> Iterator[tuple[str, bool]]:
        for name, source in self._sources.items():
            if isinstance(source, Scope) and star.text("table") in ("", name):
                yield from self.known.get(id(source.expression), {}).items()

    @property
    def _sources(self) -> dict[str, exp.Table | Scope]:
        return {name: source for name, (_, source) in self.scope.selected_sources.items()}

    def _is_apart(self, node: exp.Expr) -> bool:
        """Whether the rows that an aggregate adds up are of one currency."""
        select = self.scope.expression
        if self._names_currency(select.args.get("where")):
            return True
        around: exp.Expr | None = node.parent
        if isinstance(around, exp.Filter):
            if self._names_currency(around.expression):
                return True
            around = around.parent
        if isinstance(around, exp.Window):
            return any(map(self._names_currency, around.args.get("partition_by") or ()))
        return self._names_currency(select.args.get("group"))

    def _has_amount(self, node: exp.Expr) -> bool:
        """Whether the value of an expression is an amount in the currency of its row."""
        if isinstance(node, exp.Column):
            return self._is_amount(node)
        if isinstance(node, _NO_AMOUNT):
            return False
        if isinstance(node, _AGGREGATES) and not self._is_apart(node):
            # Told where it stands; what is made of it is not told again.
            return False
        if isinstance(node, exp.Case):
            if any(self._names_currency(branch.this) for branch in node.args["ifs"]):
                return False
            values = [branch.args["true"] for branch in node.args["ifs"]]
            return any(self._has_amount(v) for v in (*values, node.args.get("default")) if v)
        if isinstance(node, exp.Window):
            return self._has_amount(node.this)
        if isinstance(node, exp.Filter):
            return not self._names_currency(node.expression) and self._has_amount(node.this)
        if isinstance(node, exp.Div):
            return self._has_amount(node.this) and not self._has_amount(node.expression)
        if isinstance(node, (exp.ArgMax, exp.ArgMin)):
            return self._has_amount(node.this)
        return any(self._has_amount(child) for child in node.iter_expressions())

    def _is_amount(self, column: exp.Column) -> bool:
        name, table = column.name.lower(), column.table
        sources = self._sources
        asked = [sources[table]] if table in sources else [*sources.values()]
        for source in asked:
            found = self.known.get(id(source.expression), {}) if isinstance(source, Scope) else {}
            if name in found:
                return found[name]
        tables = [s for s in asked if isinstance(s, exp.Table) and s.name.lower() not in _COMPUTED]
        return bool(tables) and name.endswith("_minor") and not name.endswith("_base_minor")

    @staticmethod
    def _names_currency(node: exp.Expr | None) -> bool:
        if node is None:
            return False
        return any(column.name.lower().endswith("currency") for column in node.find_all(exp.Column))
