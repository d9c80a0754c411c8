"""``crmkit doctor``: what is here, whether it fits together, and what to do about it."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import asdict, frozen

from .. import __version__
from ..errors import ConfigError, CrmkitError
from .main import State
from .options import format_option, output_option
from .output import emit, note

if TYPE_CHECKING:
    from ..settings import Settings
    from ..workspace import Crm

FIELDS = ("check", "status", "detail", "hint")
LIBRARIES = ("click", "attrs", "pluggy", "sqlalchemy", "alembic", "duckdb", "pyarrow", "sqlglot", "rich")  # fmt: skip
# Extras by the distribution that shows whether they are there.
EXTRAS = {
    "charts": "vl-convert-python", "ml": "scikit-learn", "postgres": "psycopg", "xlsx": "XlsxWriter",
}  # fmt: skip
# An import writes the rows and their journal before it can tidy up.
FREE_BYTES = 1_000_000_000
FREE_BYTES_LEAST = 100_000_000


@frozen
class Finding:
    """One thing looked at: ``status`` is ok, warning or fault; ``exit_code`` counts for faults."""

    check: str
    status: str
    detail: str
    hint: str = ""
    exit_code: int = 0


@click.command("doctor")
@format_option
@output_option
@click.pass_obj
def command(state: State, format: str, output: str | None) -> None:
    """Check this workspace and say what to do.

    Looks at versions, settings and where each comes from, the database and its schema, plugins,
    the snapshot and free disk space; changes nothing. Exit code 5 if settings or schema do not
    fit, 7 if a plugin is at fault, 8 if the disk is nearly full.

    Example: crmkit doctor --format json
    """
    findings = list(find_all(state))
    rows = [{key: asdict(f)[key] for key in FIELDS} for f in findings]
    emit(rows, format=format, output=output, fields=FIELDS)
    faults = [f for f in findings if f.status == "fault"]
    warnings = sum(f.status == "warning" for f in findings)
    note(f"checks: {len(findings)}, faults: {len(faults)}, warnings: {warnings}")
    if faults:
        # What stands lower (settings before schema before plugins) is to be mended first.
        click.get_current_context().exit(faults[0].exit_code)


def find_all(state: State) -> Iterator[Finding]:
    """Every finding, from the ground up; a fault stops only what rests on it."""
    yield from _versions()
    try:
        crm = state.open()
    except CrmkitError as error:
        # Whatever stands in the way of opening is a matter of configuration.
        yield Finding("workspace", "fault", error.message, error.hint, ConfigError.exit_code)
        return
    with crm:
        yield Finding("workspace", "ok", str(crm.settings.folder))
        yield from _settings(crm.settings)
        yield from _guarded("disk", lambda: _disk(crm.settings.folder))
        yield from _guarded("plugin", lambda: _plugins(crm))
        faults = False
        for finding in _guarded("database", lambda: _database(crm)):
            faults = faults or finding.status == "fault"
            yield finding
        if not faults:
            yield from _guarded("snapshot", lambda: _snapshot(crm))


def _guarded(check: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except CrmkitError as error:
        yield Finding(check, "fault", error.message, error.hint, error.exit_code)


def _versions() -> Iterator[Finding]:
    yield Finding("crmkit", "ok", __version__)
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.system()}")
    found = [f"{name} {version(name)}" for name in LIBRARIES]
    yield Finding("libraries", "ok", ", ".join(found))
    absent = [name for name, distribution in EXTRAS.items() if not _installed(distribution)]
    present = [name for name in EXTRAS if name not in absent]
    hint = f"Missing: {', '.join(absent)}. Add with: pip install 'crmkit[NAME]'" if absent else ""
    yield Finding("extras", "ok", ", ".join(present) or "none", hint)


def _installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def _settings(settings: Settings) -> Iterator[Finding]:
    import tomllib

    from ..settings import FILE, KEYS

    said = tomllib.loads((settings.folder / FILE).read_text(encoding="utf-8"))
    for key in KEYS:
        value = getattr(settings, key)
        text = ", ".join(value) if isinstance(value, tuple) else str(value)
        if key == "database":
            text = without_password(text)
        origin = FILE if key in said else "default"
        yield Finding(f"setting {key}", "ok", f"{text or '(none)'} [{origin}]")


def without_password(url: str) -> str:
    """A database URL that can be shown: its password is ``***``."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        # Not a URL at all, so what in it is the password cannot be told.
        return "(not a URL)"


def _disk(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free at {folder}"
    if free < FREE_BYTES_LEAST:
        yield Finding("disk", "fault", text, "Free space before writing anything.", 8)
    elif free < FREE_BYTES:
        yield Finding("disk", "warning", text, "A large import may not fit.")
    else:
        yield Finding("disk", "ok", text)


def _plugins(crm: Crm) -> Iterator[Finding]:
    for name, manifest in crm.catalog.plugins.items():
        kind = "built-in" if manifest.builtin else manifest.version
        yield Finding(f"plugin {name}", "ok", kind)
    for fault in crm.host.faults:
        hint = f"See crmkit plugin check {fault.plugin}, or switch it off with crmkit plugin disable {fault.plugin}."
        yield Finding(f"plugin {fault.plugin}", "fault", f"{fault.phase}: {fault.message}", hint, 7)


def _database(crm: Crm) -> Iterator[Finding]:
    from sqlalchemy import text

    store = crm.unchecked_store
    ask = "select sqlite_version()" if store.dialect == "sqlite" else "show server_version"
    with store.read() as connection:
        found = connection.execute(text(ask)).scalar_one()
    yield Finding("database", "ok", f"{store.dialect} {found}")
    status = store.status()
    if status.plan.faults:
        hint = "Install the plugin version that the database knows, or ship a migration."
        yield Finding("schema", "fault", "; ".join(status.plan.faults), hint, 5)
    elif status.pending or not status.plan.empty:
        hint = "Run crmkit db upgrade --dry-run, then crmkit db upgrade."
        yield Finding("schema", "fault", f"{status.pending} statements are due", hint, 5)
    else:
        yield Finding("schema", "ok", "as the enabled plugins declare")


def _snapshot(crm: Crm) -> Iterator[Finding]:
    if crm.warehouse.is_stale():
        hint = "Reports refresh it by themselves; or run crmkit snapshot."
        yield Finding("snapshot", "warning", "older than the store", hint)
    else:
        yield Finding("snapshot", "ok", "as new as the store")
