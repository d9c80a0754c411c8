"""Spark in this process, beside DuckDB: portable SQL means the same on rows that are odd on purpose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import crmkit_telecom
from crmkit.builtin.ledger.accounts import Posting
from crmkit.builtin.service.cases import NewCase
from crmkit.cycle import Cycle
from crmkit.entities.asof import AsOf
from crmkit.errors import SqlRefused
from crmkit.hosting.manifest import find_manifests
from crmkit.testing.engines import EARLIER, KINDS, compare_engines, require_spark, same
from crmkit.testing.worlds import World, open_world
from crmkit.warehouse.engine import Engine
from crmkit.warehouse.engines.choice import open_engine
from crmkit.warehouse.portable import check_sql
from crmkit.workspace import Crm

pytestmark = pytest.mark.slow

# Plugins whose every report has rows in the workspace below.
FILLED = ("core.", "ledger.", "service.", "telecom.")
ODD = pa.table(
    {
        "id": pa.array([1, 2, 3, 4], pa.int64()),
        "x": pa.array([7, -7, None, 0], pa.int64()),
        "f": [2.5, -0.5, None, 0.1],
        "s": ["a_b", "日本", None, " c "],
        "d_on": [date(2026, 1, 31), date(2024, 2, 29), None, date(2025, 12, 31)],
        "t_at": pa.array(
            [datetime(2026, 1, 31, 23, 30), datetime(2026, 2, 1, 0, 30), None, datetime(1999, 1, 1)],  # noqa: DTZ001
            pa.timestamp("us"),
        ),
        "l": pa.array([["a"], [], None, ["b", None]], pa.list_(pa.string())),
        "b": [True, False, None, True],
        "nothing": pa.array([None] * 4, pa.bool_()),
    }
)  # fmt: skip
EXPRESSIONS = [
    "x / 2, x / 30.4375, 1 / 3.0, x * 0.29, 0.1 + 0.2, x / nullif(x, 0), f / 4, x / x, f / 0, -1 / x",
    "x // 2, x % 3, mod(x, 5), abs(x), sign(x), -x",
    "floor(f), ceil(f), round(f), CAST(floor(f) AS BIGINT), CAST(round(x / 2) AS BIGINT)",
    "greatest(x, 1), least(x, f), coalesce(x, 9), ifnull(x, 9), nullif(x, 0), if(b, x, f)",
    "ln(f), ln(abs(x)), ln(exp(f)), sqrt(abs(x)), power(x, 2), exp(x)",
    "s || '!', s || x, upper(s), lower(s), length(s), trim(s), substring(s, 2, 1), replace(s, 'a', '')",
    r"s LIKE 'a\_b', s LIKE 'a_b', s LIKE '%本', s ILIKE 'A%', NOT s LIKE 'a%', starts_with(s, 'a')",
    "s = 'a_b', s < 'b', s IN ('a_b', 'x'), s IS DISTINCT FROM 'a_b', x BETWEEN -7 AND 0",
    "year(d_on), quarter(d_on), month(d_on), day(d_on), d_on + 3, d_on - CAST(x AS INTEGER), d_on - 365",
    "date_diff('day', d_on, DATE '2026-03-01'), date_diff('day', t_at, TIMESTAMP '2026-02-01 00:30:00')",
    "date_diff('hour', t_at, TIMESTAMP '2026-02-01 00:29:59'), date_diff('minute', t_at, TIMESTAMP '2026-02-01 00:29:59.5'), date_diff('second', t_at, TIMESTAMP '2026-02-01 00:29:59.5')",
    "CAST(date_trunc('week', d_on) AS DATE), CAST(date_trunc('quarter', d_on) AS DATE), CAST(t_at AS DATE)",
    "make_date(2026, 2, 28), CAST(t_at AS VARCHAR), CAST(d_on AS VARCHAR), CAST(b AS VARCHAR), CAST(x AS VARCHAR)",
    "t_at < d_on, t_at >= TIMESTAMP '2026-02-01 00:00:00', d_on = DATE '2024-02-29'",
    "list_contains(l, 'a'), b AND nothing, b OR nothing, NOT nothing, CASE WHEN nothing THEN 1 ELSE 2 END",
    "row_number() OVER (ORDER BY x, id), rank() OVER (ORDER BY s DESC, id), ntile(3) OVER (ORDER BY f, id)",
    "lag(x) OVER (ORDER BY s, id), sum(x) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
    "x & 6, x | 1, CAST(1 AS BIGINT) << (id % 60), x >> 1, ((id >> 1) & 1) = 1",
    "first_value(x IGNORE NULLS) OVER (ORDER BY f DESC, id), last_value(s) OVER (ORDER BY id)",
]
AGGREGATES = [
    "count(*), count(x), count(DISTINCT b), sum(x), sum(f), sum(x * 0.5), avg(x), avg(0.5), min(s), max(d_on)",
    "stddev_samp(f), stddev_pop(x), var_samp(x), var_pop(f), covar_samp(x, f), covar_pop(x, f)",
    "arg_max(s, x), arg_max(x, f), arg_min(s, id), arg_min(x, id) FILTER (WHERE id > 2)",
    "bool_and(b), bool_or(b), bool_or(nothing), count_if(b), count_if(nothing), count_if(x > 0) FILTER (WHERE id > 9)",
    "bit_or(x), bit_and(id), bit_or(CAST(1 AS BIGINT) << (id % 60)), bit_or(x) FILTER (WHERE id > 9)",
    "stddev_samp(f) FILTER (WHERE id = 1), covar_samp(x, f) FILTER (WHERE id = 1), sum(x) FILTER (WHERE id > 9)",
]


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Engine]]:
    require_spark()
    folder = tmp_path_factory.mktemp("files")
    pair = open_engine("duckdb", [folder]), open_engine("spark", [folder])
    for engine in pair:
        engine.bind_rows("odd", ODD)
    yield pair
    for engine in pair:
        engine.close()


def rows(table: pa.Table) -> list[list[Any]]:
    """Values by row; numbers are numbers, whatever type an engine gives to a whole one."""
    return [
        [float(v) if isinstance(v, (int, Decimal)) and not isinstance(v, bool) else v for v in row]
        for row in zip(*(column.to_pylist() for column in table.columns), strict=True)
    ]


@pytest.mark.parametrize(
    "sql",
    [f"SELECT id, {listed} FROM odd ORDER BY id" for listed in EXPRESSIONS]
    + [f"SELECT {listed} FROM odd" for listed in AGGREGATES],
)
def test_portable_sql_means_the_same(engines: tuple[Engine, Engine], sql: str) -> None:
    check_sql(sql, tables={"odd"})
    expected, given = (rows(engine.query(sql, {})) for engine in engines)
    unequal = [
        (a, b) for x, y in zip(expected, given, strict=True) for a, b in zip(x, y, strict=True)
        if not same(a, b)
    ]  # fmt: skip
    assert unequal == []


def test_values_arrive_as_they_were_given(engines: tuple[Engine, Engine]) -> None:
    given = {
        "text": "it's \\ \" ` $text :text",
        "whole": 9_007_199_254_740_993,
        "day": date(2026, 3, 31),
        "at": datetime(2026, 3, 31, 23, 59, 59, 999_999),  # noqa: DTZ001
        "yes": True,
        "none": None,
    }
    listed = ", ".join(f"${name} AS {name}" for name in given)
    for engine in engines:
        (row,) = engine.query(f"SELECT {listed}", given).to_pylist()
        assert row == given


def test_files_that_lack_columns_or_have_older_types_are_one_table(
    engines: tuple[Engine, Engine], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "files0"
    old, new = folder / "old.parquet", folder / "new.parquet"
    pq.write_table(pa.table({"id": [1], "size": pa.array([3], pa.int64())}), old)
    pq.write_table(pa.table({"size": [2.5], "id": [2], "word": ["ä"], "other": [0]}), new)
    types = {"id": "BIGINT", "size": "DOUBLE", "word": "VARCHAR", "on_day": "DATE"}
    for engine in engines:
        engine.bind_files("mixed", [old, new], types, frozenset({"id", "size", "word", "other"}))
        engine.bind_files("none", [], types, frozenset())
        assert engine.types("mixed") == types == engine.types("none")
        assert engine.query("SELECT * FROM none", {}).num_rows == 0
        assert rows(engine.query("SELECT * FROM mixed ORDER BY id", {})) == [
            [1.0, 3.0, None, None],
            [2.0, 2.5, "ä", None],
        ]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT nobody FROM odd", "nobody"),
        ("SELECT * FROM nowhere", "nowhere"),
        ("SELECT CAST('x' AS BIGINT) AS n FROM odd", "x"),
        ("SELECT 9223372036854775807 + id FROM odd", "verflow"),
    ],
)
def test_what_cannot_run_is_refused_in_a_line(
    engines: tuple[Engine, Engine], sql: str, words: str
) -> None:
    for engine in engines:
        with pytest.raises(SqlRefused) as caught:
            engine.query(sql, {})
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A workspace of telecom after its daily run, with rows of every built-in."""
    require_spark()
    (demo,) = crmkit_telecom.register_demos()
    folder = tmp_path_factory.mktemp("world")
    with open_world(folder, "telecom", demo, customers=120, seed=5) as world:
        people = [one.id for one in world.crm.store.customers.list(limit=6)]
        _pass_on(world)
        # Stages of some months ago, so that some customers are to move now.
        before = AsOf.end_of(world.as_of.on - EARLIER, world.crm.settings.time_zone)
        world.crm.lifecycles.propose(before, apply=True)
        Cycle(world.crm).run(world.as_of, skip=("lifecycle",))
        _earn(world.crm, people, world.as_of)
        _compensate(world.crm, people[0])
        yield world


