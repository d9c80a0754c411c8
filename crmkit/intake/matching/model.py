"""How probable it is that two records are one person (Fellegi and Sunter, 1969).

Each key adds log2(m/u) of the level on which the two values agree; equal values weigh more the rarer
they are. With enough pairs that are certainly true, the shares m and u are learnt from the customers
themselves by Splink: u from random pairs, m by expectation maximisation, no labelled pair needed.
With fewer, without Splink, or where what is learnt does worse, the shares of
:mod:`crmkit.intake.matching.levels` are taken: trained on a handful of pairs, or on none,
expectation maximisation finds a structure that is not there, such as households.
"""

from __future__ import annotations

import logging
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
from attrs import evolve, frozen

from .blocking import (
    NAMES,
    Rule,
    affordable,
    certain_pairs,
    certain_rules,
    likely_rules,
    pair_sql,
    rules,
)
from .levels import IN_ORDER, Level, condition
from .people import UNIQUE_KINDS, People
from .relatives import HELD_AT, Relatives

# Below this many certain pairs the learnt shares of rare levels rest on one or two pairs each.
LEAST_CERTAIN = 100
# Of the true pairs, how many the certain rules find; with more, the prior would be too low.
CERTAIN_RECALL = 0.7
# Learnt weights are judged by the pairs of this probability, wherever the list begins; more than so
# many times the expected number of them are no duplicates.
SURE = 0.9
MOST_SURPLUS = 2
# Where nothing is certain, one customer in a hundred is taken to be there twice.
DUPLICATE_SHARE = 0.01
U_PAIRS = 1_000_000
# From so many customers on their own random pairs say how often values are alike by chance; among
# fewer, a single duplicate would change the share.
LEAST_MEASURED = 1_000
MEASURED_PAIRS = 200_000
PEOPLE = "people"


@frozen
class Scored:
    """A pair with what its probability is made of.

    Attributes:
        a, b: the customers, ``a`` the one known longer.
        reached: by key column, the position of the level reached; missing values are left out.
        weights: by key column, log2 of how many times likelier this agreement is for one person.
        held: why the probability is no higher though the weights say so, or None.
    """

    a: int
    b: int
    probability: float
    reached: Mapping[str, int]
    weights: Mapping[str, float]
    held: str | None = None


def score(people: People, least: float, *, engine: str | None = None) -> list[Scored]:
    """Every pair with at least this probability, likeliest first.

    Args:
        people: the customers with their normalised values.
        least: lowest probability, from 0 to 1.
        engine: ``splink`` or ``fixed``; None takes Splink if it is installed, there is enough to
            learn from, and it does better (:func:`is_better`).
    """
    if people.size < 2 or not people.keys:
        return []
    with (
        # What does not fit into memory must not spill into the folder where the user stands.
        TemporaryDirectory(prefix="crmkit-matching-") as spill,
        duckdb.connect(
            config={"autoinstall_known_extensions": "false", "temp_directory": spill}
        ) as connection,
    ):
        connection.register("given_people", people.table)
        connection.execute(f"CREATE TABLE {PEOPLE} AS SELECT * FROM given_people").fetchall()  # noqa: S608
        order = (IN_ORDER,) if people.has_order else ()
        by_rule = rules(people.keys, people.sounds, order)
        wanted = affordable(connection, PEOPLE, by_rule, people.size)
        certain = [r for r in certain_rules(people.keys) if r in affordable(connection, PEOPLE, [r], people.size)]  # fmt: skip
        known = certain_pairs(connection, PEOPLE, certain)
        if not wanted:
            return []
        relatives = Relatives(people)
        found: Iterable[Scored] | None = None
        if engine == "splink":
            found = _splink(connection, people, wanted, certain, least)
        elif engine is None and known >= LEAST_CERTAIN and has_splink():
            found = _trusted(connection, people, relatives, wanted, certain, known, least)
        if found is None:
            found = _fixed(connection, people, union(wanted), known, least)
        held = (_hold(pair, relatives) for pair in found)
        return sorted(
            (pair for pair in held if pair.probability >= least),
            key=lambda s: (-s.probability, s.a, s.b),
        )


def _hold(pair: Scored, relatives: Relatives) -> Scored:
    """The pair, below the probability of a merge unseen if the two may be relatives."""
    reason = relatives.reason(pair.a, pair.b) if pair.probability > HELD_AT else None
    return pair if reason is None else evolve(pair, probability=HELD_AT, held=reason)


