"""Who owns which name: a plugin owns what begins with its name, and shared names have one owner."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from ..declarations import CUSTOMER, sql_name
from .declared import NOUNS, SHARED, Declared

_OWNED = re.compile(r"[a-z][a-z0-9]*\.[a-z0-9][a-z0-9_-]*")
_FREE = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_VERB = re.compile(r"[a-z][a-z0-9-]*(?: [a-z][a-z0-9-]*)?")
# PostgreSQL cuts identifiers at 63 bytes; the history table's name is 8 longer than the table's.
LONGEST_TABLE, LONGEST_COLUMN = 55, 63
# What keeps outcomes, by name and in a folder of that name: two of one name would take each other's.
OUTCOME_KINDS = ("scores", "segments", "rules")
# The store adds these to a table's name.
_SUFFIXES = ("_history",)


def name_faults(declared: Declared) -> list[str]:
    """Names that this plugin may not give: outside its namespace, misspelt, given twice."""
    plugin, out = declared.plugin, []
    seen: Counter[tuple[str, str]] = Counter()
    for kind, name, _ in declared.named():
        seen[kind, name] += 1
        noun = NOUNS[kind]
        if kind == "commands":
            if not _VERB.fullmatch(name):
                out.append(f"{noun} {name!r} is no '<noun> <verb>' of small letters")
        elif kind in SHARED:
            if not _FREE.fullmatch(name):
                out.append(f"{noun} {name!r} does not match {_FREE.pattern}")
        elif not name.startswith(f"{plugin}."):
            out.append(f"claims the {noun} {name!r}, but its names begin with '{plugin}.'")
        elif not _OWNED.fullmatch(name):
            out.append(f"{noun} {name!r} does not match {_OWNED.pattern}")
        elif kind == "features" and len(name) > LONGEST_COLUMN:
            out.append(f"{noun} {name!r} is longer than {LONGEST_COLUMN} characters")
    out += [
        f"declares the {NOUNS[kind]} {name!r} {n} times"
        for (kind, name), n in seen.items()
        if n > 1
    ]
    return out + _table_faults(declared) + _same_in_sql(declared) + _shared_outcomes(declared)


def tables(declared: Declared) -> list[str]:
    """SQL names of the tables that the plugin declares, sorted."""
    names = {
        sql_name(record.name)
        for kind in ("record_types", "interaction_kinds")
        for record in declared.of(kind)
    }
    if declared.customer_fields is not None:
        names.add(f"{declared.plugin}_{CUSTOMER}")
    return sorted(names)


def _table_faults(declared: Declared) -> list[str]:
    by_table: dict[str, list[str]] = defaultdict(list)
    if declared.customer_fields is not None:
        by_table[f"{declared.plugin}_{CUSTOMER}"].append("the customer fields")
    for kind in ("record_types", "interaction_kinds"):
        for record in declared.of(kind):
            by_table[sql_name(record.name)].append(f"the {NOUNS[kind]} {record.name!r}")
    out = []
    for table, owners in by_table.items():
        if len(table) > LONGEST_TABLE:
            out.append(f"{owners[0]} makes a table name longer than {LONGEST_TABLE} characters")
        if len(set(owners)) > 1:
            out.append(f"{' and '.join(owners)} would share the table {table!r}")
        for suffix in _SUFFIXES:
            base = table.removesuffix(suffix)
            if base != table and base in by_table:
                out.append(f"{owners[0]} would share the table {table!r} with {by_table[base][0]}")
    return out


def _same_in_sql(declared: Declared) -> list[str]:
    """``a.b-c`` and ``a.b_c`` are one name in SQL."""
    spelt: dict[tuple[str, str], set[str]] = defaultdict(set)
    for kind, name, _ in declared.named():
        if kind not in SHARED and kind not in ("record_types", "interaction_kinds"):
            spelt[kind, sql_name(name)].add(name)
    return [
        f"the {NOUNS[kind]}s {' and '.join(sorted(names))} are both {sql!r} in SQL"
        for (kind, sql), names in spelt.items()
        if len(names) > 1
    ]


def _shared_outcomes(declared: Declared) -> list[str]:
    kinds: dict[str, dict[str, str]] = defaultdict(dict)
    for kind, name, _ in declared.named():
        if kind in OUTCOME_KINDS:
            kinds[sql_name(name)][kind] = name
    return [
        f"{' and '.join(f'the {NOUNS[kind]} {name!r}' for kind, name in sorted(found.items()))} "
        "would keep their outcomes under one name; rename one"
        for found in kinds.values()
        if len(found) > 1
    ]
