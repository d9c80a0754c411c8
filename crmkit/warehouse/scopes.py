"""Which table each name in a SELECT means, and the SELECT written anew so that nothing else fits.

A name after FROM means the nearest common table expression around it, else a listed table. An engine
would go on looking: in its catalog, and then for a file of that name. So the text that an engine gets
is not what was handed in but what was understood: every common table expression has a name of ours,
every other table is a qualified name, and a name that was understood wrongly finds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field
from sqlglot import exp

# Where engines keep what a session binds: no file and no table of the catalog is there.
CATALOG, SCHEMA = "temp", "main"


@define
class Names:
    """The names in one tree, replaced where they stand.

    Attributes:
        tables: what is read that is no common table expression, in lower case.
        qualified: each table that was named with a schema → its parts as one name of ours.
        faults: one sentence for each source of rows that is neither.
    """

    prefix: str
    tables: set[str] = field(factory=set)
    qualified: dict[str, str] = field(factory=dict)
    faults: list[str] = field(factory=list)
    _made: int = 0

    def settle(self, tree: exp.Expr) -> None:
        """Finds out what every name in the tree means, and writes that into the tree."""
        waiting: list[tuple[exp.Expr, Mapping[str, str]]] = [(tree, {})]
        while waiting:
            node, around = waiting.pop()
            own = node.args.get("with_")
            inside = dict(around)
            for cte in own.expressions if own else ():
                # Without RECURSIVE an expression sees those before it, and not itself.
                waiting.append((cte.this, dict(inside)))
                name = cte.alias_or_name.lower()
                inside[name] = self._renamed(cte)
            for child in node.iter_expressions():
                if child is not own:
                    self._source(node, child, inside)
                    waiting.append((child, inside))

    def _renamed(self, cte: exp.Expr) -> str:
        self._made += 1
        name = f"{self.prefix}{self._made}"
        cte.args["alias"].set("this", exp.to_identifier(name, quoted=True))
        return name

    def _source(self, node: exp.Expr, child: exp.Expr, known: Mapping[str, str]) -> None:
        if isinstance(child, exp.Table):
            self._table(child, known)
        elif isinstance(node, (exp.From, exp.Join)) and child is node.this:
            if not isinstance(child, _SOURCES):
                self.faults.append(f"FROM {_told(child)} is not a listed table")
        elif isinstance(child, exp.Subquery) and not isinstance(child.this, _HELD):
            self.faults.append(f"{_told(child)} is not a SELECT")

    def _table(self, table: exp.Table, known: Mapping[str, str]) -> None:
        if not isinstance(table.this, exp.Identifier):
            # A table function; the function itself is already named as a fault if unknown.
            self.faults.append(f"FROM {_told(table.this or table)} is not a listed table")
            return
        if table.db or table.catalog:
            self.qualified[_told(table)] = "_".join(p.name.lower() for p in table.parts)
            return
        name = table.name.lower()
        if not table.alias:
            # What the text calls the rows, as in customer.id.
            columns = table.args.get("alias")
            alias = columns if isinstance(columns, exp.TableAlias) else exp.TableAlias()
            alias.set("this", exp.to_identifier(table.name, quoted=True))
            table.set("alias", alias)
        if name in known:
            table.set("this", exp.to_identifier(known[name], quoted=True))
            return
        self.tables.add(name)
        table.set("this", exp.to_identifier(name, quoted=True))
        table.set("db", exp.to_identifier(SCHEMA, quoted=True))
        table.set("catalog", exp.to_identifier(CATALOG, quoted=True))


# What rows may come from, and what parentheses may hold.
_SOURCES = (exp.Table, exp.Subquery, exp.Values, exp.Query)
_HELD = (exp.Query, exp.Values, exp.Table)


def _told(node: exp.Expr) -> str:
    return node.sql("duckdb", comments=False)