def _trusted(
    connection: duckdb.DuckDBPyConnection,
    people: People,
    relatives: Relatives,
    wanted: Sequence[Rule],
    certain: Sequence[Rule],
    known: int,
    least: float,
) -> list[Scored] | None:
    """What Splink finds, or None where the general weights are better.

    They are where training fails; where it finds many more pairs than the certain ones allow for,
    having learnt a structure that is not duplication; and where it is sure of fewer pairs that share
    a number.
    """
    try:
        found = list(_splink(connection, people, wanted, certain, min(least, SURE)))
    except (ValueError, ZeroDivisionError, duckdb.Error):
        # A share that no pair reaches becomes 0, of which Splink can take no logarithm.
        return None
    learnt = {(pair.a, pair.b) for pair in found if pair.probability >= SURE}
    query = union(
        [*certain, *affordable(connection, PEOPLE, likely_rules(people.keys), people.size)]
    )
    by_general = (_hold(pair, relatives) for pair in _fixed(connection, people, query, known, SURE))
    general = {(pair.a, pair.b) for pair in by_general if pair.probability >= SURE}
    likely = set(connection.execute(query).fetchall())
    return found if is_better(learnt, general, likely, known) else None


def is_better(
    learnt: Set[tuple[int, int]],
    general: Set[tuple[int, int]],
    likely: Set[tuple[int, int]],
    certain: int,
) -> bool:
    """Whether learnt weights are to be preferred, judged without knowing which pairs are true.

    Args:
        learnt: the pairs that are sure by learnt weights.
        general: the likely pairs that are sure by general weights.
        likely: all certain pairs, and those that share a phone and the given name.
        certain: how many pairs are certain.
    """
    expected = certain / CERTAIN_RECALL
    return len(learnt) <= MOST_SURPLUS * expected and len(learnt & likely) >= len(general)


def has_splink() -> bool:
    """Whether the extra ``dedupe`` is installed."""
    from importlib.util import find_spec

    return find_spec("splink") is not None


# --- learnt ---------------------------------------------------------------------------------------


def _splink(
    connection: duckdb.DuckDBPyConnection,
    people: People,
    wanted: Sequence[Rule],
    certain: Sequence[Rule],
    least: float,
) -> Iterator[Scored]:
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="id",
        comparisons=[_comparison(people, name) for name in people.keys],
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in wanted],
        retain_intermediate_calculation_columns=True,
        retain_matching_columns=True,
    )
    linker = Linker(DuckDBAPI(connection).register(PEOPLE), settings)
    # Making a linker turns on pages of remarks about each step; the command tells what was found.
    logging.getLogger("splink").setLevel(logging.ERROR)
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on(*rule) for rule in certain], recall=CERTAIN_RECALL
    )
    # A fixed seed, so that the same customers give the same pairs again.
    training.estimate_u_using_random_sampling(max_pairs=U_PAIRS, seed=0)
    for rule in _sessions(people, wanted):
        training.estimate_parameters_using_expectation_maximisation(block_on(*rule))
    pairs = linker.inference.predict(threshold_match_probability=least)
    for row in pairs.as_record_list():
        reached, weights = {}, {}
        for name in people.keys:
            gamma = row[f"gamma_{name}"]
            if gamma < 0:
                continue
            # Splink counts levels from the last one, which is 0.
            reached[name] = len(people.levels(name)) - 1 - gamma
            weights[name] = row[f"mw_{name}"] + row.get(f"mw_tf_adj_{name}", 0.0)
        a, b = sorted((row["id_l"], row["id_r"]))
        yield Scored(a, b, row["match_probability"], reached, weights)


def _comparison(people: People, name: str) -> dict[str, Any]:
    missing = {
        "sql_condition": f'"{name}_l" IS NULL OR "{name}_r" IS NULL',
        "label_for_charts": "missing",
        "is_null_level": True,
    }
    return {"output_column_name": name, "comparison_levels": [missing, *_levels(people, name)]}


def _levels(people: People, name: str) -> Iterator[dict[str, Any]]:
    kind = people.keys[name].kind
    for level in people.levels(name):
        made: dict[str, Any] = {
            "sql_condition": condition(level, name) or "ELSE",
            "label_for_charts": level.phrase,
            "m_probability": level.m,
            "u_probability": level.u,
            "fix_m_probability": level.fixed,
            "fix_u_probability": level.fixed,
        }
        if level.exact and kind not in ("date", "identifier", "phone", "email"):
            # Shared values of these are rare by nature; of names and places some are common.
            made["tf_adjustment_column"] = name
        yield made


def _sessions(people: People, wanted: Sequence[Rule]) -> list[Rule]:
    """Rules to learn under: each key must be free in at least one, so two without a common key."""

    def kinds(rule: Rule) -> int:
        # Best learnt under a birth date and under a whole name: few values are shared by chance,
        # and a typing mistake in one says nothing about mistakes in the others.
        found = {people.keys[name].kind for name in rule}
        return 0 if found == {"date"} else 1 if found == set(NAMES) else 2

    ordered = sorted((r for r in wanted if not set(r) - set(people.keys)), key=kinds)
    for first in ordered:
        for second in ordered:
            if not set(first) & set(second):
                return [first, second]
    return ordered[:1]


