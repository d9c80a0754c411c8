"""A database query as a file: its rows are spooled, so that they are hashed, numbered and resumed.

The query runs once, read-only, and to its end, so that an import sees one state of the database.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from ..errors import InputRefused, NotFound, UsageError
from .profile import Profile
from .writing import Writing

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection

ROWS_AT_ONCE = 10_000
_READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET TRANSACTION READ ONLY",
}
_DIALECTS = {
    "postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql", "mssql": "tsql",
    "oracle": "oracle", "sqlite": "sqlite",
}  # fmt: skip


def is_url(path: str | Path) -> bool:
    """Whether a name is that of a database and not of a file."""
    return "://" in str(path) or str(path).startswith("$")


@contextmanager
def query_rows(given: str | Path | None, profile: Profile) -> Iterator[tuple[BinaryIO, str]]:
    """The result of the profile's query as a CSV file, and the database's name without its secrets.

    Args:
        given: the database's URL, instead of the profile's; ``$NAME`` is taken from the environment.
        profile: its ``query`` is run.

    Raises:
        UsageError: if no URL is given, or the profile has no query.
        InputRefused: ``E_QUERY`` if it is not one SELECT, or the database refuses it.
    """
    query = profile.source.query
    if query is None:
        raise UsageError(
            f"{given} is no file, and profile {profile.name} has no query.",
            hint='Set format = "sql" and query in its [source]; files are never fetched.',
        )
    url = _url(str(given or profile.source.url or ""), profile.name)
    check_query(query, url.get_backend_name())
    with TemporaryFile(prefix="crmkit-") as spool:
        _spool(url, query, profile, spool)
        spool.seek(0)
        yield spool, shown_url(url)


def shown_url(url: URL) -> str:
    """A URL without password and options."""
    return url.set(query={}).render_as_string(hide_password=True)


def _url(text: str, profile: str) -> URL:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    if text.startswith("$"):
        name, text = text[1:], os.environ.get(text[1:], "")
        if not text:
            raise UsageError(f"the environment has no {name}, which is to hold the database's URL.")
    if not text:
        raise UsageError(
            f"no file or database is given, and profile {profile} has no url.",
            hint="Give a file, or a URL such as postgresql://reader@host/billing.",
        )
    try:
        url = make_url(text)
    except ArgumentError:
        # Its message would show the password.
        raise InputRefused("the database's URL cannot be read.", code="E_QUERY") from None
    path = url.database
    if url.get_backend_name() == "sqlite" and path and not Path(path).is_file():
        # SQLite would make an empty database of that name.
        raise NotFound("file", path)
    return url


def check_query(query: str, backend: str) -> None:
    """Checks that a query is one SELECT that changes nothing.

    Raises:
        InputRefused: ``E_QUERY``.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        found = [s for s in sqlglot.parse(query, dialect=_DIALECTS.get(backend)) if s is not None]
    except SqlglotError as error:
        words = str(error).splitlines()[0]
        raise InputRefused(f"the query cannot be read: {words}", code="E_QUERY") from None
    writing = (exp.DML, exp.DDL, exp.Command, exp.Into, exp.Lock)
    if (
        len(found) != 1
        or not isinstance(found[0], exp.Query)
        or any(not isinstance(n, exp.Query) for n in found[0].find_all(*writing))
    ):
        raise InputRefused(
            "the query is not one SELECT that only reads.", code="E_QUERY",
            hint="Write one SELECT, without INTO and FOR UPDATE.",
        )  # fmt: skip


def _spool(url: URL, query: str, profile: Profile, spool: IO[bytes]) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
    from sqlalchemy.pool import NullPool

    try:
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            _write_rows(connection, query, profile, spool)
    except (NoSuchModuleError, ImportError) as error:
        raise InputRefused(
            f"{shown_url(url)}: {error}.", code="E_QUERY",
            hint="Install the database's driver for SQLAlchemy.",
        ) from None  # fmt: skip
    except SQLAlchemyError as error:
        words = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise InputRefused(f"{shown_url(url)}: {words}.", code="E_QUERY") from None


def _write_rows(connection: Connection, query: str, profile: Profile, spool: IO[bytes]) -> None:
    if read_only := _READ_ONLY.get(connection.dialect.name):
        connection.exec_driver_sql(read_only)
    # Without parameters the driver leaves % and : in the query alone.
    options = {"stream_results": True, "yield_per": ROWS_AT_ONCE, "no_parameters": True}
    result = connection.exec_driver_sql(query, execution_options=options)
    names = list(result.keys())
    writing, used = Writing(profile), set(profile.used)
    # What is no Unicode is written as it is, for the reader to reject it with its line.
    out = io.TextIOWrapper(spool, "utf-8", errors="surrogatepass", newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for rows in result.partitions():
        writer.writerows([_texts(row, names, writing, used) for row in rows])
    out.flush()
    out.detach()


def _texts(row: Any, names: list[str], writing: Writing, used: set[str]) -> list[str]:
    cells = []
    for name, value in zip(names, row, strict=True):
        try:
            cells.append(writing.text(name, value) or "")
        except ValueError as error:
            if name in used:
                raise InputRefused(
                    f"column {name!r} of the query {error}.", code="E_QUERY",
                    hint="Cast it to text in the query.",
                ) from None  # fmt: skip
            cells.append(bytes(value).hex())
    return cells
