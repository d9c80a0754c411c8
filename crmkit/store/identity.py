"""Which workspace a database belongs to: ``crmkit.toml`` and the store have to agree on it.

Without this a settings file that was cut off, or a database that was replaced, would be worked with
as if nothing had happened: amounts in another currency, or customers of another workspace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from attrs import frozen
from sqlalchemy import inspect, select
from sqlalchemy.engine import Connection

from ..errors import ConfigError

if TYPE_CHECKING:
    from .store import Store, Tx


class SettingsFile(Protocol):
    """The workspace's ``crmkit.toml``."""

    def read_id(self) -> str:
        """The workspace's id in it, or an empty string."""

    def give_id(self) -> str:
        """The workspace's id in it, which it is given if it has none yet."""


@frozen
class Identity:
    """What the store knows of its workspace."""

    id: str
    currency: str


def kept_identity(store: Store, connection: Connection) -> Identity | None:
    """What the store knows; None for one that no version with this table has upgraded."""
    if not inspect(connection).has_table("workspace"):
        return None
    w = store.tables["workspace"]
    row = connection.execute(select(w.c.id, w.c.currency)).first()
    return None if row is None else Identity(row.id, row.currency)


def check_identity(store: Store, connection: Connection) -> None:
    """Refuses a database and settings that do not belong together.

    Raises:
        ConfigError: naming both sides and what to do.
    """
    kept = kept_identity(store, connection)
    if kept is None or store.file is None:
        return
    found = store.file.read_id()
    if not found:
        raise ConfigError(
            "crmkit.toml has no workspace_id, and its database has one: the file was cut off or "
            "written anew.",
            hint="Restore it from a backup. If all else in it is as you want it, add the line: "
            f'workspace_id = "{kept.id}"',
        )
    if found != kept.id:
        raise ConfigError(
            f"crmkit.toml is of workspace {found}, and the database is of workspace {kept.id}.",
            hint="Restore the one that was replaced, or mend database in crmkit.toml.",
        )
    if store.currency != kept.currency:
        raise ConfigError(
            f"currency in crmkit.toml is {store.currency}, and the amounts in the database are in "
            f"{kept.currency}.",
            hint=f'Set currency = "{kept.currency}" in crmkit.toml.',
        )


def is_unknown(store: Store, connection: Connection) -> bool:
    """Whether the store has yet to learn which workspace it belongs to."""
    return store.file is not None and kept_identity(store, connection) is None


def keep_identity(store: Store, tx: Tx) -> None:
    """Writes down in the store which workspace it belongs to, unless it knows."""
    if store.file is None or not is_unknown(store, tx.connection):
        return
    # The file first: an upgrade that is cut off here finds the id in it and goes on.
    values = {"id": store.file.give_id(), "currency": store.currency, "tx": tx.id}
    tx.connection.execute(store.tables["workspace"].insert(), values)
