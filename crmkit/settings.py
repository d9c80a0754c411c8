"""Settings of a workspace: ``crmkit.toml``, and where each value came from."""

from __future__ import annotations

import fcntl
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen

from .durable import replace_text
from .errors import ConfigError, NotFound, StorageError
from .private import MASKS

FILE = "crmkit.toml"
# A language and maybe a script and a country (BCP 47).
_LOCALE = r"[A-Za-z]{2,3}([-_][A-Za-z]{4})?([-_]([A-Za-z]{2}|[0-9]{3}))?"
KEYS: dict[str, type] = {
    "plugins": list,
    "without": list,
    "database": str,
    "currency": str,
    "time_zone": str,
    "language": str,
    "locale": str,
    "protection_months": int,
    "document_megabytes": int,
    "revert_days": int,
    "sql_seconds": int,
    "sql_megabytes": int,
    "permissions": str,
    "cycle_reports": list,
    "rights": list,
    "database_password_file": str,
    "workspace_id": str,
}
# What every file has; one without was emptied or cut off.
REQUIRED = ("plugins", "currency")
PASSWORD = "CRMKIT_DATABASE_PASSWORD"  # noqa: S105 - a variable's name
# Whole numbers: the least and the most.
WHOLE = {
    "protection_months": (0, 120),
    "document_megabytes": (1, 1000),
    "revert_days": (0, 3650),
    "sql_seconds": (0, 86_400),
    "sql_megabytes": (0, 1_000_000),
}


def _shown_url(url: str) -> str:
    """The URL as ``repr()`` of settings shows it: a password is ``***``."""
    return repr(re.sub(r"(://[^:/@]*:)[^@]*@", r"\1***@", url))


def _names(found: Iterable[str]) -> tuple[str, ...]:
    # `converter=tuple` would leave mypy without the type of the items.
    return tuple(found)


