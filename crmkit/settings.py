"""Settings of a workspace: ``crmkit.toml``, and where each value came from."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen

from .entities.zones import parse_zone
from .errors import ConfigError, NotFound

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
    "cycle_reports": list,
    "rights": list,
}
# Whole numbers: the least and the most.
WHOLE = {
    "protection_months": (0, 120),
    "document_megabytes": (1, 1000),
    "revert_days": (0, 3650),
    "sql_seconds": (0, 86_400),
    "sql_megabytes": (0, 1_000_000),
}


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
        database: SQLAlchemy URL; a SQLite file is taken relative to the workspace.
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
        rights: who may learn of guarded customers, as ``ann:hotel.presence``: the actor and the
            name of the privacy guard that is lifted for them.
        cycle_reports: names of the reports that ``crmkit cycle`` publishes into ``reports/``.
    """

    folder: Path
    plugins: tuple[str, ...] = field(default=(), converter=_names)
    without: tuple[str, ...] = field(default=(), converter=_names)
    database: str = "sqlite:///crmkit.db"
    currency: str = "USD"
    time_zone: str = "UTC"
    language: str = "en"
    locale: str = ""
    protection_months: int = 6
    document_megabytes: int = 20
    revert_days: int = 30
    sql_seconds: int = 60
    sql_megabytes: int = 2000
    cycle_reports: tuple[str, ...] = field(default=(), converter=_names)
    rights: tuple[str, ...] = field(default=(), converter=_names)

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
        if self.locale:
            lines.append(f"locale = {quote(self.locale)}")
        for key in WHOLE:
            if getattr(self, key) != getattr(attrs.fields(Settings), key).default:
                lines.append(f"{key} = {getattr(self, key)}")
        if self.cycle_reports:
            lines.append(f"cycle_reports = {listed(self.cycle_reports)}")
        if self.rights:
            lines.append(f"rights = {listed(self.rights)}")
        return "\n".join(lines) + "\n"


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
        ConfigError: naming the line of broken TOML, or every unknown key and wrong type.
    """
    path = folder / FILE
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path.name}: {error}.") from error
    faults = _faults(raw)
    if faults:
        raise ConfigError(f"{path.name}: " + "; ".join(faults) + ".")
    return Settings(folder=folder.resolve(), **raw)


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
        try:
            parse_zone(raw["time_zone"])
        except ValueError as error:
            out.append(f"time_zone: {str(error).rstrip('.')}")
    locale = raw.get("locale", "")
    if isinstance(locale, str) and locale and not re.fullmatch(_LOCALE, locale):
        out.append(f"locale {locale!r} is not a language tag such as de-AT")
    if raw.get("language", "en") not in ("en", "zh"):
        out.append(f"language {raw['language']!r} is not en or zh")
    return out
