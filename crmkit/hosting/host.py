"""The plugin host: loads the enabled plugins, leaves the faulty ones out, calls the others' hooks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy
from attrs import define, field

from ..errors import CrmkitError, NotFound, PluginError
from ..settings import Settings
from .catalog import Catalog, build_catalog, dangling
from .claims import shared_claims
from .declared import DECLARING, Declared, wrong_type
from .faults import PluginFault
from .hooks import ACTING, hook_name_faults, make_manager, wrong_answer
from .isolation import Guard, Watch, unusable, words
from .manifest import Manifest, find_manifests
from .ownership import name_faults, tables
from .soundness import declaration_faults
from .standing import dependents_faults, enabled_names, manifest_faults, requirements_of
from .verdict import Verdicts

if TYPE_CHECKING:
    from .marks import Mark

# Beyond this an observing hook holds up every write, which the user would blame on crmkit.
OBSERVE_SECONDS = 5.0

Progress = Callable[[str], None]


@define
class Loaded:
    """A plugin in the host.

    Attributes:
        manifest: what it says of itself.
        plugin: the imported module or object.
        hooks: names of the hooks that it implements, sorted.
        declared: what it declares.
        seconds: time spent in each of its hooks so far.
    """

    manifest: Manifest
    plugin: Any = field(repr=False)
    hooks: tuple[str, ...] = ()
    declared: Declared = field(factory=lambda: Declared(plugin=""), repr=False)
    seconds: dict[str, float] = field(factory=dict, repr=False)


class PluginHost:
    """The plugins of a workspace, each called by itself and named when it fails.

    Attributes:
        catalog: what the sound plugins declare.
        faults: why plugins were left out, and what they did wrong since without harm.
        mark: says which plugin's code is running, for the next command; None outside a command.
    """

    def __init__(
        self,
        manifests: Mapping[str, Manifest],
        progress: Progress | None = None,
        mark: Mark | None = None,
    ) -> None:
        self.manifests = manifests
        self.faults: list[PluginFault] = []
        self.catalog = Catalog()
        self._manager = make_manager()
        self._loaded: dict[str, Loaded] = {}
        self._callers: dict[tuple[str, str], pluggy.HookCaller] = {}
        self._progress = progress or (lambda at: None)
        self.mark = mark

    @classmethod
    def load(
        cls,
        settings: Settings,
        *,
        safe_mode: bool = False,
        manifests: Mapping[str, Manifest] | None = None,
        verdicts: Verdicts | None = None,
        mark: Mark | None = None,
    ) -> PluginHost:
        """Loads the plugins that a workspace enables; never raises because of one of them.

        Args:
            settings: the workspace's settings.
            safe_mode: load crmkit's built-ins only.
            manifests: the plugins there are; None finds them.
            verdicts: what ``plugin check`` found; None reads them from the workspace.
            mark: see the attribute.
        """
        manifests = find_manifests() if manifests is None else manifests
        names = enabled_names(settings, manifests)
        if safe_mode:
            names = [n for n in names if n in manifests and manifests[n].builtin]
        verdicts = verdicts or Verdicts.of_workspace(settings.folder)
        host = cls(manifests, mark=mark)
        unchecked = []
        for name in names:
            manifest = manifests.get(name)
            if manifest is None or manifest.builtin:
                continue
            verdict = verdicts.get(manifest, manifests)
            if verdict is None:
                unchecked.append(name)
            else:
                host.faults += verdict.as_faults(name)
        host.take(names, deep=unchecked)
        return host

    def take(self, names: Sequence[str], *, deep: Iterable[str] = ()) -> None:
        """Loads these plugins together and builds the catalog from the sound ones.

        Args:
            names: all plugins to load; their order does not matter.
            deep: those whose schemas are to be checked in full, which costs 200 ms once.
        """
        names, deep = sorted(names), frozenset(deep)
        self.faults += manifest_faults(names, self.manifests)
        self._add_dependents(names)
        for name in names:
            if not self.has_faults(name):
                self._load_one(self.manifests[name], deep=name in deep)
        self._settle(names)
        for name in list(self._loaded):
            if self.has_faults(name):
                self._manager.unregister(name=name)
                del self._loaded[name]
        self.catalog = build_catalog((o.manifest, o.declared) for o in self._loaded.values())
        self._callers.clear()

    def has_faults(self, name: str) -> bool:
        """Whether a plugin was left out."""
        return any(fault.plugin == name for fault in self.faults)

    def entry(self, plugin: str) -> Loaded:
        """A loaded plugin.

        Raises:
            NotFound: if it is not loaded.
        """
        if plugin not in self._loaded:
            raise NotFound("loaded plugin", plugin, self._loaded)
        return self._loaded[plugin]

    @property
    def loaded(self) -> Mapping[str, Loaded]:
        """The sound plugins, by name."""
        return self._loaded

    # --- calling ---------------------------------------------------------------------------------

    def call_veto(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Asks every plugin that implements an acting hook, one by one.

        ``check_rows`` and ``settle_records`` ask only the owner of the entity.

        Returns:
            ``(plugin, result)`` for each one asked; a None result becomes an empty tuple.

        Raises:
            PluginError: naming the first plugin that raised or returned something else than a list
                of the hook's records.
        """
        out = []
        for one in self._asked(hook, arguments):
            name = one.manifest.name
            out.append((name, self.call_alone(name, hook, **arguments)))
        return out

    def call_alone(self, plugin: str, hook: str, **arguments: Any) -> Any:
        """Asks one plugin, which implements the hook, and checks the type of its answer.

        Raises:
            PluginError: if it raises or returns something else than a list of the hook's records.
        """
        if hook == "check_rows":
            arguments["catalog"] = self.catalog
        result = self._act(self.entry(plugin), hook, arguments)
        wrong = wrong_answer(hook, result)
        if wrong:
            raise PluginError(plugin, hook, f"{wrong}.")
        return () if result is None else result

    def call_observe(self, hook: str, **arguments: Any) -> None:
        """Tells every plugin that implements a hook; a failure is recorded and goes no further."""
        for one in self._asked(hook, arguments):
            name = one.manifest.name
            before = one.seconds.get(hook, 0.0)
            try:
                result = self._act(one, hook, arguments)
            except PluginError as error:
                self._record(name, hook, error.reason.rstrip("."))
                continue
            wrong = unusable(result)
            if wrong:
                self._record(name, hook, wrong)
            elif one.seconds[hook] - before > OBSERVE_SECONDS:
                self._record(name, hook, f"took more than {OBSERVE_SECONDS:.0f} s for one call")

    def run(self, plugin: str, what: str, function: Any, *given: Any, **named: Any) -> Any:
        """Runs code of a loaded plugin outside of its hooks: a command, a service, a panel.

        Args:
            what: the name of what is run, for messages.

        Raises:
            CrmkitError: as the code raises it.
            PluginError: naming the plugin, for anything else that it raises.
        """
        result, watch = self._watched(plugin, what, lambda: function(*given, **named))
        if isinstance(watch.error, CrmkitError):
            raise watch.error
        if watch.error is not None:
            manifest = self.manifests.get(plugin)
            said = words(watch.error, manifest.files if manifest is not None else None)
            raise PluginError(plugin, what, f"{said}.") from watch.error
        return result

    def _watched(self, plugin: str, what: str, code: Callable[[], Any]) -> tuple[Any, Watch]:
        """Runs a plugin's code, marked as running, and records what it changed in the process."""
        mark, result = self.mark, None
        if mark is not None:
            mark.enter(plugin, what)
        watch = Watch()
        try:
            with watch:
                result = code()
        finally:
            if mark is not None:
                mark.leave()
            for said in watch.changes:
                self._record(plugin, what, f"{said}; crmkit has put it back")
            for thread in watch.threads:
                said = (
                    f"it left the thread {thread.name!r} running; the command does not wait for it"
                )
                self._record(plugin, what, said)
        return result, watch

    def _asked(self, hook: str, arguments: Mapping[str, Any]) -> list[Loaded]:
        if hook not in ACTING:
            raise NotFound("acting hook", hook, ACTING)
        found = [one for one in self._loaded.values() if hook in one.hooks]
        if hook in ("check_rows", "settle_records"):
            entity = arguments["batch"].entity if hook == "check_rows" else arguments["entity"]
            owner = entity.partition(".")[0]
            owner = "core" if owner == "customer" else owner
            found = [one for one in found if one.manifest.name == owner]
        return found

    def _act(self, one: Loaded, hook: str, arguments: Mapping[str, Any]) -> Any:
        """Calls an acting hook. What it gets is shared with the caller and other plugins."""
        given = {
            name: tuple(value) if type(value) is list else value
            for name, value in arguments.items()
        }
        started = time.perf_counter()
        caller = self._caller(one.manifest.name, hook)
        result, watch = self._watched(one.manifest.name, hook, lambda: caller(**given))
        one.seconds[hook] = one.seconds.get(hook, 0.0) + time.perf_counter() - started
        return self._answer(one, hook, watch, result)

    def _declaration(self, one: Loaded, hook: str) -> Any:
        """Calls a declaring hook; the whole loading is watched at once."""
        result = None
        with Guard() as guard:
            result = self._caller(one.manifest.name, hook)()
        return self._answer(one, hook, guard, result)

    @staticmethod
    def _answer(one: Loaded, hook: str, guard: Guard, result: Any) -> Any:
        if guard.error is not None:
            message = words(guard.error, one.manifest.files)
            raise PluginError(one.manifest.name, hook, f"{message}.") from guard.error
        return result[0] if result else None

    def _caller(self, name: str, hook: str) -> pluggy.HookCaller:
        """The hook as implemented by one plugin alone, by pluggy's public means."""
        key = (name, hook)
        if key not in self._callers:
            others = [p for n, p in self._manager.list_name_plugin() if n != name]
            self._callers[key] = self._manager.subset_hook_caller(hook, others)
        return self._callers[key]

    def _record(self, plugin: str, phase: str, message: str) -> None:
        fault = PluginFault(plugin, phase, message)
        # A hook that fails at every batch of an import is one fault, not ten thousand.
        if fault not in self.faults:
            self.faults.append(fault)

    # --- loading ---------------------------------------------------------------------------------

    def _load_one(self, manifest: Manifest, *, deep: bool) -> None:
        _, watch = self._watched(
            manifest.name, "import", lambda: self._load_guarded(manifest, deep)
        )
        if watch.error is not None:
            raise watch.error  # the plugin's own code is guarded inside, so this is crmkit's

    def _load_guarded(self, manifest: Manifest, deep: bool) -> None:
        found = self._import(manifest)
        if found is not None:
            self._register(manifest, found)
        one = self._loaded.get(manifest.name)
        if one is not None:
            self._declare(one)
            if not self.has_faults(manifest.name):
                self._judge(one, deep=deep)

    def _import(self, manifest: Manifest) -> Any:
        self._progress("import")
        with Guard() as guard:
            found = manifest.load()
        if guard.error is not None:
            self._record(manifest.name, "import", words(guard.error, manifest.files))
            return None
        if isinstance(found, type):
            said = f"its entry point names the class {found.__name__}; name a module or an object"
            self._record(manifest.name, "import", said)
            return None
        return found

    def _register(self, manifest: Manifest, found: Any) -> None:
        name = manifest.name
        if any(one.plugin is found for one in self._loaded.values()):
            self._record(name, "register", "its module is that of another plugin")
            return
        with Guard() as guard:
            self._manager.register(found, name=name)
        if guard.error is not None:
            self._record(name, "register", words(guard.error, manifest.files))
        else:
            with Guard() as guard:
                for message in hook_name_faults(self._manager, name, found):
                    self._record(name, "register", message)
                if not self.has_faults(name):
                    # Whatever was not foreseen there: pluggy itself has the last word.
                    self._manager.check_pending()
            if guard.error is not None:
                self._record(name, "register", words(guard.error, manifest.files))
        if self.has_faults(name):
            self._manager.unregister(name=name)
            return
        callers = self._manager.get_hookcallers(found) or []
        hooks = tuple(sorted(caller.name for caller in callers))
        self._loaded[name] = Loaded(manifest, found, hooks)

    def _declare(self, one: Loaded) -> None:
        name = one.manifest.name
        lists: dict[str, tuple[Any, ...]] = {}
        customer_fields = None
        for hook, (kind, _) in DECLARING.items():
            if hook not in one.hooks:
                continue
            self._progress(hook)
            try:
                result = self._declaration(one, hook)
            except PluginError as error:
                self._record(name, hook, error.reason.rstrip("."))
                continue
            if result is None:
                continue
            wrong = unusable(result) or wrong_type(hook, result)
            if wrong:
                self._record(name, hook, wrong)
            elif kind == "customer_fields":
                customer_fields = result
            else:
                lists[kind] = tuple(result)
        one.declared = Declared(plugin=name, customer_fields=customer_fields, lists=lists)

    def _judge(self, one: Loaded, *, deep: bool) -> None:
        self._progress("declaration")
        name, declared = one.manifest.name, one.declared
        with Guard() as guard:
            found = [*name_faults(declared), *declaration_faults(declared)]
            found += _table_faults(one.manifest, declared)
            found += _noun_faults(one.manifest, declared)
            if deep and not found:
                from .schemas import schema_faults

                found += schema_faults(declared)
            for message in found:
                self._record(name, "declaration", message)
        if guard.error is not None:
            said = words(guard.error, one.manifest.files)
            self._record(name, "declaration", f"cannot be read: {said}")

    # --- between plugins -------------------------------------------------------------------------

    def _add_dependents(self, names: Iterable[str]) -> None:
        for fault in dependents_faults(names, self.faults, self.manifests):
            self._record(fault.plugin, fault.phase, fault.message)

    def _settle(self, names: Sequence[str]) -> None:
        """Finds what only shows between plugins, until nobody else has to be left out."""
        builtins = {n for n in names if n in self.manifests and self.manifests[n].builtin}
        # Once, over all: who is refused must not depend on who else has been left out.
        claims = {name: one.declared.claims() for name, one in self._sound().items()}
        self.faults += shared_claims(claims)
        before = -1
        while len(self.faults) != before:
            before = len(self.faults)
            self._add_dependents(names)
            sound = self._sound()
            known = build_catalog((one.manifest, one.declared) for one in sound.values())
            for name, one in sound.items():
                reachable = frozenset({name, *builtins, *requirements_of(name, self.manifests)})
                with Guard() as guard:
                    for message in dangling(one.declared, known, reachable):
                        self._record(name, "declaration", message)
                if guard.error is not None:
                    said = words(guard.error, one.manifest.files)
                    self._record(name, "declaration", f"cannot be read: {said}")

    def _sound(self) -> dict[str, Loaded]:
        return {name: one for name, one in self._loaded.items() if not self.has_faults(name)}


