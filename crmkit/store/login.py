"""Why there is no connection to a PostgreSQL server, in the server's words.

A refused connection has no SQLSTATE: libpq tells it as text alone, for each address that it tried.
The text names host, port, account and database, and never a password.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.engine import URL

from ..errors import Busy, ConfigError, CrmkitError, StorageError

# What the server itself answered, whatever its language: the severity stands before it.
_ANSWER = re.compile(r"(?:FATAL|PANIC|ВАЖНО|致命错误)\s*:\s*(.+)")
# It will take the account later.
_LATER = ("starting up", "shutting down", "not yet accepting", "recovery mode")
_FULL = ("too many clients", "too many connections", "remaining connection slots")
_PASSWORD = ("no password supplied", "password authentication failed", "empty password")


def login_fault(text: str) -> CrmkitError:
    """The error for a connection that was refused or lost.

    Args:
        text: what the driver said.

    Returns:
        ConfigError if the server answered and did not take the login (wrong password, no such
        database, no such account), or the client had no password to give; Busy if it has no
        connection to spare; StorageError if it cannot be reached or the connection was lost.
    """
    answers = list(dict.fromkeys(found.strip() for found in _ANSWER.findall(text)))
    told = "; ".join(answers) or _without_prefix(text)
    if any(words in told for words in _FULL):
        return Busy(f"the PostgreSQL server has no connection to spare: {told}.", hint="Try again.")
    if any(words in told for words in _LATER):
        return StorageError(f"the PostgreSQL server is not ready: {told}.", hint="Try again.")
    if any(words in told for words in _PASSWORD):
        return ConfigError(f"the PostgreSQL server refuses the login: {told}.", hint=HINT_OF_LOGIN)
    if answers:
        return ConfigError(
            f"the PostgreSQL server refuses the login: {told}.",
            hint="Mend database in crmkit.toml, or have the server changed.",
        )
    return StorageError(
        f"the PostgreSQL server cannot be reached or closed the connection: {told}.",
        hint="Check the database URL in crmkit.toml and that the server runs.",
    )


HINT_OF_LOGIN = (
    "Check the account in crmkit.toml; its password is taken from CRMKIT_DATABASE_PASSWORD, else from "
    "database_password_file, else from ~/.pgpass."
)


def _without_prefix(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].removeprefix("connection failed: ").rstrip(".") if lines else "no reason given"


def check_encoding(connection: Any, url: URL) -> None:
    """Refuses a database that cannot hold every name.

    Args:
        connection: of psycopg, just opened; it is closed if it is refused.

    Raises:
        ConfigError: unless the database is in UTF-8.
    """
    found = connection.info.parameter_status("server_encoding")
    if found not in ("UTF8", "UNICODE", None):
        connection.close()
        raise ConfigError(
            f"the database {url.database} is encoded in {found}, and crmkit needs UTF8.",
            hint="Make one with: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0",
        )
