"""``crmkit snapshot``, ``sql`` and ``feature``."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from .conftest import Crmkit


@pytest.fixture
def people(crmkit: Crmkit, shop: Path) -> Path:
    """A workspace with two customers in two regions; Ann has called."""
    for name, region in (("Ann", "north"), ("Bob", "south")):
        crmkit("customer", "add", name, "--region", region, "--ref", f"billing:{name.lower()}")
    crmkit("interaction", "log", "ann", "core.call", "--at", "2026-02-01T10:00:00Z")
    return shop


def test_snapshot_lists_its_tables_and_says_what_is_new(crmkit: Crmkit, people: Path) -> None:
    done = crmkit("snapshot", "--format", "json")
    rows = {row["table"]: row["rows"] for row in done.rows}
    assert rows["customer"] == 2
    assert rows["core_call"] == 1
    assert "all read anew" in done.err
    assert "0 of them new" in crmkit("snapshot").err


def test_snapshot_verify_gives_the_figures_that_differ(crmkit: Crmkit, people: Path) -> None:
    assert crmkit("snapshot", "--verify", "--format", "json").rows == []
    # Changed in the database behind the program's back, without a transaction to be taken in.
    with closing(sqlite3.connect(people / "crmkit.db")) as database, database:
        database.execute("UPDATE customer SET region = NULL WHERE region = 'north'")
    (row,) = crmkit("snapshot", "--verify", "--format", "json", code=1).rows
    assert row == {"table": "customer", "figure": "region", "snapshot": 2, "store": 1}


def test_sql_answers_and_names_customers_by_their_key(crmkit: Crmkit, people: Path) -> None:
    text = "SELECT customer_id, region FROM customer ORDER BY region"
    assert crmkit("sql", text, "--format", "json").rows == [
        {"ref": "ann", "name": "Ann", "region": "north"},
        {"ref": "bob", "name": "Bob", "region": "south"},
    ]


def test_sql_sees_what_was_there_by_the_date(crmkit: Crmkit, people: Path) -> None:
    text = "SELECT count(*) AS n FROM core_call"
    assert crmkit("sql", text, "--as-of", "2026-01-31", "--format", "json").rows == [{"n": 0}]
    assert crmkit("sql", text, "--as-of", "2026-02-01", "--format", "json").rows == [{"n": 1}]


def test_sql_may_read_features(crmkit: Crmkit, people: Path) -> None:
    text = "SELECT core_contacts_90d AS n FROM feature ORDER BY n"
    rows = crmkit("sql", text, "--format", "json").rows
    assert len(rows) == 2


def test_sql_from_stdin(crmkit: Crmkit, people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 2 AS two"))
    assert crmkit("sql", "-", "--format", "json").rows == [{"two": 2}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("DELETE FROM customer", "one SELECT is allowed, not DELETE"),
        ("SELECT * FROM customer_ref", "there is no table 'customer_ref'"),
        ("SELECT now()", "function now is not allowed"),
        ("SELECT name FROM customer", "name"),
    ],
)
def test_sql_refuses_what_is_not_allowed(
    crmkit: Crmkit, people: Path, text: str, words: str
) -> None:
    done = crmkit("sql", text, code=2)
    assert words in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM read_text('{file}')",
        "SELECT 1; COPY customer TO '{file}'",
        "ATTACH '{file}' AS other",
        "WITH a AS (SELECT * FROM '{file}') SELECT * FROM a",
    ],
)
def test_sql_reaches_no_file(crmkit: Crmkit, people: Path, text: str) -> None:
    secret = people / "secret.csv"
    secret.write_text("word\nsesame\n")
    done = crmkit("sql", text.format(file=secret), code=2)
    assert done.out == ""
    assert "sesame" not in done.err
    assert secret.read_text() == "word\nsesame\n"


UNFIT = [
    ("SELECT * FROM custmer", "there is no table 'custmer' here (did you mean customer"),
    ("SELECT * FROM core.call", "table core.call is qualified; write core_call."),
    ("SELECT * FROM feature", "table 'feature' has the features that the SQL names"),
    ("SELECT regin FROM customer", "there is no column 'regin' here (did you mean region?)"),
    ("SELECT xyz FROM population", "(its tables have: as_of, as_of_on, subject_id)"),
    (f"SELECT {'(' * 2000}1{')' * 2000}", "nested too deeply: some 40 brackets"),
    (f"{'SELECT * FROM (' * 2000}SELECT 1{')' * 2000}", "nested too deeply"),
    (f"SELECT {'NOT ' * 2000}true", "nested too deeply"),
    (f"SELECT {' + '.join(['1'] * 2000)}", "at most 1000 operators"),
    ("SELECT * FROM ROWS FROM (core_call())", "is not a listed table"),
]


def test_sql_that_cannot_run_says_why_in_our_words(crmkit: Crmkit, people: Path) -> None:
    for text, words in UNFIT:
        done = crmkit("sql", text, code=2)
        assert words in done.err
        assert "E_SQL" in done.err
        assert "Binder" not in done.err
        assert done.out == ""


# A thousand numbers, five times over: 10^15 rows, which no machine counts in a minute.
DIGITS = f"(VALUES {', '.join(f'({n})' for n in range(1000))})"
ENDLESS = (
    "SELECT sum((a.x * b.x + c.x * d.x + e.x) % 7) AS n FROM "
    + ", ".join(f"{DIGITS} {letter}(x)" for letter in "abcde")
)  # fmt: skip


def test_sql_stops_at_its_limits_of_time_and_memory(crmkit: Crmkit, people: Path) -> None:
    done = crmkit("sql", ENDLESS, "--time-limit", "1", code=1)
    assert done.err.startswith("crmkit: E_SQL_TIME the question took longer than 1 s")
    assert "sql_seconds" in done.err
    assert done.out == ""
    wide = (
        f"SELECT x, row_number() OVER (ORDER BY x, y, z) AS place FROM {DIGITS} a(x), {DIGITS} b(y), "
        f"{DIGITS} c(z) ORDER BY place DESC"
    )
    done = crmkit("sql", wide, "--memory-limit", "40", code=1)
    assert done.err.startswith("crmkit: E_SQL_MEMORY the question needs more memory than 40 MB")
    assert done.out == ""
    assert [
        part.name for part in people.rglob("*") if "tmp" in part.name or "spill" in part.name
    ] == []


def test_the_limits_of_the_settings_hold(crmkit: Crmkit, people: Path) -> None:
    with (people / "crmkit.toml").open("a") as settings:
        settings.write("sql_seconds = 1\n")
    assert "longer than 1 s" in crmkit("sql", ENDLESS, code=1).err


def test_ctrl_c_ends_a_question(
    crmkit: Crmkit, people: Path, ctrl_c: Callable[[float], None]
) -> None:
    """As a person at the keyboard: the signal comes while the engine works.

    It comes late enough for the engine to work with all its threads, when it looks for no signal; the
    thousand seconds of the limit would run out the time of the test.
    """
    ctrl_c(2.5)
    done = crmkit("sql", ENDLESS, "--time-limit", "1000", code=130)
    assert "interrupted" in done.err
    assert done.out == ""


def test_sql_has_no_names_contacts_or_keys(crmkit: Crmkit, people: Path) -> None:
    """Presentation adds names through the policy; the tables never hold them (design D17, D19)."""
    every = crmkit("sql", "SELECT * FROM customer", "--columns", "region,kind", "--format", "json")
    assert {row["region"] for row in every.rows} == {"north", "south"}
    for column in ("name", "ref", "email", "phone", "source"):
        done = crmkit("sql", f"SELECT {column} FROM customer", code=2)
        assert column in done.err
    shown = crmkit("sql", "SELECT * FROM customer", "--explain").out
    assert "Ann" not in shown
    for part in (people / "warehouse").rglob("*.parquet"):
        assert b"Ann" not in part.read_bytes()


def test_explain_shows_the_statements_of_every_kind_of_run(crmkit: Crmkit, people: Path) -> None:
    report = crmkit("report", "run", "core.cohort-retention", "--explain", "--engine", "duckdb").out
    assert "-- $months = 24" in report
    assert "read_parquet" in report
    feature = crmkit("feature", "build", "--name", "core.contacts_90d", "--explain").out
    assert "CREATE OR REPLACE TEMP TABLE" in feature
    assert "core_contacts_90d" in feature


def test_an_engine_that_is_not_there_is_refused(crmkit: Crmkit, people: Path) -> None:
    done = crmkit("report", "run", "core.funnel", "--engine", "polars", code=2)
    assert "there is no engine 'polars'" in done.err
    assert "spark://HOST:PORT" in done.err
    assert "leave out --engine" in crmkit("feature", "build", "--customer", "billing:ann", "--engine", "duckdb", code=2).err  # fmt: skip


def test_sql_explain_shows_what_ran(crmkit: Crmkit, people: Path) -> None:
    done = crmkit(
        "sql", "SELECT count(*) AS n FROM core_call", "--explain", "--as-of", "2026-02-01"
    )
    assert "TIMESTAMP '2026-02-02 00:00:00.000000'" in done.out
    # The text as it was understood: every table is one of the session's own.
    last = done.out.rstrip().rpartition("\n\n")[2]
    assert last == 'SELECT COUNT(*) AS "n" FROM "temp"."main"."core_call" AS "core_call";'


def test_feature_list_says_what_each_feature_is(crmkit: Crmkit, people: Path) -> None:
    rows = crmkit("feature", "list", "--format", "json").rows
    assert {"name", "subject", "type", "unit", "title", "feature_set", "scope", "plugin"} <= set(
        rows[0]
    )
    assert "core.contacts_90d" in [row["name"] for row in rows]
    said = crmkit("feature", "list", "--subject", "telecom.subscription", code=2).err
    assert "no subject with features 'telecom.subscription'. Known: customer." in said


def test_feature_build_gives_a_row_per_customer_and_date(crmkit: Crmkit, people: Path) -> None:
    name = "core.days_since_last_interaction"
    rows = crmkit("feature", "build", "--name", name, "--format", "json").rows
    assert [row["ref"] for row in rows] == ["ann", "bob"]
    assert set(rows[0]) == {"ref", "name", "as_of", "core_days_since_last_interaction"}
    assert rows[1]["core_days_since_last_interaction"] is None
    crmkit("interaction", "log", "ann", "core.call")
    today = datetime.now(UTC).date()
    dates = [part for n in (1, 2) for part in ("--as-of", str(today + timedelta(days=n)))]
    both = crmkit("feature", "build", "--name", name, *dates, "--format", "json").rows
    found = [row["core_days_since_last_interaction"] for row in both if row["ref"] == "ann"]
    assert found[1] - found[0] == 1


def test_feature_build_for_one_customer_equals_that_for_all(crmkit: Crmkit, people: Path) -> None:
    date = ("--as-of", "2100-01-01", "--format", "json")
    everyone = crmkit("feature", "build", *date).rows
    one = crmkit("feature", "build", "--customer", "billing:ann", *date).rows
    assert len(one) == 1
    assert one[0].items() <= everyone[0].items()


def test_feature_build_refuses_unknown_names(crmkit: Crmkit, people: Path) -> None:
    assert "Did you mean core.contacts_90d" in crmkit("feature", "build", "--name", "core.contact_90d", code=2).err  # fmt: skip
    assert "neither a day" in crmkit("feature", "build", "--as-of", "yesterday", code=2).err
