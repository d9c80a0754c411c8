"""What an operator does with plugins: list, check, enable, disable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import attrs
from attrs import frozen

from ..durable import replace_text
from ..errors import ConfigError, NotFound, PluginError, StorageError, UsageError
from ..private import Mask
from ..settings import FILE, Settings, load_settings
from .claims import shared_claims
from .faults import PluginFault, faults_of
from .manifest import Manifest, find_manifests
from .settings_text import edit_list
from .source import hooks_in_source
from .standing import (
    dependents_faults,
    dependents_of,
    enabled_names,
    manifest_faults,
    requirements_of,
)
from .verdict import FAULTS, OK, UNCHECKED, Verdict, Verdicts

BUILT_IN = "built-in"

# Brings the tables of the given settings' plugins and returns the SQL; with True it only tells.
Upgrade = Callable[[Settings, bool], Sequence[str]]


@frozen(kw_only=True)
class Standing:
    """How a plugin stands.

    Args:
        manifest: what it says of itself; nearly empty where it is enabled but not installed.
        enabled: whether this workspace enables it; without a workspace only built-ins are.
        verdict: ``ok``, ``faults``, ``unchecked``, or ``built-in`` for an unchecked built-in.
        hooks: the hooks that its last check found, else those that its source text shows.
        faults: every fault known without importing it.
    """

    manifest: Manifest
    enabled: bool
    verdict: str
    hooks: tuple[str, ...] = ()
    faults: tuple[PluginFault, ...] = ()


@frozen(kw_only=True)
class Change:
    """What enabling or disabling did, or with ``dry_run`` would do.

    Args:
        names: the plugins concerned, those that went along included.
        along: those that went along because they require one of the others.
        statements: SQL that brought the tables.
        dry_run: whether nothing was changed.
    """

    names: tuple[str, ...]
    along: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    dry_run: bool = False


class Plugins:
    """The plugins of a workspace, or of this installation where there is none.

    Nothing here imports a plugin: ``check`` and ``enable`` load it in a child process.
    """

    def __init__(
        self,
        settings: Settings | None,
        *,
        manifests: Mapping[str, Manifest] | None = None,
        verdicts: Verdicts | None = None,
    ) -> None:
        self.settings = settings
        self.manifests = find_manifests() if manifests is None else manifests
        self.verdicts = verdicts or Verdicts.of_workspace(settings.folder if settings else None)

    def _mask(self) -> Mask:
        return Mask(self.settings.permissions if self.settings else "private")

    @property
    def enabled(self) -> list[str]:
        """Names of the enabled plugins, sorted."""
        return enabled_names(self.settings or Settings(folder=Path()), self.manifests)

    def standings(self) -> list[Standing]:
        """Every plugin that is installed or enabled, by name."""
        return self._standings(self.enabled)

    def get(self, name: str) -> Standing:
        """How one plugin stands.

        Raises:
            NotFound: if it is neither installed nor enabled; near names are suggested.
        """
        found = {standing.manifest.name: standing for standing in self.standings()}
        if name not in found:
            raise NotFound("plugin", name, found)
        return found[name]

    def check(self, name: str) -> Standing:
        """Loads a plugin in a child process, calls each hook once, and keeps the verdict.

        Raises:
            NotFound: if it is not installed.
            ConfigError: if a limit in the environment is no positive number.
        """
        # Lazy: subprocess and what it needs are used nowhere else in `plugin list`.
        from .probe import check_plugin

        if name not in self.manifests:
            raise NotFound("plugin", name, self.manifests)
        checked = check_plugin(name, self.manifests)
        verdict = checked.verdict
        if verdict is not None:
            with self._mask():
                self.verdicts.keep(name, verdict)
        known = self.get(name)
        faults = tuple(dict.fromkeys([*checked.faults, *known.faults]))
        return Standing(
            manifest=known.manifest,
            enabled=known.enabled,
            verdict=FAULTS if faults else verdict.word if verdict else UNCHECKED,
            hooks=verdict.hooks if verdict else (),
            faults=faults,
        )

    def checked(self, name: str) -> Standing:
        """How one plugin stands: by a check that still holds, else by one made now.

        Raises:
            NotFound, ConfigError: as :meth:`check`.
        """
        if name not in self.manifests:
            raise NotFound("plugin", name, self.manifests)
        self._recheck_required([name])
        known = self.get(name)
        return known if known.verdict == OK else self.check(name)

    def forget(self, name: str) -> list[Path]:
        """Deletes the verdicts on a plugin, in the workspace and the user's; it is unchecked then.

        Returns:
            The files that a verdict was deleted from.

        Raises:
            NotFound: if it is neither installed nor enabled.
            StorageError: if one of the files cannot be written.
        """
        self.get(name)
        try:
            with self._mask():
                return self.verdicts.forget(name)
        except OSError as error:
            raise StorageError(f"cannot write {error.filename}: {error.strerror}.") from error

    def enable(self, names: Sequence[str], *, upgrade: Upgrade, dry_run: bool = False) -> Change:
        """Enables plugins: checks them, brings their tables, and writes ``crmkit.toml`` last.

        Args:
            names: installed plugins; one that requires another may be given together with it.
            upgrade: brings the tables, see :data:`Upgrade`.
            dry_run: check and tell the SQL, but change nothing.

        Raises:
            NotFound: if one is not installed.
            PluginError: if one has faults; they are all named.
            ConfigError: if one requires what is not enabled, or conflicts with what is.
        """
        settings = self._workspace()
        for name in names:
            if name not in self.manifests:
                raise NotFound("plugin", name, self.manifests)
        self._recheck_required(names)
        for name in names:
            own = [f for f in self.check(name).faults if f.phase not in ("requires", "conflict")]
            if own:
                said = "; ".join(f"{fault.phase}: {fault.message}" for fault in own)
                raise PluginError(name, "check", f"{said}.", hint="Nothing was changed.")
        wanted = self._with(settings, names)
        self._check_together(wanted, names)
        statements = upgrade(wanted, dry_run)
        if not dry_run:
            self._write(wanted)
        return Change(names=tuple(names), statements=tuple(statements), dry_run=dry_run)

    def disable(self, names: Sequence[str], *, dry_run: bool = False) -> Change:
        """Disables plugins and those that require them; tables and rows stay (D15).

        Raises:
            NotFound: if one is not enabled.
        """
        settings = self._workspace()
        enabled = self.enabled
        for name in names:
            if name not in enabled:
                if name in self.manifests:
                    raise UsageError(
                        f"plugin {name} is not enabled.", hint="See: crmkit plugin list"
                    )
                raise NotFound("enabled plugin", name, enabled)
        along = {d for name in names for d in dependents_of(name, enabled, self.manifests)}
        along -= set(names)
        gone = {*names, *along}
        builtins = {n for n in gone if n in self.manifests and self.manifests[n].builtin}
        wanted = attrs.evolve(
            settings,
            plugins=[n for n in settings.plugins if n not in gone],
            without=[*settings.without, *sorted(builtins - set(settings.without))],
        )
        if not dry_run:
            self._write(wanted)
        return Change(names=tuple(names), along=tuple(sorted(along)), dry_run=dry_run)

    # --- inside ----------------------------------------------------------------------------------

    def _recheck_required(self, names: Iterable[str]) -> None:
        """Checks again what these require and an earlier check found faulty.

        Nobody is refused by hearsay: the reason may have been elsewhere and be gone.
        """
        required = {needed for name in names for needed in requirements_of(name, self.manifests)}
        for needed in sorted(required & set(self.manifests)):
            verdict = self.verdicts.get(self.manifests[needed], self.manifests)
            if verdict is not None and verdict.faults:
                self.check(needed)

    def _standings(self, enabled: Iterable[str]) -> list[Standing]:
        enabled = list(enabled)
        faults, verdicts = self._faults(enabled)
        out = []
        for name in sorted({*self.manifests, *enabled}):
            manifest = self.manifests.get(name, Manifest(name=name))
            verdict = verdicts.get(name)
            own = faults_of(name, faults)
            word = verdict.word if verdict else BUILT_IN if manifest.builtin else UNCHECKED
            out.append(
                Standing(
                    manifest=manifest,
                    enabled=name in enabled,
                    verdict=FAULTS if own else word,
                    hooks=verdict.hooks if verdict else hooks_in_source(manifest),
                    faults=tuple(own),
                )
            )
        return out

    def _faults(self, enabled: Sequence[str]) -> tuple[list[PluginFault], dict[str, Verdict]]:
        """All faults that are known without importing, and the verdicts that hold."""
        verdicts = {
            name: verdict
            for name, manifest in self.manifests.items()
            if (verdict := self.verdicts.get(manifest, self.manifests)) is not None
        }
        idle = [name for name in self.manifests if name not in enabled]
        found = manifest_faults(enabled, self.manifests)
        found += [
            PluginFault(name, "manifest", fault)
            for name in idle
            for fault in self.manifests[name].faults
        ]
        for name, verdict in verdicts.items():
            found += verdict.as_faults(name)
        faulty = {fault.plugin for fault in found}
        found += shared_claims(
            {n: verdicts[n].claims for n in enabled if n in verdicts and n not in faulty}
        )
        found += dependents_faults(enabled, found, self.manifests)
        return list(dict.fromkeys(found)), verdicts

    def _check_together(self, wanted: Settings, names: Sequence[str]) -> None:
        before, _ = self._faults(self.enabled)
        after, _ = self._faults(enabled_names(wanted, self.manifests))
        new = [fault for fault in after if fault not in before or fault.plugin in names]
        if not new:
            return
        missing = sorted(
            {
                needed
                for name in names
                for needed in self.manifests[name].requires
                if needed not in enabled_names(wanted, self.manifests)
            }
        )
        hint = "Nothing was changed."
        if missing and all(name in self.manifests for name in missing):
            hint = f"Enable them together: crmkit plugin enable {' '.join([*missing, *names])}"
        said = dict.fromkeys(f"plugin {fault.plugin}: {fault.message}" for fault in new)
        raise ConfigError("; ".join(said) + ".", hint=hint)

    def _with(self, settings: Settings, names: Sequence[str]) -> Settings:
        industry = [n for n in names if not self.manifests[n].builtin]
        return attrs.evolve(
            settings,
            plugins=[*settings.plugins, *(n for n in industry if n not in settings.plugins)],
            without=[n for n in settings.without if n not in names],
        )

    def _workspace(self) -> Settings:
        if self.settings is None:
            raise UsageError("no workspace to change.", hint="Name one with -w DIR.")
        return self.settings

    def _write(self, wanted: Settings) -> None:
        """Writes the lists of plugins into ``crmkit.toml``, whole or not at all."""
        path = wanted.folder / FILE
        try:
            text = path.read_text(encoding="utf-8")
            text = edit_list(text, "plugins", wanted.plugins)
            text = edit_list(text, "without", wanted.without)
            replace_text(path, text)
        except OSError as error:
            raise StorageError(f"cannot write {path}: {error.strerror}.") from error
        self.settings = load_settings(wanted.folder)