# --- fixed ----------------------------------------------------------------------------------------


def _fixed(
    connection: duckdb.DuckDBPyConnection,
    people: People,
    pairs: str,
    known: int,
    least: float,
) -> Iterator[Scored]:
    size = people.size
    true_pairs = max(1.0, known / CERTAIN_RECALL, DUPLICATE_SHARE * size)
    prior = min(0.5, true_pairs / (size * (size - 1) / 2))
    before = math.log2(prior / (1 - prior))
    names = list(people.keys)
    levels = {name: people.levels(name) for name in names}
    holders = {n: Counter(v for v in people.table[n].to_pylist() if v) for n in names}
    totals = {name: counts.total() for name, counts in holders.items()}
    by_chance = _shares_by_chance(connection, people)
    for a, b, *cells in _compared(connection, people, pairs):
        reached, weights = {}, {}
        for name, position, value in zip(names, cells[::2], cells[1::2], strict=True):
            if position is None:
                continue
            level = levels[name][position]
            reached[name] = position
            # A number that these two alone have is shared by nobody by chance; a name may be.
            beside = 2 if people.keys[name].kind in UNIQUE_KINDS else 0
            among = holders[name]
            weights[name] = _weight(
                level, among[value] - beside, totals[name], by_chance.get((name, position), 0)
            )
        total = before + sum(weights.values())
        probability = 1 / (1 + 2**-total) if total > -60 else 0.0
        if probability >= least:
            yield Scored(a, b, probability, reached, weights)


def union(wanted: Sequence[Rule]) -> str:
    """The different pairs of all rules, as a query of ``id_l, id_r``."""
    return " UNION ".join(pair_sql(PEOPLE, rule) for rule in wanted)


def _weight(level: Level, holders: int, of: int, by_chance: float) -> float:
    """log2(m/u) of a level.

    Args:
        holders, of: how many customers share the left value, of those that have one.
        by_chance: the measured share of random pairs that reach it; where values look more alike
            than usual, such as numbers in sequence, it counts instead of the general share.
    """
    if not level.exact:
        return math.log2(level.m / max(level.u, by_chance))
    # How often two random customers share this very value, but no rarer than the kind's own share
    # divided by ten: a value that two of ten customers have says less than its rarity here.
    share = holders / of
    return math.log2(level.m / max(level.u / 10, min(share, level.u * 10)))


def _shares_by_chance(
    connection: duckdb.DuckDBPyConnection, people: People
) -> dict[tuple[str, int], float]:
    """By key and position of a level, the share of random pairs that reach it."""
    if people.size < LEAST_MEASURED:
        return {}
    ids = people.table["id"].to_pylist()
    # A fixed seed, so that the same customers give the same pairs again.
    draw = random.Random(0)  # noqa: S311
    pairs = {tuple(draw.sample(ids, 2)) for _ in range(MEASURED_PAIRS)}
    sides = zip(*sorted(pairs), strict=True)
    drawn = pa.table([pa.array(side, pa.int64()) for side in sides], names=["id_l", "id_r"])
    connection.register("random_pairs", drawn)
    reached: dict[str, Counter[int]] = {name: Counter() for name in people.keys}
    for _, _, *cells in _compared(connection, people, "SELECT id_l, id_r FROM random_pairs"):
        for name, position in zip(people.keys, cells[::2], strict=True):
            if position is not None:
                reached[name][position] += 1
    return {
        (name, position): count / counts.total()
        for name, counts in reached.items()
        for position, count in counts.items()
    }


def _compared(
    connection: duckdb.DuckDBPyConnection, people: People, pairs: str
) -> list[tuple[Any, ...]]:
    """Each pair with, for every key, the position of the level reached and the left value.

    Args:
        pairs: a query of ``id_l, id_r``.
    """
    columns = []
    for name in people.keys:
        left, right = f'l."{name}"', f'r."{name}"'
        cases = " ".join(
            f"WHEN {condition(level, name, side='{1}.{0}')} THEN {position}"
            for position, level in enumerate(people.levels(name))
            if level.condition
        )
        last = len(people.levels(name)) - 1
        columns += [
            f"CASE WHEN {left} IS NULL OR {right} IS NULL THEN NULL {cases} ELSE {last} END", left,
        ]  # fmt: skip
    query = (
        f"SELECT p.id_l, p.id_r, {', '.join(columns)} FROM ({pairs}) p "  # noqa: S608
        f"JOIN {PEOPLE} l ON l.id = p.id_l JOIN {PEOPLE} r ON r.id = p.id_r"
    )
    return connection.execute(query).fetchall()