@frozen(kw_only=True)
class Settings:
    """What ``crmkit.toml`` says.

    Args:
        folder: the workspace.
        plugins: enabled plugins by name; built-ins are always enabled unless in ``without``.
        without: built-ins that are switched off.
        database: SQLAlchemy URL without a password; a SQLite file is taken relative to the workspace.
        currency: ISO 4217 code of amounts that name none.
        time_zone: IANA zone in which days begin and end.
        language: ``en`` or ``zh``, for labels.
        locale: language and country of the spreadsheet programs for which ``--excel`` writes, as
            ``de-AT``; empty is that of ``language``.
        protection_months: for so long after an assignment nobody but the owner works a customer's
            renewals; 0 switches the protection off.
        document_megabytes: the largest file that is taken as a document, in MB of 1,000,000 bytes.
        revert_days: for so many days after its end an import can be taken back.
        sql_seconds: for so long a question of ``crmkit sql`` may run; 0 is without a limit.
        sql_megabytes: so much memory it may take, in MB of 1,000,000 bytes; 0 leaves it to the engine.
        permissions: ``private``, files that their owner alone may read (0600, folders 0700), or
            ``group``, those of a workspace shared by a group (0660, folders 2770).
        rights: who may learn of guarded customers, as ``ann:hotel.presence``: the actor and the
            name of the privacy guard that is lifted for them.
        database_password_file: a file with the password of the database account and nothing else;
            a relative path is taken from the workspace. ``CRMKIT_DATABASE_PASSWORD`` goes before it.
        workspace_id: names the workspace, here and in its database; crmkit writes it as the last
            line, so that a file that was cut off is noticed.
        cycle_reports: names of the reports that ``crmkit cycle`` publishes into ``reports/``.
    """

    folder: Path
    plugins: tuple[str, ...] = field(default=(), converter=_names)
    without: tuple[str, ...] = field(default=(), converter=_names)
    database: str = field(default="sqlite:///crmkit.db", repr=_shown_url)
    currency: str = "USD"
    time_zone: str = "UTC"
    language: str = "en"
    locale: str = ""
    protection_months: int = 6
    document_megabytes: int = 20
    revert_days: int = 30
    sql_seconds: int = 60
    sql_megabytes: int = 2000
    permissions: str = "private"
    cycle_reports: tuple[str, ...] = field(default=(), converter=_names)
    rights: tuple[str, ...] = field(default=(), converter=_names)
    database_password_file: str = ""
    workspace_id: str = ""

    @property
    def database_password(self) -> str | None:
        """The password of the database account, from the environment or its file; None if neither.

        Raises:
            ConfigError: if the file that the settings name cannot be read or is empty.
        """
        given = os.environ.get(PASSWORD)
        if given or not self.database_password_file:
            return given or None
        path = self.folder / self.database_password_file
        try:
            found = path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            told = getattr(error, "strerror", None) or "it is not UTF-8"
            raise ConfigError(f"database_password_file {path} cannot be read: {told}.") from None
        if not found:
            raise ConfigError(f"database_password_file {path} is empty.")
        return found

    @property
    def database_url(self) -> str:
        """The URL with a relative SQLite path made absolute in the workspace."""
        prefix = "sqlite:///"
        if self.database.startswith(prefix):
            return prefix + str((self.folder / self.database[len(prefix) :]).resolve())
        return self.database

    @property
    def warehouse(self) -> Path:
        """Folder of the columnar snapshot; can be deleted and rebuilt."""
        return self.folder / "warehouse"

    @property
    def models(self) -> Path:
        """Folder of trained models."""
        return self.folder / "models"

    @property
    def runs(self) -> Path:
        """Folder of score, segment and rule outcomes."""
        return self.folder / "runs"

    @property
    def reports(self) -> Path:
        """Folder of the report pages that the daily run publishes."""
        return self.folder / "reports"

    @property
    def rejects(self) -> Path:
        """Folder of rejects files."""
        return self.folder / "rejects"

    @property
    def documents(self) -> Path:
        """Folder of the files attached to customers and records."""
        return self.folder / "documents"

    @property
    def profiles(self) -> Path:
        """Folder of the workspace's own import profiles."""
        return self.folder / "profiles"

    def to_toml(self) -> str:
        """The text of ``crmkit.toml`` for these settings."""

        def quote(text: str) -> str:
            return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

        def listed(names: tuple[str, ...]) -> str:
            return "[" + ", ".join(map(quote, names)) + "]"

        lines = [f"plugins = {listed(self.plugins)}"]
        if self.without:
            lines.append(f"without = {listed(self.without)}")
        for key in ("database", "currency", "time_zone", "language"):
            lines.append(f"{key} = {quote(getattr(self, key))}")
        if self.permissions != "private":
            lines.append(f"permissions = {quote(self.permissions)}")
        if self.locale:
            lines.append(f"locale = {quote(self.locale)}")
        for key in WHOLE:
            if getattr(self, key) != getattr(attrs.fields(Settings), key).default:
                lines.append(f"{key} = {getattr(self, key)}")
        if self.cycle_reports:
            lines.append(f"cycle_reports = {listed(self.cycle_reports)}")
        if self.rights:
            lines.append(f"rights = {listed(self.rights)}")
        if self.database_password_file:
            lines.append(f"database_password_file = {quote(self.database_password_file)}")
        text = "\n".join(lines) + "\n"
        return text + _id_lines(self.workspace_id) if self.workspace_id else text


