"""``crmkit doctor``: what is here, whether it fits together, and what to do about it."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import asdict, frozen

from .. import __version__
from ..errors import ConfigError, CrmkitError, DatabaseDamaged, NotPermitted, StorageError
from .main import State
from .options import format_option, output_option
from .output import emit, note
from .passwords import PASSWORD_PLACES

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
@click.option("--deep", is_flag=True, help="Also compare the indexes of the database with its tables, which takes minutes for a large one.")  # fmt: skip
@format_option
@output_option
@click.pass_obj
def command(state: State, deep: bool, format: str, output: str | None) -> None:
    """Check this workspace and say what to do.

    Looks at versions, settings and where each comes from, the database, its pages and its schema,
    whether its account may write, plugins, free disk space, and the checksums of the snapshot, runs
    and models; changes nothing. Exit code 5 if settings, account or schema do not fit, 7 if a plugin
    is at fault, 8 if the disk is nearly full or a file or the database is damaged.

    SQLite checks its pages with quick_check, with --deep with integrity_check; PostgreSQL with the
    extension amcheck where it is installed.

    Example: crmkit doctor --format json
    """
    findings = list(find_all(state, deep=deep))
    rows = [{key: asdict(f)[key] for key in FIELDS} for f in findings]
    emit(rows, format=format, output=output, fields=FIELDS)
    faults = [f for f in findings if f.status == "fault"]
    warnings = sum(f.status == "warning" for f in findings)
    note(f"checks: {len(findings)}, faults: {len(faults)}, warnings: {warnings}")
    if faults:
        # What stands lower (settings before schema before plugins) is to be mended first.
        click.get_current_context().exit(faults[0].exit_code)


def find_all(state: State, *, deep: bool = False) -> Iterator[Finding]:
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
        yield from _guarded("password", lambda: _password(crm.settings))
        yield from _guarded("disk", lambda: _disk(crm.settings.folder))
        yield from _guarded("plugin", lambda: _plugins(crm))
        faults = False
        for finding in _guarded("database", lambda: _database(crm, deep=deep)):
            faults = faults or finding.status == "fault"
            yield finding
        yield from _guarded("files", lambda: _files(crm))
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
    """A database URL that can be shown: without its password."""
    from ..store.engine import split_password

    try:
        return split_password(url)[0]
    except ConfigError:
        # Not a URL at all, so what in it is the password cannot be told.
        return "(not a URL)"


def _password(settings: Settings) -> Iterator[Finding]:
    """Where the password of the database account stands, which is not to be the settings."""
    from ..store.engine import split_password

    if split_password(settings.database)[1] is not None:
        text = "crmkit.toml holds the password of the database account"
        yield Finding(
            "password", "warning", text, f"Take it out of the URL there. {PASSWORD_PLACES}"
        )
    elif settings.database_password_file:
        path = settings.folder / settings.database_password_file
        if path.stat().st_mode & 0o077:
            hint = f"Shut others out with: chmod 600 {path}"
            yield Finding("password", "warning", f"others may read {path}", hint)


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


def _database(crm: Crm, *, deep: bool) -> Iterator[Finding]:
    from sqlalchemy import text

    from ..store.integrity import write_faults

    store = crm.unchecked_store
    ask = "select sqlite_version()" if store.dialect == "sqlite" else "show server_version"
    with store.read() as connection:
        found = connection.execute(text(ask)).scalar_one()
    yield Finding("database", "ok", f"{store.dialect} {found}")
    yield from _guarded("workspace id", lambda: _identity(crm))
    yield from _guarded("pages", lambda: _pages(crm, deep=deep))
    unable = write_faults(store)
    if unable:
        hint = "Ask the administrator of the server for these rights, or use another account."
        yield Finding("account", "fault", "; ".join(unable), hint, ConfigError.exit_code)
    else:
        yield Finding("account", "ok", "may read and write")
    status = store.status()
    if status.plan.faults:
        hint = "Install the plugin version that the database knows, or disable the plugin."
        yield Finding("schema", "fault", "; ".join(status.plan.faults), hint, 5)
    elif status.pending or not status.plan.empty:
        hint = "Run crmkit db upgrade --dry-run, then crmkit db upgrade."
        said = f"an upgrade is due, of {status.pending} statements"
        yield Finding("schema", "fault", said, hint, 5)
    else:
        yield Finding("schema", "ok", "as the enabled plugins declare")


def _identity(crm: Crm) -> Iterator[Finding]:
    crm.unchecked_store.check_identity()
    yield Finding("workspace id", "ok", crm.settings.workspace_id or "none yet")


def _pages(crm: Crm, *, deep: bool) -> Iterator[Finding]:
    from ..store.integrity import check_pages

    try:
        found = check_pages(crm.unchecked_store, deep=deep)
    except NotPermitted as error:
        yield Finding("pages", "warning", error.message, "Run doctor with an account that may.")
        return
    if found.faults:
        damage = DatabaseDamaged("; ".join(found.faults))
        yield Finding("pages", "fault", damage.message, damage.hint, damage.exit_code)
    else:
        yield Finding("pages", "ok", found.how, found.hint)


def _files(crm: Crm) -> Iterator[Finding]:
    """Files from which answers come and that cannot be made again from the database."""
    from ..analysis.scores.model import ModelFolder
    from ..warehouse.runs import damaged_runs, missing_runs

    settings = crm.settings
    for check, damaged, hint in (
        ("runs", damaged_runs(settings.runs), "Restore each with its .sha256 from a backup; without one, move both away and run the score, segment or rule again for that date."),
        ("models", ModelFolder(settings.models).damaged(), "Restore each from a backup; without one, move it away and train the score again."),
    ):  # fmt: skip
        if damaged:
            names = _named(path.relative_to(settings.folder).as_posix() for path in damaged)
            yield Finding(check, "fault", f"damaged: {names}", hint, StorageError.exit_code)
        else:
            yield Finding(check, "ok", "as they were written")
    missing = missing_runs(settings.runs)
    if missing:
        names = _named(path.relative_to(settings.folder).as_posix() for path in missing)
        hint = (
            "Restore them from a backup, or remove their .sha256 if they were removed on purpose."
        )
        yield Finding("missing runs", "warning", f"only the checksum is left of {names}", hint)


def _named(files: Iterable[str]) -> str:
    """The first files by name and the number of others."""
    names = list(files)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if names[5:] else "")


def _snapshot(crm: Crm) -> Iterator[Finding]:
    damaged = crm.warehouse.damaged()
    if damaged:
        names = _named(f"warehouse/{file}" for file in damaged)
        hint = "Run crmkit snapshot, which reads them anew from the database; check the disk."
        yield Finding(
            "snapshot", "fault", f"damaged or missing: {names}", hint, StorageError.exit_code
        )
        return
    if crm.warehouse.is_stale():
        hint = "Reports refresh it by themselves; or run crmkit snapshot."
        yield Finding("snapshot", "warning", "older than the store", hint)
    else:
        yield Finding("snapshot", "ok", "as new as the store")
