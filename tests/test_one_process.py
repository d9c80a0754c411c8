"""What one process that keeps a workspace open does is seen by every other process."""

from __future__ import annotations

import sqlite3

import pytest

import crmkit
from crmkit.testing.samples import write_customers, write_profile


@pytest.fixture
def shop(tmp_path):
    write_profile(tmp_path / "sample.toml")
    write_customers(tmp_path / "one.csv", 3)
    write_customers(tmp_path / "more.csv", 7)
    with crmkit.init(tmp_path / "shop") as crm:
        yield crm


def seen_by_another_process(database) -> int:
    """Customers in the database as a process without any shared memory sees it.

    A copy of file and write-ahead log stands for that process: another connection of this one would
    share the log's index, by which SQLite finds what only this process can see.
    """
    copy = database.with_name("copy.db")
    copy.write_bytes(database.read_bytes())
    log = database.with_name(database.name + "-wal")
    copied_log = copy.with_name(copy.name + "-wal")
    copied_log.write_bytes(log.read_bytes() if log.exists() else b"")
    connection = sqlite3.connect(copy)
    try:
        return connection.execute("select count(*) from customer").fetchone()[0]
    finally:
        connection.close()
        copy.unlink()
        copied_log.unlink(missing_ok=True)


def test_what_is_written_after_a_snapshot_is_seen_by_other_processes(shop, tmp_path):
    """The snapshot reads SQLite by a second copy of its library, which does not see the locks that
    this process holds through the first (https://www.sqlite.org/howtocorrupt.html, 2.2.1): closing
    its connection, it takes itself for the last one and removes the log that the first still
    writes to.
    """
    database = tmp_path / "shop" / "crmkit.db"
    profile = str(tmp_path / "sample.toml")
    shop.import_file(tmp_path / "one.csv", profile=profile)
    assert shop.warehouse.refresh().tables["customer"] == 3
    shop.import_file(tmp_path / "more.csv", profile=profile)
    assert seen_by_another_process(database) == 7
    assert shop.warehouse.refresh().tables["customer"] == 7


def test_the_log_stays_while_a_connection_is_open(shop, tmp_path):
    """A connection that is in use when a snapshot is taken keeps its log."""
    database = tmp_path / "shop" / "crmkit.db"
    profile = str(tmp_path / "sample.toml")
    shop.import_file(tmp_path / "one.csv", profile=profile)
    with shop.store.read() as connection:
        customers = shop.store.tables["customer"]
        assert len(connection.execute(customers.select()).all()) == 3
        shop.warehouse.refresh()
        shop.import_file(tmp_path / "more.csv", profile=profile)
        assert seen_by_another_process(database) == 7