def _pass_on(world: World) -> None:
    """Three customers of ann, who left them to ben, long enough ago to see who stayed."""
    now = world.clock()
    world.clock.set(now - timedelta(days=400))
    for _ in range(3):
        world.crm.store.customers.add(owner="ann")
    world.crm.ownership.leave("ann")
    world.crm.ownership.hand_over(["ben"])
    world.clock.set(now)


def _earn(crm: Crm, people: Sequence[int], as_of: AsOf) -> None:
    """Points of some, and the tiers that they reach."""
    at = as_of.instant - timedelta(days=20)
    crm.service("ledger.accounts").post(
        "ledger.points",
        [Posting(customer_id=i, amount=700 * (n + 1), at=at) for n, i in enumerate(people)],
    )
    crm.service("ledger.tiers").review("ledger.membership", as_of)


def _compensate(crm: Crm, customer: int) -> None:
    (key,) = crm.service("service.cases").open([NewCase(customer_id=customer)])
    crm.run("case compensate", case=key, kind="voucher", amount="60.00")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
def test_built_ins_and_telecom_give_the_same_rows(world: World, kind: str) -> None:
    """Everything that they declare, in one workspace and one session of Spark."""
    built_in = sorted(name for name, found in find_manifests().items() if found.builtin)
    found = compare_engines(world.crm, (*built_in, "telecom"), world.as_of, kinds=(kind,))
    assert found.faults == []
    # Answers without rows are equal whatever the engines do. The core's own stages follow those of
    # telecom, so that nobody is left to be moved.
    empty = {label for label, rows in found.rows.items() if not rows}
    known = {label for label in empty if label.split()[-1].startswith(FILLED)}
    assert known <= {"lifecycle core.customer"}
