"""SQL that is handed in reaches the listed tables and nothing else, whatever it is dressed as.

The gym has a member of whom the asker may not learn. What is known of that member stands in the
warehouse's own files, so every door below leads there or to another file beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crmkit.errors import CrmkitError, SqlRefused
from crmkit.warehouse.engine import Limits
from crmkit.warehouse.engines.duckdb import SealedEngine
from crmkit.warehouse.guarded import GuardedTables
from crmkit.warehouse.session import Session

CANARY = "canary-tier"

# {file} is the file with the member's contract, {folder} the warehouse, {db} a database of SQLite.
REFUSED = """
SELECT * FROM '{file}'
SELECT * FROM "{file}"
SELECT * FROM "{file}" v
SELECT v.tier FROM "{file}" AS v(a, b, c)
FROM '{file}'
TABLE "{file}"
SELECT * FROM '{folder}/*/*.parquet'
SELECT * FROM "{folder}/**/*.parquet"
SELECT * FROM '{folder}/gym_contract/*.parquet'
SELECT * FROM 'file://{file}'
SELECT * FROM "file:{file}"
SELECT * FROM 'gym_contract/../gym_contract/x.parquet'
SELECT * FROM 'https://example.org/x.parquet'
SELECT * FROM 's3://bucket/x.parquet'
SELECT * FROM 'x.csv'
SELECT * FROM 'x.json'
SELECT * FROM 'x.csv.gz'
SELECT * FROM '/etc/passwd'
SELECT * FROM '/proc/self/environ'
SELECT * FROM '{db}'
SELECT * FROM parquet."{file}"
SELECT * FROM temp."{file}"
SELECT * FROM temp.main."{file}"
SELECT * FROM memory.main."{file}"
SELECT * FROM "{file}", (WITH "{file}" AS (SELECT 1 AS x) SELECT * FROM "{file}") z
SELECT * FROM "{file}" v, (WITH "{file}" AS (SELECT 1 AS x) SELECT x FROM "{file}") z
SELECT * FROM (WITH "{file}" AS (SELECT 1 AS x) SELECT x FROM "{file}") z, "{file}" v
SELECT (WITH "{file}" AS (SELECT 1 AS x) SELECT x FROM "{file}"), tier FROM "{file}"
SELECT * FROM "{file}" WHERE EXISTS (WITH "{file}" AS (SELECT 1) SELECT * FROM "{file}")
SELECT * FROM "{file}" WHERE id IN (WITH "{file}" AS (SELECT 1 AS x) SELECT x FROM "{file}")
WITH a AS (WITH "{file}" AS (SELECT 1 AS x) SELECT x FROM "{file}") SELECT * FROM "{file}", a
WITH a AS (SELECT * FROM "{file}"), "{file}" AS (SELECT 1 AS x) SELECT * FROM a
WITH "{file}" AS (SELECT * FROM "{file}") SELECT * FROM "{file}"
WITH "{file}" AS (SELECT tier FROM "{file}"), b AS (SELECT * FROM "{file}") SELECT * FROM b
(WITH "{file}" AS (SELECT 'x' AS tier) SELECT tier FROM "{file}") UNION ALL SELECT tier FROM "{file}"
SELECT tier FROM "{file}" UNION ALL (WITH "{file}" AS (SELECT 'x' AS tier) SELECT tier FROM "{file}")
SELECT tier FROM "{file}" EXCEPT (WITH "{file}" AS (SELECT 'x' AS tier) SELECT tier FROM "{file}")
SELECT * FROM customer c JOIN "{file}" v ON v.owner_id = c.customer_id
SELECT * FROM customer c LEFT JOIN (SELECT * FROM "{file}") v ON true
SELECT * FROM customer, "{file}"
SELECT * FROM (customer JOIN "{file}" ON true)
SELECT * FROM (("{file}"))
SELECT * FROM (FROM "{file}")
SELECT * FROM (TABLE "{file}")
SELECT * FROM customer POSITIONAL JOIN "{file}"
SELECT * FROM customer WHERE kind IN (SELECT tier FROM "{file}")
SELECT (SELECT max(tier) FROM "{file}") FROM customer
SELECT CASE WHEN EXISTS (FROM "{file}") THEN 1 END FROM customer
SELECT kind FROM customer ORDER BY (SELECT max(tier) FROM "{file}")
SELECT kind FROM customer LIMIT (SELECT count(*) FROM "{file}")
SELECT count(*) FILTER (WHERE (SELECT count(*) FROM "{file}") > 0) FROM customer
SELECT max((SELECT max(tier) FROM "{file}")) OVER () FROM customer
SELECT * FROM (VALUES ((SELECT max(tier) FROM "{file}"))) t(x)
WITH RECURSIVE a AS (SELECT * FROM "{file}") SELECT * FROM a
WITH a AS MATERIALIZED (SELECT * FROM "{file}") SELECT * FROM a
WITH a AS NOT MATERIALIZED (SELECT * FROM "{file}") SELECT * FROM a
SELECT * FROM read_parquet('{file}')
SELECT * FROM read_parquet(['{file}'])
SELECT * FROM "read_parquet"('{file}')
SELECT * FROM main.read_parquet('{file}')
SELECT * FROM system.main.read_parquet('{file}')
SELECT * FROM parquet_scan('{file}')
SELECT * FROM parquet_schema('{file}')
SELECT * FROM parquet_metadata('{file}')
SELECT * FROM parquet_file_metadata('{file}')
SELECT * FROM parquet_kv_metadata('{file}')
SELECT * FROM parquet_bloom_probe('{file}', 'tier', 'canary-tier')
SELECT * FROM read_csv('{file}')
SELECT * FROM read_csv_auto('{file}')
SELECT * FROM sniff_csv('{file}')
SELECT * FROM read_json('{file}')
SELECT * FROM read_ndjson_objects('{file}')
SELECT * FROM read_text('{file}')
SELECT * FROM read_blob('{file}')
SELECT * FROM glob('{folder}/*')
SELECT * FROM query('SELECT * FROM "{file}"')
SELECT * FROM query_table('{file}')
SELECT * FROM query_table(['{file}'])
SELECT * FROM sqlite_scan('{db}', 'customer')
SELECT * FROM postgres_scan('', 'public', 'customer')
SELECT * FROM arrow_scan(1, 2, 3)
SELECT * FROM pandas_scan(1)
SELECT * FROM unnest(['{file}'])
SELECT * FROM generate_series(1, 9)
SELECT * FROM range(9)
SELECT * FROM ROWS FROM (read_text('{file}'))
SELECT * FROM LATERAL (SELECT * FROM "{file}") v
SELECT * FROM customer, LATERAL (SELECT * FROM "{file}") v
SELECT read_text('{file}')
SELECT ('{file}').read_text()
SELECT main.read_text('{file}') FROM customer
SELECT getenv('HOME')
SELECT current_setting('temp_directory')
SELECT getvariable('x')
SELECT nextval('x')
SELECT error('x')
SELECT current_database(), current_schema()
SELECT current_catalog
SELECT session_user
SELECT version()
SELECT txid_current()
SELECT pg_typeof(kind) FROM customer
SELECT write_log('x')
SELECT json_execute_serialized_sql('x')
SELECT * FROM duckdb_views()
SELECT * FROM duckdb_tables()
SELECT * FROM duckdb_columns()
SELECT * FROM duckdb_functions()
SELECT * FROM duckdb_settings()
SELECT * FROM duckdb_secrets()
SELECT * FROM duckdb_databases()
SELECT * FROM duckdb_temporary_files()
SELECT * FROM duckdb_logs()
SELECT * FROM duckdb_views
SELECT * FROM sqlite_master
SELECT * FROM sqlite_schema
SELECT * FROM sqlite_temp_master
SELECT * FROM pg_catalog.pg_views
SELECT * FROM pg_views
SELECT * FROM pg_class
SELECT * FROM information_schema.tables
SELECT * FROM information_schema.columns
SELECT * FROM pragma_table_info('customer')
SELECT * FROM pragma_database_list
SELECT * FROM pragma_show('customer')
SELECT * FROM show_tables
SELECT * FROM main.customer
SELECT * FROM temp.customer
SELECT * FROM temp.main.customer
SELECT * FROM temp.main.base_gym_contract
SELECT * FROM base_gym_contract
SELECT * FROM "BASE_gym_contract"
SELECT * FROM base_whole_gym_contract
SELECT * FROM base_hidden
SELECT * FROM base_part_0_base_whole_gym_contract
SELECT * FROM base_kept_1
SELECT * FROM base_with_1
WITH a AS (SELECT 1 AS x) SELECT * FROM base_with_1
WITH base_gym_contract AS (SELECT 1 AS x) SELECT * FROM base_gym_contract
WITH base_with_1 AS (SELECT 1 AS x), a AS (SELECT 2 AS x) SELECT * FROM base_with_1
SELECT * FROM (DESCRIBE customer)
SELECT * FROM (SUMMARIZE gym_contract)
SELECT * FROM (SUMMARIZE base_gym_contract)
SELECT * FROM (SHOW TABLES)
SELECT * FROM (SHOW ALL TABLES)
SELECT * FROM (PRAGMA database_list)
SELECT * FROM (PIVOT "{file}" ON tier)
PIVOT "{file}" ON tier
UNPIVOT "{file}" ON tier INTO NAME a VALUE b
FROM (UNPIVOT "{file}" ON tier)
SELECT * FROM customer AT (VERSION => 1)
SELECT * FROM "{file}" TABLESAMPLE 100%
SELECT * FROM $file
SELECT * FROM ?
SELECT * FROM IDENTIFIER('{file}')
SELECT COLUMNS('.*') FROM customer
DESCRIBE "{file}"
SUMMARIZE "{file}"
SHOW TABLES
EXPLAIN SELECT * FROM "{file}"
EXPLAIN ANALYZE SELECT * FROM "{file}"
PRAGMA show_tables
PRAGMA storage_info('customer')
CALL duckdb_settings()
COPY customer TO '{folder}/out.csv'
COPY (SELECT * FROM "{file}") TO '{folder}/out.csv'
COPY customer FROM '{file}'
EXPORT DATABASE '{folder}/out'
IMPORT DATABASE '{folder}'
ATTACH '{db}' AS other
ATTACH '{db}' (TYPE sqlite)
DETACH memory
USE temp
INSTALL httpfs
LOAD sqlite
SET enable_external_access = true
SET VARIABLE x = 1
RESET lock_configuration
CREATE TABLE x AS SELECT * FROM "{file}"
CREATE VIEW x AS SELECT * FROM "{file}"
CREATE MACRO customer() AS TABLE SELECT * FROM "{file}"
CREATE SECRET s (TYPE s3)
INSERT INTO customer SELECT * FROM "{file}"
UPDATE customer SET kind = 'x'
DELETE FROM customer
MERGE INTO customer USING "{file}" ON true WHEN MATCHED THEN DELETE
TRUNCATE customer
DROP VIEW customer
ALTER TABLE customer ADD COLUMN x INT
VACUUM
CHECKPOINT
BEGIN
PREPARE x AS SELECT * FROM "{file}"
EXECUTE x
SELECT 1; SELECT * FROM "{file}"
SELECT 1 INTO x
WITH a AS (DELETE FROM customer RETURNING *) SELECT * FROM a
WITH a AS (INSERT INTO customer VALUES (1) RETURNING *) SELECT * FROM a
SELECT * FROM customer WHERE kind GLOB '*'
SELECT x::STRUCT(a INT) FROM customer
SELECT {{'a': 1}}
SELECT [x FOR x IN ['{file}']]
""".strip().splitlines()

# What may be asked, in the dress of the doors above; the member is in no answer.
GUARDED = """
SELECT * FROM gym_contract
FROM gym_contract
TABLE gym_contract
SELECT tier, count(*) AS n FROM gym_contract GROUP BY ALL
SELECT * FROM "GYM_Contract" AS "{file}"
WITH "{file}" AS (SELECT tier FROM gym_contract) SELECT * FROM "{file}"
WITH gym_contract AS (SELECT tier FROM gym_contract) SELECT * FROM gym_contract
WITH a AS (SELECT tier FROM gym_contract), "A b" AS (SELECT * FROM A) SELECT * FROM "a B"
SELECT tier FROM gym_contract v, (WITH gym_contract AS (SELECT 1 AS x) SELECT x FROM gym_contract) z
SELECT c.kind, v.tier FROM customer c LEFT JOIN gym_contract v ON v.owner_id = c.customer_id
SELECT tier FROM gym_contract WHERE (SELECT count(*) FROM gym_contract) < 9
SELECT (SELECT max(tier) FROM gym_contract) AS most
SELECT tier FROM gym_contract UNION SELECT kind FROM interaction
SELECT * FROM interaction
SELECT * FROM (customer c JOIN gym_contract v ON v.owner_id = c.customer_id)
SELECT * FROM population
SELECT "user" FROM (SELECT tier AS "user" FROM gym_contract) v
SELECT tier /* {file} */ FROM gym_contract -- {file}
""".strip().splitlines()


@pytest.fixture
def house(world) -> Iterator[tuple[Callable[[], Session], dict[str, str]]]:
    """A way to open the asker's session, and what the doors name."""
    for name, tier in (("Ann", "gold"), ("Bob", CANARY)):
        person = world.customer(name=name)
        world.record("gym.contract", f"K-{name}", "2026-01-05", person, tier=tier)
        world.visit(person, "2026-02-01T09:00", ref=f"V-{name}", lessons=[tier])
    hidden = frozenset({person, world.store.records.find("gym.contract", "K-Bob").id})
    world.warehouse.refresh()
    (file,) = (world.folder / "warehouse" / "gym_contract").glob("*.parquet")
    assert CANARY in pq.read_table(file)["tier"].to_pylist()
    names = {
        "file": str(file), "folder": str(world.folder / "warehouse"),
        "db": str(world.folder / "crmkit.db"),
    }  # fmt: skip
    tables = world.warehouse._tables()

    def opened() -> Session:
        return Session(SealedEngine(Limits(seconds=20)), GuardedTables(tables, hidden, {}))

    yield opened, names


