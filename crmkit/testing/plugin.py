"""Fixtures for tests of crmkit and of its plugins; pytest loads them by entry point.

================== =============================================================================
``crm_clock``      a clock that stands still until a test sets it
``database_url``   an empty database; the test runs once on SQLite and once on PostgreSQL
``postgresql_url`` an empty PostgreSQL database, or the test is skipped when there is no server
``crm_cache``      the folder where the run keeps what its checks of plugins found
``crm_plugins``    override it to say which plugins ``workspace`` enables; none by default
``crm_settings``   override it to give other settings of ``workspace``, as ``{"currency": "CNY"}``
``workspace``      an open workspace with those plugins, on each database in turn
``sample_customers`` five customers in that workspace; gives their refs
================== =============================================================================

The PostgreSQL server is the one that ``CRMKIT_TEST_POSTGRESQL`` names (a SQLAlchemy URL whose user
may create databases), else one started from the programs found on this machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .clock import SettableClock

if TYPE_CHECKING:
    from ..workspace import Crm


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker of the conformance suite known to runs that take markers strictly."""
    config.addinivalue_line("markers", "slow: minutes long; leave out with -m 'not slow'")


@pytest.fixture
def crm_clock() -> SettableClock:
    """A clock at 2026-03-31 12:00 UTC that stands still."""
    return SettableClock()


@pytest.fixture(scope="session")
def crm_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of the test run's own: a plugin is checked once in a run, and never less."""
    folder = tmp_path_factory.mktemp("crmkit-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The SQLAlchemy URL of a PostgreSQL server for this test run."""
    # Lazy: the plugin is loaded by every pytest run, also by those that need no server.
    from . import postgresql

    named = os.environ.get("CRMKIT_TEST_POSTGRESQL")
    if named:
        yield named
        return
    programs = postgresql.find_server_programs()
    if programs is None:
        pytest.skip("no PostgreSQL: install it, or name a server in CRMKIT_TEST_POSTGRESQL")
    with postgresql.run_server(programs) as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL database of the test's own."""
    from .postgresql import fresh_database

    with fresh_database(postgresql_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The SQLAlchemy URL of an empty database: SQLite first, then PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'crmkit.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def crm_plugins() -> tuple[str, ...]:
    """Plugins that ``workspace`` enables."""
    return ()


@pytest.fixture
def crm_settings() -> Mapping[str, Any]:
    """Settings of ``workspace`` beside plugins and database."""
    return {}


@pytest.fixture
def workspace(
    tmp_path: Path,
    crm_cache: Path,
    database_url: str,
    crm_plugins: tuple[str, ...],
    crm_settings: Mapping[str, Any],
    crm_clock: SettableClock,
) -> Iterator[Crm]:
    """An open workspace in the test's own folder, on each database in turn."""
    import crmkit

    crm = crmkit.init(
        tmp_path / "workspace",
        plugins=crm_plugins,
        database=database_url,
        clock=crm_clock,
        actor="tester",
        **crm_settings,
    )
    with crm:
        yield crm


@pytest.fixture
def sample_customers(workspace: Crm, tmp_path: Path) -> list[str]:
    """Five made-up customers imported into ``workspace``; gives their refs, ``C00000000`` first."""
    from .samples import customer_rows, write_customers, write_profile

    file = write_customers(tmp_path / "sample-customers.csv", 5)
    workspace.import_file(file, profile=str(write_profile(tmp_path / "sample-customers.toml")))
    return [row[0] for row in customer_rows(5)]
