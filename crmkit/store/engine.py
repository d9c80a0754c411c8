"""Engines: one set-up for SQLite and one for PostgreSQL, and what their errors mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..errors import (
    Busy,
    ConfigError,
    Contended,
    CrmkitError,
    DatabaseDamaged,
    NotPermitted,
    SchemaOutdated,
    StorageError,
    UsageError,
)
from ..private import make_file
from .login import check_encoding, login_fault

# Reliability section 5: below ten seconds nobody hears of another writer.
WAIT_SECONDS = 10
WRITES = "crmkit_writes"
DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "sqlite+pysqlite": "sqlite",
}


def make_engine(url: str, *, create: bool = True, password: str | None = None) -> Engine:
    """An engine for ``sqlite:///FILE`` or ``postgresql+psycopg://...``.

    Args:
        create: False refuses a SQLite file that is not there, which SQLite would make.
        password: of the account on a server; it goes before one in the URL.

    Raises:
        ConfigError: if the URL is neither, the file is not there, or psycopg is not installed.
    """
    parsed = _parsed(url)
    if parsed.drivername not in DRIVERS:
        raise ConfigError(f"no store for {parsed.drivername!r} databases.", hint=_URL_HINT)
    parsed = parsed.set(drivername=DRIVERS[parsed.drivername])
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed, create=create)
    return _postgresql_engine(parsed.set(password=password) if password else parsed)


def split_password(url: str) -> tuple[str, str | None]:
    """A database URL without its password, and the password, or None where it has none.

    Raises:
        ConfigError: if it is not a URL; the message does not repeat it.
    """
    parsed = _parsed(url)
    given = parsed.query.get("password")
    # In its options libpq takes the last of several.
    option = given[-1] if isinstance(given, tuple) else given
    password = option or parsed.password
    if password is None:
        return url, None
    # Not set(), to which None means that the password stays.
    bare = parsed.difference_update_query(["password"])._replace(password=None)
    return bare.render_as_string(hide_password=False), password


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # Their messages would show the password.
        raise ConfigError("the database URL cannot be read.", hint=_URL_HINT) from None


_URL_HINT = "Use sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME."


def _sqlite_engine(url: URL, *, create: bool) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise ConfigError("a store needs a file; SQLite in memory has one per connection.")
    path = Path(str(url.database))
    if not create and not path.exists():
        raise ConfigError(
            f"the database file {path} is not there.",
            hint="Restore it from a backup, or mend database in crmkit.toml. To begin anew, run "
            "crmkit init with another folder.",
        )
    engine = create_engine(url, connect_args={"timeout": WAIT_SECONDS})
    event.listen(engine, "do_connect", _creating if create else _never_creating)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _creating(
    _dialect: object, _record: object, arguments: list[Any], _options: dict[str, Any]
) -> None:
    """Makes the file with a mode of ours; its log and its index then have the same."""
    with suppress(OSError):  # which SQLite tells in its own words
        make_file(arguments[0])


def _never_creating(
    _dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]
) -> None:
    """Opens the file without making it, also if it vanishes after it was seen."""
    arguments[0] = f"file:{quote(arguments[0])}?mode=rw"
    options["uri"] = True


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transaction handling begins late and commits before DDL; ours does neither.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {WAIT_SECONDS * 1000}",
        "journal_mode = WAL",
        # NORMAL may lose the last commits when the power fails.
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once. A transaction that reads first and writes later fails as soon
    # as another writer came between, and no waiting helps it (2,790 of 4,000 in a trial).
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql_engine(url: URL) -> Engine:
    options = f"-c timezone=UTC -c lock_timeout={WAIT_SECONDS * 1000}"
    try:
        engine = create_engine(
            url, connect_args={"options": options, "connect_timeout": WAIT_SECONDS}
        )
    except (ImportError, NoSuchModuleError):
        raise ConfigError(
            "PostgreSQL needs psycopg, which is not installed.",
            hint="Install it with: pip install 'crmkit[postgres]'",
        ) from None

    def check(connection: Any, _record: object) -> None:
        check_encoding(connection, url)

    # Before SQLAlchemy's own look at the server, which stumbles over a database in SQL_ASCII.
    event.listen(engine, "connect", check, insert=True)
    return engine


@contextmanager
def translated() -> Iterator[None]:
    """Turns what the drivers raise into crmkit's own errors, without values of customers.

    Raises:
        Busy: another writer held the database for longer than ten seconds.
        Contended: a deadlock or a serialisation failure.
        StorageError: disk full, read-only, or the server went away.
        DatabaseDamaged: a page or a text in it is not what was written.
        SchemaOutdated: a table or column is not there.
        NotPermitted: the database account may not.
        UsageError: a uniqueness or reference rule was broken.
    """
    try:
        yield
    except PoolTimeout:
        raise Busy(
            "this process has no database connection to spare.", hint="Try again in a moment."
        ) from None
    except DBAPIError as error:
        meaning = _meaning(error)
        if meaning is None:
            raise
        raise meaning from error
    except StatementError as error:
        # SQLAlchemy wraps what a column type refuses; the refusal says enough by itself.
        if isinstance(error.orig, CrmkitError):
            raise error.orig from None
        raise


def _meaning(error: DBAPIError) -> CrmkitError | None:
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_meaning(error, error.orig)
    return _postgresql_meaning(error, error.orig)


def _busy() -> Busy:
    return Busy(
        f"another process has been writing to the database for more than {WAIT_SECONDS} seconds.",
        hint="Nothing was changed; run the same command again.",
    )


def _conflict(rule: str) -> UsageError:
    return UsageError(
        f"the database refuses the change: {rule}.",
        code="E_CONFLICT",
        hint="Nothing was changed.",
    )


_SQLITE_STORAGE = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk reports an I/O error (full disks do that too)",
    sqlite3.SQLITE_READONLY: "the database file or its folder is read-only",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
    sqlite3.SQLITE_PERM: "the database file may not be accessed",
}
_SQLITE_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_KEPT = "Committed data are intact."
_CHECK_DISK = "Check the disk, then run: crmkit doctor"


def _sqlite_meaning(error: DBAPIError, orig: sqlite3.Error) -> CrmkitError | None:
    # The extended code keeps the primary one in its lowest byte. Errors that the driver finds by
    # itself have none.
    code = (getattr(orig, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return _busy()
    text = str(orig)
    if code in _SQLITE_DAMAGED:
        return DatabaseDamaged(text)
    if text.startswith("Could not decode to UTF-8"):
        # The rest is the value itself.
        return DatabaseDamaged("a text in it is not UTF-8")
    if code in _SQLITE_STORAGE:
        hint = _CHECK_DISK if code == sqlite3.SQLITE_IOERR else _KEPT
        return StorageError(f"{_SQLITE_STORAGE[code]}.", hint=hint)
    if text.startswith(("no such table", "no such column")) or "has no column named" in text:
        return SchemaOutdated(f"{text}.", hint="Run: crmkit db upgrade")
    if isinstance(error, IntegrityError):
        # SQLite names tables and columns here, never values.
        return _conflict(text)
    return None


_PG_STORAGE = {
    "53": "the server is out of disk, memory or connections",
    "58": "the server reports an I/O error",
    "08": "the connection to the server was lost",
    "57P": "the server is shutting down or starting",
    "25006": "the database is read-only",
}
_PG_DAMAGED = ("XX001", "XX002")  # data corrupted, index corrupted
_PG_BUSY = ("55P03", "57014")
_PG_CONTENDED = ("40001", "40P01")  # serialisation failure, deadlock
_PG_MISSING = ("42P01", "42703", "3F000")


def _postgresql_meaning(error: DBAPIError, orig: Any) -> CrmkitError | None:
    state: str = getattr(orig, "sqlstate", None) or ""
    if state in _PG_BUSY:
        return _busy()
    if state in _PG_CONTENDED:
        return Contended(
            "another process keeps changing what this one changes.",
            hint="Nothing was changed; run the same command again.",
        )
    diagnosis = getattr(orig, "diag", None)
    primary = getattr(diagnosis, "message_primary", None) or state
    if state in _PG_DAMAGED:
        return DatabaseDamaged(primary)
    for prefix, meaning in _PG_STORAGE.items():
        if state.startswith(prefix):
            hint = _CHECK_DISK if prefix == "58" else _KEPT
            return StorageError(f"{meaning}: {primary}.", hint=hint)
    if not state and (error.connection_invalidated or type(orig).__name__ == "OperationalError"):
        return login_fault(str(orig))
    if state in _PG_MISSING:
        return SchemaOutdated(f"{primary}.", hint="Run: crmkit db upgrade")
    if state == "42501":
        return NotPermitted(f"the database account may not do this: {primary}.")
    if state.startswith("28") or state == "3D000":
        return login_fault(f"FATAL: {primary}")
    if isinstance(error, IntegrityError):
        # Only the constraint's name: the details hold the customer's values.
        name = getattr(diagnosis, "constraint_name", None) or state
        return _conflict(f"rule {name}")
    return None
