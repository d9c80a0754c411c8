"""Which pairs are looked at at all: those that share something, by what the customers' data allow.

All pairs of 10,000 people are fifty million; those that share a birth date, a number or a name with
a place are some ten thousand, and hold nearly every true pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import duckdb

from ...declarations import MatchKey

Rule = tuple[str, ...]

# Kinds that few enough people share by themselves.
ALONE = ("identifier", "phone", "email", "date", "name", "address")
NAMES = ("given_name", "family_name")
PLACES = ("place", "code")
# A rule that would make more pairs than this for each customer is left out: the value that makes
# them is a default of some form, and comparing them all would take hours.
MOST_PAIRS_EACH = 100
LEAST_ALLOWED = 1_000_000


def rules(keys: Mapping[str, MatchKey], sounds: Rule = (), order: Rule = ()) -> list[Rule]:
    """Sets of columns that must all be equal, one set after the other.

    Args:
        sounds: the columns of how both names sound, if that is known.
        order: the column of both names in one order, if there is one.
    """
    of = {
        kind: [n for n, k in keys.items() if k.kind == kind] for kind in (*ALONE, *NAMES, *PLACES)
    }
    names = [n for kind in NAMES for n in of[kind]]
    places = [n for kind in PLACES for n in of[kind]]
    return [
        *((n,) for kind in ALONE for n in of[kind]),
        *combinations(names, 2),
        *(rule for rule in (sounds, order) if rule),
        *((n, p) for n in names for p in places),
    ]


def certain_rules(keys: Mapping[str, MatchKey]) -> list[Rule]:
    """Rules whose pairs are nearly all true: a number, or the whole name with the birth date."""
    of = {kind: [n for n, k in keys.items() if k.kind == kind] for kind in ("identifier", "email", "date", *NAMES)}  # fmt: skip
    out: list[Rule] = [(n,) for kind in ("identifier", "email") for n in of[kind]]
    out += [(g, f, d) for g in of["given_name"] for f in of["family_name"] for d in of["date"]]
    return out


def likely_rules(keys: Mapping[str, MatchKey]) -> list[Rule]:
    """Rules whose pairs are mostly true but need a second look: a phone and the given name."""
    of = {kind: [n for n, k in keys.items() if k.kind == kind] for kind in ("phone", "given_name")}
    return [(phone, given) for phone in of["phone"] for given in of["given_name"]]


def affordable(connection: duckdb.DuckDBPyConnection, table: str, wanted: list[Rule], size: int) -> list[Rule]:  # fmt: skip
    """Those rules that do not make too many pairs, in the same order."""
    most = max(LEAST_ALLOWED, MOST_PAIRS_EACH * size)
    return [rule for rule in wanted if 0 < pairs_of(connection, table, rule) <= most]


def pairs_of(connection: duckdb.DuckDBPyConnection, table: str, rule: Rule) -> int:
    """How many pairs a rule makes."""
    listed = ", ".join(quoted(rule))
    known = " AND ".join(f"{name} IS NOT NULL" for name in quoted(rule))
    # Columns are made from the checked names of match keys.
    ((pairs,),) = connection.execute(
        f"SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM "  # noqa: S608
        f"(SELECT count(*) AS n FROM {table} WHERE {known} GROUP BY {listed})"
    ).fetchall()
    return int(pairs)


def certain_pairs(connection: duckdb.DuckDBPyConnection, table: str, certain: list[Rule]) -> int:
    """How many different pairs the certain rules make together."""
    if not certain:
        return 0
    union = " UNION ".join(pair_sql(table, rule) for rule in certain)
    ((pairs,),) = connection.execute(f"SELECT count(*) FROM ({union})").fetchall()  # noqa: S608
    return int(pairs)


def pair_sql(table: str, rule: Rule) -> str:
    """The pairs of one rule as ``id_l, id_r``, the lower id on the left."""
    equal = " AND ".join(f"a.{name} = b.{name}" for name in quoted(rule))
    return (
        f"SELECT a.id AS id_l, b.id AS id_r FROM {table} a JOIN {table} b "  # noqa: S608
        f"ON {equal} AND a.id < b.id"
    )


def quoted(rule: Rule) -> Iterator[str]:
    """The columns of a rule as SQL identifiers."""
    return (f'"{name}"' for name in rule)