def _table_faults(manifest: Manifest, declared: Declared) -> list[str]:
    """A manifest that lists tables lists them all: safe mode knows them from there only."""
    if not manifest.tables:
        return []
    listed, made = set(manifest.tables), set(tables(declared))
    out = [
        f"it declares the table {t!r}, which its manifest does not list"
        for t in sorted(made - listed)
    ]
    out += [
        f"its manifest lists the table {t!r}, which it does not declare"
        for t in sorted(listed - made)
    ]
    return out


def _noun_faults(manifest: Manifest, declared: Declared) -> list[str]:
    """The nouns of commands stand in the manifest, where `--help` reads them, and nowhere else."""
    made = {command.name.partition(" ")[0] for command in declared.of("commands")}
    out = [
        f"it declares commands of {noun!r}, a noun that its manifest does not list"
        for noun in sorted(made - set(manifest.commands))
    ]
    out += [
        f"its manifest lists the noun {noun!r}, of which it declares no command"
        for noun in sorted(set(manifest.commands) - made)
    ]
    alone = {c.name for c in declared.of("commands") if " " not in c.name}
    out += [
        f"{command.name!r}: the noun {noun!r} is a command by itself"
        for command in declared.of("commands")
        if (noun := command.name.partition(" ")[0]) in alone and noun != command.name
    ]
    return out