class SettingsFile:
    """``crmkit.toml`` of a workspace, as the store asks it whose database it is.

    Args:
        folder: of the workspace.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read_id(self) -> str:
        """The workspace's id in the file, or an empty string.

        Raises:
            ConfigError: as :func:`load_settings`.
        """
        return load_settings(self._folder).workspace_id

    def give_id(self) -> str:
        """The workspace's id in the file, which is given one if it has none yet.

        Raises:
            ConfigError: as :func:`load_settings`.
            StorageError: if the file cannot be written.
        """
        path = self._folder / FILE
        try:
            handle = os.open(self._folder, os.O_RDONLY)
            try:
                # Of several upgrades at once one alone makes the id.
                fcntl.flock(handle, fcntl.LOCK_EX)
                known = self.read_id()
                if known:
                    return known
                made = new_id()
                text = path.read_text(encoding="utf-8")
                replace_text(path, text.rstrip("\n") + "\n" + _id_lines(made))
                return made
            finally:
                os.close(handle)
        except OSError as error:
            raise StorageError(f"{path} cannot be written: {error.strerror}.") from error


def new_id() -> str:
    """An id for a workspace that no other has."""
    return os.urandom(16).hex()


def _id_lines(workspace_id: str) -> str:
    return (
        f'# Also kept in the database. Leave it the last line.\nworkspace_id = "{workspace_id}"\n'
    )


def find_workspace(given: str | Path | None = None, *, start: Path | None = None) -> Path:
    """The workspace folder: the one given, else ``CRMKIT_WORKSPACE``, else the nearest upward.

    Raises:
        NotFound: if there is none.
    """
    named = given or os.environ.get("CRMKIT_WORKSPACE")
    if named:
        folder = Path(named)
        if not (folder / FILE).is_file():
            raise NotFound("workspace", str(folder), hint=f"Make one with: crmkit init {folder}")
        return folder.resolve()
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / FILE).is_file():
            return folder
    raise NotFound(
        "workspace", str(here), hint="Make one with: crmkit init DIR, or name one with -w DIR."
    )


def load_settings(folder: Path) -> Settings:
    """Reads ``crmkit.toml`` of a workspace.

    Raises:
        ConfigError: naming the line of broken TOML, what is missing because the file was emptied
            or cut off, or every unknown key and wrong type.
    """
    path = folder / FILE
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path.name}: {error}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path.name} is not UTF-8 at byte {error.start + 1}.") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    missing = [key for key in REQUIRED if key not in raw]
    if missing:
        raise ConfigError(
            f"{path.name} has no {' and no '.join(missing)}: it was emptied or cut off, or written "
            "by hand without them.",
            hint="Restore it from a backup, or add what is missing.",
        )
    check_settings(raw)
    return Settings(folder=folder.resolve(), **raw)


def check_settings(raw: Mapping[str, Any]) -> None:
    """Refuses settings that are not sound.

    Raises:
        ConfigError: naming every unknown key, wrong type and value out of range.
    """
    faults = _faults(raw)
    if faults:
        raise ConfigError(f"{FILE}: " + "; ".join(faults) + ".")


def _faults(raw: Mapping[str, Any]) -> list[str]:
    out = []
    for key, value in raw.items():
        if key not in KEYS:
            out.append(f"unknown key {key!r} (known: {', '.join(KEYS)})")
        elif not isinstance(value, KEYS[key]):
            out.append(f"{key} must be a {KEYS[key].__name__}, not {value!r}")
        elif isinstance(value, list) and not all(isinstance(v, str) for v in value):
            out.append(f"{key} must be a list of names, not {value!r}")
    given = raw.get("rights")
    for entry in given if isinstance(given, list) else ():
        who, colon, right = str(entry).partition(":")
        if not (who and colon and right):
            out.append(f"rights lists {entry!r}, which is not of the form WHO:RIGHT")
    for key, (least, most) in WHOLE.items():
        number = raw.get(key, least)
        # A truth value is a whole number to Python.
        if isinstance(number, bool) or (isinstance(number, int) and not least <= number <= most):
            out.append(f"{key} must be from {least} to {most}, not {number!r}")
    if isinstance(raw.get("time_zone"), str):
        # The entities are many; commands that open no workspace start without them.
        from .entities.zones import parse_zone

        try:
            parse_zone(raw["time_zone"])
        except ValueError as error:
            out.append(f"time_zone: {str(error).rstrip('.')}")
    locale = raw.get("locale", "")
    if isinstance(locale, str) and locale and not re.fullmatch(_LOCALE, locale):
        out.append(f"locale {locale!r} is not a language tag such as de-AT")
    if raw.get("permissions", "private") not in MASKS:
        out.append(f"permissions {raw['permissions']!r} is not private or group")
    if raw.get("language", "en") not in ("en", "zh"):
        out.append(f"language {raw['language']!r} is not en or zh")
    return out
