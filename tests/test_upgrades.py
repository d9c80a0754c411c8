"""Workspaces of earlier versions, upgraded: nothing is lost, and nothing is allowed that was refused.

``upgrades/make.py`` made the databases with the code of those versions and says how.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from crmkit.entities import ContactRequest
from crmkit.testing.clock import SettableClock
from crmkit.testing.postgresql import fresh_database
from crmkit.workspace import Crm, open_workspace

FOLDER = Path(__file__).parent / "upgrades"
# Their checkouts in the history; the last is that of version 0.1.0 before its core was mended.
VERSIONS = ("d144421",)
ASKED = datetime(2026, 3, 2, 11, tzinfo=UTC)
CHANNELS = ("phone", "email", "letter")
TOML = """plugins = ["telecom", "hotel", "delivery", "banking"]
database = "{database}"
currency = "EUR"
time_zone = "Europe/Berlin"
language = "en"
"""


@frozen
class Earlier:
    """A workspace of an earlier version, and what that version said of it."""

    version: str
    folder: Path
    url: str
    known: dict[str, Any]

    def open(self, **options: Any) -> Crm:
        """The workspace, opened at the noon at which the earlier version was asked."""
        return open_workspace(self.folder, clock=SettableClock(ASKED), actor="tester", **options)


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def earlier(
    request: pytest.FixtureRequest, version: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Earlier]:
    """The workspace as the earlier version left it; a test that upgrades it copies it first."""
    dialect = str(request.param)
    folder = tmp_path_factory.mktemp(version)
    known = json.loads((FOLDER / f"{version}.json").read_text(encoding="utf-8"))
    if dialect == "sqlite":
        yield made_on_sqlite(version, folder)
        return
    with fresh_database(request.getfixturevalue("postgresql_server")) as url:
        restore_postgresql(version, url)
        (folder / "crmkit.toml").write_text(TOML.format(database=url), encoding="utf-8")
        yield Earlier(version, folder, url, known)


def statements(version: str, dialect: str) -> str:
    return gzip.decompress((FOLDER / f"{version}.{dialect}.sql.gz").read_bytes()).decode()


def made_on_sqlite(version: str, folder: Path) -> Earlier:
    """The workspace of a version in a folder of its own."""
    with sqlite3.connect(folder / "crmkit.db") as connection:
        connection.executescript(statements(version, "sqlite"))
    connection.close()
    url = f"sqlite:///{folder / 'crmkit.db'}"
    (folder / "crmkit.toml").write_text(TOML.format(database=url), encoding="utf-8")
    known = json.loads((FOLDER / f"{version}.json").read_text(encoding="utf-8"))
    return Earlier(version, folder, url, known)


def restore_postgresql(version: str, url: str) -> None:
    import psycopg

    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://", 1)) as connection:
        connection.execute(statements(version, "postgresql"))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def upgraded(earlier: Earlier) -> Iterator[Crm]:
    """The workspace after ``crmkit db upgrade`` without any flag."""
    with earlier.open() as crm:
        crm.unchecked_store.upgrade()
        yield crm


def decisions(crm: Crm, ids: dict[str, int], purposes: list[str]) -> dict[tuple[str, str], str]:
    """The policy's code by customer and by purpose and channel."""
    asked = [(ref, channel, purpose) for ref in ids for channel in CHANNELS for purpose in purposes]
    requests = [
        ContactRequest(customer_id=ids[ref], channel=channel, purpose=purpose, at=ASKED)
        for ref, channel, purpose in asked
    ]
    answers = crm.service("contact.policy").ask(requests)
    return {
        (ref, f"{purpose} by {channel}"): answer.code
        for (ref, channel, purpose), answer in zip(asked, answers, strict=True)
    }


def test_no_contact_is_allowed_that_the_earlier_version_refused(
    earlier: Earlier, upgraded: Crm
) -> None:
    before: dict[str, dict[str, str]] = earlier.known["verdicts"]
    purposes = sorted({what.split(" by ")[0] for said in before.values() for what in said})
    after = decisions(upgraded, earlier.known["ids"], purposes)
    now_allowed = [
        (ref, what)
        for ref, said in before.items()
        for what, code in said.items()
        if code != "allowed" and after[ref, what] == "allowed"
    ]
    assert now_allowed == []


def test_no_row_is_lost(earlier: Earlier, upgraded: Crm) -> None:
    before: dict[str, int] = earlier.known["tables"]
    with upgraded.store.read() as connection:
        ask = connection.exec_driver_sql
        after = {t: int(ask(f"SELECT count(*) FROM {t}").scalar_one()) for t in before}
    fewer = {t: (before[t], after[t]) for t in before if after[t] < before[t]}
    assert fewer == {}


def test_an_upgraded_workspace_is_up_to_date(upgraded: Crm) -> None:
    status = upgraded.unchecked_store.status()
    assert (status.pending, status.plan.faults) == (0, ())
    assert upgraded.unchecked_store.upgrade(dry_run=True).empty
    upgraded.unchecked_store.check_schema()
