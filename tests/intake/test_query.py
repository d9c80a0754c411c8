"""A query of another database, imported as a file is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from crmkit.errors import InputRefused, NotFound, ProfileError, UsageError
from crmkit.intake.sql_rows import check_query

PROFILE = """
name = "p"
[source]
name = "p"
format = "sql"
query = "SELECT no AS id, label AS name, fee, born FROM client ORDER BY no"
key = ["id"]
[[emit]]
entity = "customer"
key = "id"
[emit.fields]
name = "name"
[[emit]]
entity = "shop.customer"
[emit.fields]
score = "fee"
born_on = "born"
"""


@pytest.fixture
def billing(tmp_path: Path) -> Path:
    path = tmp_path / "billing.db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE client (no INTEGER, label TEXT, fee REAL, born TEXT, x BLOB)"
        )
        connection.executemany(
            "INSERT INTO client VALUES (?, ?, ?, ?, ?)",
            [(1, 'O\'Brien, "Jo"', 12.5, "1990-01-31", b"\xff"), (2, "王\n伟", None, None, None)],
        )
    connection.close()
    return path


def run(lite, url, profile=PROFILE, **options):
    path = lite.write("query.toml", profile)
    return lite.intake.import_file(url, str(path), **options)


def test_its_rows_are_stored_and_found_unchanged(lite, billing):
    first = run(lite, f"sqlite:///{billing}")
    again = run(lite, f"sqlite:///{billing}")
    assert (first.read, first.created, again.unchanged) == (2, 2, 2)
    assert lite.sql("select name from customer order by id") == [('O\'Brien, "Jo"',), ("王\n伟",)]
    assert lite.sql("select score, born_on from shop_customer order by customer_id") == [
        (12.5, "1990-01-31"), (None, None),
    ]  # fmt: skip


def test_a_changed_row_is_updated(lite, billing):
    run(lite, f"sqlite:///{billing}")
    with sqlite3.connect(billing) as connection:
        connection.execute("UPDATE client SET label = 'Li Lei' WHERE no = 2")
    connection.close()
    again = run(lite, f"sqlite:///{billing}")
    assert (again.updated, again.unchanged) == (1, 1)


def test_the_url_may_stand_in_the_profile_or_the_environment(lite, billing, monkeypatch):
    monkeypatch.setenv("BILLING_URL", f"sqlite:///{billing}")
    profile = PROFILE.replace("query =", 'url = "$BILLING_URL"\nquery =')
    assert run(lite, None, profile).created == 2
    assert lite.one("select file_name from import_run") == f"sqlite:///{billing}"


def test_a_rejected_row_is_mended_in_a_csv_file(lite, billing):
    profile = PROFILE.replace("born FROM", "no || '!' AS born FROM")
    first = run(lite, f"sqlite:///{billing}", profile)
    assert (first.rejected, first.created) == (2, 0)
    mended = Path(first.rejects_file).read_text(encoding="utf-8")
    lite.write("mended.csv", mended.replace("1!", "1990-01-31").replace("2!", ""))
    assert run(lite, lite.folder / "mended.csv", profile).created == 2


def test_the_password_is_kept_nowhere(lite):
    with pytest.raises(InputRefused) as caught:
        run(lite, "postgresql+psycopg://joe:s3cret@127.0.0.1:1/billing?connect_timeout=1")
    assert caught.value.code == "E_QUERY"
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM client", "SELECT 1; DELETE FROM client", "DROP TABLE client", "PRAGMA x",
        "SELECT * INTO copy FROM client", "SELECT * FROM client FOR UPDATE", "SELECT FROM WHERE (", "",
        "WITH gone AS (DELETE FROM client RETURNING no) SELECT * FROM gone",
    ],
)  # fmt: skip
def test_a_query_that_is_not_one_select_is_refused(query):
    with pytest.raises(InputRefused) as caught:
        check_query(query, "postgresql")
    assert caught.value.code == "E_QUERY"


@pytest.mark.parametrize(
    "query",
    ["SELECT 1", "WITH a AS (SELECT 1 AS id) SELECT * FROM a", "SELECT 1 UNION ALL SELECT 2",
     "SELECT * FROM client WHERE label LIKE 'a%' AND x = ':b'"],
)  # fmt: skip
def test_a_select_is_taken(query):
    check_query(query, "postgresql")


def test_bytes_are_refused_where_they_are_read(lite, billing):
    with pytest.raises(InputRefused, match="column 'name' of the query holds bytes"):
        run(lite, f"sqlite:///{billing}", PROFILE.replace("label AS", "x AS"))


def test_a_database_that_is_not_there_is_not_made(lite, tmp_path):
    with pytest.raises(NotFound):
        run(lite, f"sqlite:///{tmp_path / 'no.db'}")
    assert not (tmp_path / "no.db").exists()


def test_what_the_database_refuses_is_told(lite, billing):
    with pytest.raises(InputRefused, match="no such table: customer_of_ours"):
        run(lite, f"sqlite:///{billing}", PROFILE.replace("client", "customer_of_ours"))


def test_a_query_needs_its_format_and_a_url(lite, billing):
    with pytest.raises(ProfileError, match="needs a query"):
        run(lite, f"sqlite:///{billing}", PROFILE.replace("query =", "# query ="))
    with pytest.raises(ProfileError, match='is for format = "sql"'):
        run(lite, f"sqlite:///{billing}", PROFILE.replace('format = "sql"', ""))
    with pytest.raises(UsageError, match="no file or database is given"):
        run(lite, None)


def test_files_are_never_fetched(lite):
    profile = PROFILE.replace('format = "sql"', "").replace("query =", "# query =")
    with pytest.raises(UsageError, match="files are never fetched"):
        run(lite, "http://127.0.0.1:1/rows.csv", profile)


def test_a_query_reads_each_database(shop):
    shop.load(
        "id,name,fee,born\n1,a,2,\n2,b,,\n",
        PROFILE.replace('format = "sql"', "").replace("query =", "# query ="),
    )
    query = "SELECT r.ref AS id, c.name || '%' AS name, NULL AS fee, NULL AS born FROM customer c JOIN customer_ref r ON r.customer_id = c.id WHERE r.source = 'p'"
    profile = PROFILE.replace(
        "SELECT no AS id, label AS name, fee, born FROM client ORDER BY no", query
    )
    url = shop.store.engine.url.render_as_string(hide_password=False)
    assert run(shop, url, profile, source="copy").created == 2
