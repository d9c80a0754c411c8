"""A workspace opened: the services that the command line and embedding programs use.

This is the composition root, the one place that knows every room. Services are made when first
asked for, so a command pays only for what it uses.
"""

from __future__ import annotations

import getpass
import os
import shutil
import tomllib
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import attrs

from .declarations import CUSTOMER
from .durable import replace_text
from .entities.asof import AsOf
from .errors import ConfigError, PluginError, SqlRefused, UsageError
from .hosting.host import PluginHost
from .private import Mask, make_root, users_own
from .settings import (
    FILE,
    KEYS,
    Settings,
    SettingsFile,
    check_settings,
    find_workspace,
    load_settings,
    new_id,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    import pyarrow as pa

    from .access.commands import Commands
    from .access.ownership import Ownership
    from .access.panels import Panels
    from .analysis.backtests import Backtests
    from .analysis.features import Features
    from .analysis.firings import FiringService
    from .analysis.lifecycles import Lifecycles
    from .analysis.reports import Reports
    from .analysis.rules import Rules
    from .analysis.scores import Scores
    from .analysis.segments import Segments
    from .analysis.why import Why
    from .declarations import Answer
    from .hosting.catalog import Catalog
    from .hosting.marks import Mark
    from .hosting.plugins import Plugins
    from .intake.intake import ImportResult, Intake
    from .intake.matching.duplicates import Duplicates
    from .policy import Viewer
    from .present.publishing import Publication
    from .store.documents import Documents
    from .store.store import Store
    from .warehouse.warehouse import Warehouse

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The current instant, UTC and aware: the only clock that shipped code reads."""
    return datetime.now(UTC)


def default_actor() -> str:
    """Who is recorded on writes: ``CRMKIT_ACTOR``, else the login name, else ``unknown``."""
    named = os.environ.get("CRMKIT_ACTOR")
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run a user id that has no name
        return "unknown"


class Crm:
    """An open workspace.

    Attributes:
        settings: what ``crmkit.toml`` says.
        clock: returns the UTC now.
        actor: who is recorded on writes.
        host: the loaded plugins, with the faults of those set aside.
        mark: of the command that has opened it, for the next one; None for an embedding program.
    """

    def __init__(
        self, settings: Settings, *, clock: Clock = utc_now, actor: str | None = None,
        safe_mode: bool = False, file: SettingsFile | NewSettingsFile | None = None,
        password: str | None = None,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.clock = clock
        self.actor = actor or default_actor()
        self.safe_mode = safe_mode
        self.mark: Mark | None = None
        self._file, self._password = file, password
        self._mask = Mask(settings.permissions)
        # A program that forgets to close a workspace must not keep its mask.
        weakref.finalize(self, self._mask.lift)

    @cached_property
    def host(self) -> PluginHost:
        """The plugins of this workspace, loaded."""
        return PluginHost.load(self.settings, safe_mode=self.safe_mode, mark=self.mark)

    @cached_property
    def plugins(self) -> Plugins:
        """Which plugins there are, are enabled and are sound; checks, enables and disables them."""
        from .hosting.plugins import Plugins

        return Plugins(self.settings)

    @cached_property
    def viewer(self) -> Viewer:
        """Who looks: the actor, with the rights that ``rights`` in ``crmkit.toml`` gives."""
        from .policy import viewer_with

        return viewer_with(self.actor, self.settings.rights)

    @property
    def catalog(self) -> Catalog:
        """Everything that the sound plugins declare."""
        return self.host.catalog

    @cached_property
    def unchecked_store(self) -> Store:
        """The store whatever the state of its schema, for ``crmkit db`` and ``doctor``."""
        from .store.store import Store

        return Store(
            self.settings.database_url,
            self.catalog,
            clock=self.clock,
            actor=self.actor,
            time_zone=self.settings.time_zone,
            currency=self.settings.currency,
            protection_months=self.settings.protection_months,
            observer=lambda committed: self.host.call_observe("after_commit", committed=committed),
            viewer=self.viewer,
            file=self._file,
            # The database of a workspace that was opened is there; only a new one's is made.
            create=not isinstance(self._file, SettingsFile),
            password=self._password or self.settings.database_password,
            check_rows=lambda batch: self.host.call_veto("check_rows", batch=batch),
        )

    @cached_property
    def store(self) -> Store:
        """The operational store.

        Raises:
            SchemaOutdated: if the enabled plugins declare tables that it does not have.
        """
        store = self.unchecked_store
        store.check_schema()
        return store

    @cached_property
    def stored(self) -> Store:
        """The database as its last upgrade left it, for reading; see :meth:`Store.as_stored`.

        Raises:
            SchemaOutdated: if nothing was ever upgraded.
        """
        return self.unchecked_store.as_stored()

    @cached_property
    def intake(self) -> Intake:
        """Reads files into the store."""
        from .intake.intake import Intake

        return Intake(self.store, self.catalog, self.host, self.settings, clock=self.clock)

    @cached_property
    def ownership(self) -> Ownership:
        """Who works which customer: handing over, protection of renewals, claims."""
        from .access.ownership import Ownership

        lines = (name for name in self.catalog.plugins if name in self.settings.plugins)
        return Ownership(self.store, self.settings, lines)

    @cached_property
    def documents(self) -> Documents:
        """Files attached to customers and records."""
        from .store.documents import Documents

        most = self.settings.document_megabytes * 1_000_000
        return Documents(self.store, self.settings.documents, most_bytes=most)

    @cached_property
    def warehouse(self) -> Warehouse:
        """The read-only columnar snapshot."""
        from .warehouse.warehouse import Warehouse

        return Warehouse(
            self.settings.warehouse, self.catalog, self.store,
            time_zone=self.settings.time_zone, runs=self.settings.runs,
            currency=self.settings.currency,
        )  # fmt: skip

    @property
    def replaced_files(self) -> list[str]:
        """Files of the warehouse that were found missing or damaged and were read anew."""
        return list(dict.fromkeys(self.warehouse.replaced)) if "warehouse" in self.__dict__ else []

    @cached_property
    def duplicates(self) -> Duplicates:
        """Customers that may be one person: found, decided, merged and unmerged."""
        from .intake.matching.duplicates import Duplicates

        return Duplicates(self.store, self.catalog, self.host)

    @cached_property
    def features(self) -> Features:
        """Point-in-time features."""
        from .analysis.features import Features

        return Features(self.warehouse, self.catalog)

    @cached_property
    def scores(self) -> Scores:
        """Scores: train, evaluate, run, explain."""
        from .analysis.scores import Scores

        return Scores(
            self.warehouse, self.features, self.store, self.catalog, self.settings, self.clock
        )

    def serve_scores(
        self, name: str, as_of: AsOf, only: Collection[int] | None = None
    ) -> tuple[str, ...]:
        """Hands what a score's run has kept for exactly ``as_of`` to the plugins that act on it.

        Args:
            name: of the score. only: the subjects to hand in; None is everyone in the run.

        Returns:
            One sentence for each plugin that failed.
        """
        from .analysis.runs import Runs
        from .analysis.servings import serve_scores

        runs = Runs(self.settings.runs, self.store, self.clock)
        return serve_scores(self, runs, name, as_of, only)

    @cached_property
    def rules(self) -> Rules:
        """Rules and what they fired on."""
        from .analysis.rules import Rules

        return Rules(
            self.warehouse, self.features, self.store, self.catalog, self.settings, self.clock
        )

    @cached_property
    def firings(self) -> FiringService:
        """Firings of rules, handed to the plugins that carry them out."""
        from .analysis.firings import FiringService
        from .analysis.runs import Runs

        runs = Runs(self.settings.runs, self.store, self.clock)
        return FiringService(self.store, self.host, self.catalog, runs)

    @cached_property
    def backtests(self) -> Backtests:
        """What rules would have fired on in the past."""
        from .analysis.backtests import Backtests

        return Backtests(
            self.warehouse, self.features, self.store, self.catalog, self.settings, self.clock
        )

    @cached_property
    def segments(self) -> Segments:
        """Segments and their members."""
        from .analysis.segments import Segments

        return Segments(
            self.warehouse, self.features, self.store, self.catalog, self.settings, self.clock
        )

    @cached_property
    def lifecycles(self) -> Lifecycles:
        """Stages: moves, proposals and history."""
        from .analysis.lifecycles import Lifecycles

        return Lifecycles(
            self.warehouse, self.features, self.store, self.catalog, self.host, self.settings,
            self.clock,
        )  # fmt: skip

    @cached_property
    def why(self) -> Why:
        """What stands behind a stage, score, segment or rule of a customer."""
        from .analysis.runs import Runs
        from .analysis.why import Why

        return Why(self.store, self.catalog, Runs(self.settings.runs, self.store, self.clock))

    @cached_property
    def reports(self) -> Reports:
        """Reports: rows with type, unit and source."""
        from .analysis.reports import Reports

        return Reports(self.warehouse, self.features, self.scores, self.catalog, self.settings)

    def subjects_where(
        self, conditions: Mapping[str, str], as_of: AsOf, subject: str = CUSTOMER
    ) -> dict[str, list[int]]:
        """Who fulfils each condition as of a date, all in one pass over the wide table.

        Args:
            conditions: by any name, SQL as in a rule.
            subject: ``customer`` or a record type.

        Raises:
            SqlRefused: naming each condition that cannot be answered.
        """
        from .analysis.conditions import Condition, Conditions

        self.warehouse.refresh_if_stale()
        asked = [Condition(name=name, text=text) for name, text in conditions.items()]
        answers = Conditions(self.warehouse, self.features, self.scores, self.catalog).answer(
            subject, asked, as_of
        )
        if answers.faults:
            raise SqlRefused("; ".join(f"{n}: {why}" for n, why in answers.faults.items()))
        return {name: held["subject_id"].to_pylist() for name, held in answers.found.items()}

    def query(
        self,
        sql: str,
        as_of: AsOf | None = None,
        subject: str = CUSTOMER,
        *,
        seconds: int | None = None,
        megabytes: int | None = None,
    ) -> pa.Table:
        """The answer to one SELECT over the analysis tables, read-only.

        The embedded engine runs it without access to any file.

        Args:
            sql: report SQL within the portable subset, without parameters.
            as_of: what may be seen; None is now.
            subject: whose rows ``subject_id`` names: ``customer``, or a record type.
            seconds: for so long it may run; 0 is without a limit, None is what the settings say.
            megabytes: so much memory it may take, of 1,000,000 bytes; 0 and None as for ``seconds``.

        Raises:
            SqlRefused: naming every part that is not portable, and tables that do not exist.
            CrmkitError: with the code ``E_SQL_TIME`` or ``E_SQL_MEMORY`` past a limit.
        """
        # Lazy: most commands need no engine.
        from .warehouse.engine import Limits
        from .warehouse.population import Population

        limits = Limits(
            seconds=self.settings.sql_seconds if seconds is None else seconds,
            megabytes=self.settings.sql_megabytes if megabytes is None else megabytes,
        )

        population = Population.at(as_of or self.as_of())
        extra = {}
        needed = self.features.needed([sql])
        if needed:
            extra["feature"] = self.warehouse.shown(
                self.features.build(subject, needed, population)
            )
        with self.warehouse.session(shown=True, sealed=limits) as session:
            return session.frame(population, "report", subject, extra=extra).query(sql)

    @cached_property
    def commands(self) -> Commands:
        """The commands that plugins declare."""
        from .access.commands import Commands

        return Commands(self)

    @cached_property
    def panels(self) -> Panels:
        """What plugins show of customers at the desk."""
        from .access.panels import Panels

        return Panels(self)

    def run(self, name: str, /, **values: Any) -> Answer:
        """Runs a plugin's command, as ``crm.run("case open", customer="C-1", topic="billing")``.

        Raises:
            NotFound, UsageError, PluginError: as :meth:`crmkit.access.commands.Commands.run`.
        """
        return self.commands.run(name, values)

    def service(self, name: str) -> Any:
        """A service that a plugin offers, as ``crm.service("ledger.accounts")``; made once.

        Raises:
            NotFound: if no enabled plugin offers it.
            PluginError: if it cannot be made.
        """
        return self.commands.service(name)

    def import_file(self, path: str | Path, *, profile: str, **options: Any) -> ImportResult:
        """Reads a file through a profile; see :meth:`crmkit.intake.intake.Intake.import_file`."""
        return self.intake.import_file(path, profile=profile, **options)

    def publish_reports(
        self,
        folder: str | Path,
        names: Iterable[str] | None = None,
        as_of: AsOf | None = None,
        *,
        language: str | None = None,
    ) -> Publication:
        """Writes a page per report and an index page into a folder.

        Args:
            folder: made if it is not there.
            names: which reports; None is all. Every report takes its default parameters.
            as_of: what may be seen; None is now.
            language: of titles and labels; None is the workspace's.

        Raises:
            NotFound: for a report that does not exist; nothing is written.
            UsageError, StorageError: if the folder cannot be written; earlier pages are kept.
        """
        from .policy import local_viewer
        from .present.publishing import publish_reports

        within = Path(folder).resolve().is_relative_to(self.settings.folder.resolve())
        return publish_reports(
            self.reports, self.catalog, self.store, local_viewer(self.actor), Path(folder),
            as_of or self.as_of(), names=names, language=language or self.settings.language,
            # Pages in the workspace are the workspace's; elsewhere they are the user's own.
            mask=nullcontext if within else users_own,
        )  # fmt: skip

    def as_of(self, text: str | None = None) -> AsOf:
        """The as-of of a command: a day, an instant, or None for now.

        Raises:
            UsageError: if the text is neither a day nor an instant.
        """
        if text is None:
            return AsOf.at(self.clock(), self.settings.time_zone)
        try:
            return AsOf.parse(text, self.settings.time_zone)
        except ValueError as error:
            raise UsageError(f"{error}.") from error

    def close(self) -> None:
        """Gives back connections, the engine, the writer number and the mask of new files."""
        try:
            if "warehouse" in self.__dict__:
                self.warehouse.close()
            if "unchecked_store" in self.__dict__:
                try:
                    self.unchecked_store.privacy.log_refusals()
                finally:
                    self.unchecked_store.close()
        finally:
            self._mask.lift()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_workspace(
    path: str | Path | None = None,
    *,
    clock: Clock = utc_now,
    actor: str | None = None,
    safe_mode: bool = False,
    language: str | None = None,
) -> Crm:
    """Opens the workspace at ``path``; None looks upward from the current folder.

    Raises:
        NotFound: if there is none.
        ConfigError: if its ``crmkit.toml`` is not sound.
    """
    settings = load_settings(find_workspace(path))
    if language is not None:
        settings = attrs.evolve(settings, language=language)
    file = SettingsFile(settings.folder)
    return Crm(settings, clock=clock, actor=actor, safe_mode=safe_mode, file=file)


def init_workspace(
    path: str | Path,
    *,
    plugins: tuple[str, ...] = (),
    clock: Clock = utc_now,
    actor: str | None = None,
    **values: Any,
) -> Crm:
    """Makes a workspace: the tables of its plugins, and ``crmkit.toml`` last.

    A password in ``database`` is used here and never written down.

    Args:
        path: folder to make; it may exist but hold no workspace.
        plugins: industry plugins to enable.
        values: other settings (``database``, ``currency``, ``time_zone``, ``language``,
            ``without``).

    Raises:
        UsageError: if the folder is a workspace already, or a setting is unknown.
        PluginError: if a plugin asked for cannot be loaded; then nothing is left behind.
        ConfigError: if a setting is not sound, or an existing database does not fit: its tables,
            or its currency.
    """
    # Lazy: most commands make no workspace.
    from .store.engine import split_password

    folder = Path(path)
    file = folder / FILE
    if file.exists():
        raise UsageError(f"{folder} is a workspace already.", hint="Open it with -w.")
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        raise UsageError(f"unknown settings: {', '.join(unknown)}. Known: {', '.join(KEYS)}.")
    values = {key: value for key, value in values.items() if value is not None}
    password = None
    if "database" in values:
        values["database"], password = split_password(values["database"])
    settings = Settings(folder=folder.resolve(), plugins=plugins, **values)
    check_settings(tomllib.loads(settings.to_toml()))
    make_root(folder, settings.permissions)
    before = set(folder.iterdir())
    new = NewSettingsFile()
    crm = Crm(settings, clock=clock, actor=actor, file=new, password=password)
    try:
        for name in crm.settings.plugins:
            _check_plugin(crm, name)
        new.join(crm.unchecked_store)
        plan = crm.unchecked_store.upgrade()
        if plan.faults:
            raise ConfigError("; ".join(plan.faults))
        # Last, so that what was cut off before is no workspace and can be made again.
        crm.settings = attrs.evolve(settings, workspace_id=new.read_id())
        replace_text(file, crm.settings.to_toml())
    except BaseException:
        crm.close()
        # Whatever stopped it, a half-made workspace must not look like one.
        for made in set(folder.iterdir()) - before:
            shutil.rmtree(made) if made.is_dir() else made.unlink()
        if not before:
            folder.rmdir()
        raise
    return crm


class NewSettingsFile:
    """The ``crmkit.toml`` of a workspace that is being made and has no file yet."""

    def __init__(self) -> None:
        self._id = new_id()

    def join(self, store: Store) -> None:
        """Takes the id that the database of another folder has already."""
        # Lazy: only a workspace that is being made asks.
        from .store.identity import kept_identity

        with store.read() as connection:
            kept = kept_identity(store, connection)
        if kept is not None:
            self._id = kept.id

    def read_id(self) -> str:
        """The id that the file will have."""
        return self._id

    def give_id(self) -> str:
        """The id that the file will have."""
        return self._id


def _check_plugin(crm: Crm, name: str) -> None:
    """Loads a plugin in a child process first: one that hangs must not hang what comes after."""
    standing = crm.plugins.checked(name)
    for fault in standing.faults:
        hint = f"When this is mended: crmkit plugin check {fault.plugin}"
        raise PluginError(fault.plugin, fault.phase, f"{fault.message.rstrip('.')}.", hint=hint)