def _shown(table: pa.Table) -> str:
    return str(table.to_pylist())


def test_every_other_door_is_shut(house, at) -> None:
    opened, names = house
    assert len(REFUSED) > 150
    open_doors = []
    with opened() as session:
        frame = session.frame(at("2026-12-31"), "report")
        for door in REFUSED:
            try:
                frame.query(door.format(**names))
            except SqlRefused as error:
                if CANARY in str(error) and CANARY not in door:
                    open_doors.append(f"{door}: {error}")
            else:
                open_doors.append(door)
    assert open_doors == []


def test_what_may_be_asked_is_answered_without_the_hidden_member(house, at) -> None:
    opened, names = house
    with opened() as session:
        frame = session.frame(at("2026-12-31"), "report")
        answers = {door: _shown(frame.query(door.format(**names))) for door in GUARDED}
    assert [door for door, answer in answers.items() if CANARY in answer] == []
    # The other member is there, so the answers are not merely empty.
    assert [door for door, answer in answers.items() if answer == "[]"] == []


def test_beneath_the_check_the_engine_itself_opens_nothing(house, at) -> None:
    """The same doors, put to the engine as they are: none of them reaches a file."""
    opened, names = house
    files = sorted(Path(names["folder"]).parent.rglob("*"))
    open_doors = []
    with opened() as session:
        session.frame(at("2026-12-31"), "report").query("SELECT 1 FROM gym_contract, customer")
        for door in REFUSED:
            if "base_" in door.lower() or CANARY in door:
                continue  # our own names, which only the check keeps from the asker
            try:
                answer = _shown(session.engine.query(door.format(**names), {}))
            except (CrmkitError, AttributeError):
                continue  # a statement that gives no rows has no table of them
            if CANARY in answer:
                open_doors.append(door)
    assert open_doors == []
    assert sorted(Path(names["folder"]).parent.rglob("*")) == files


def test_an_error_does_not_tell_a_value_of_the_hidden_member(house, at) -> None:
    opened, _ = house
    for sql in (
        "SELECT CAST(tier AS DOUBLE) FROM gym_contract",
        "SELECT CAST(tier AS DATE) FROM gym_contract WHERE tier <> 'gold'",
        "SELECT CAST(tier AS BIGINT) + 1 FROM gym_contract WHERE tier LIKE 'c%'",
    ):
        with opened() as session:
            try:
                session.frame(at("2026-12-31"), "report").query(sql)
            except SqlRefused as error:
                assert CANARY not in str(error)


def test_the_sealed_engine_answers_as_the_other_does(house, at, world) -> None:
    with (
        Session(SealedEngine(Limits()), world.warehouse._tables()) as sealed,
        world.warehouse.session() as plain,
    ):
        for name in sorted(world.warehouse.layout.names):
            asked = f"SELECT * FROM {name}"
            answers = [s.frame(at("2026-12-31"), "report").query(asked) for s in (sealed, plain)]
            assert answers[0].schema == answers[1].schema
            assert sorted(map(str, answers[0].to_pylist())) == sorted(
                map(str, answers[1].to_pylist())
            )
