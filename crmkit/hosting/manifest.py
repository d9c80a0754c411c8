"""Manifests: what a plugin says of itself in a file that is read without importing it (D16).

A plugin is found by its entry point in the group ``crmkit``. Its ``crmkit-plugin.toml`` lies in the
top-level package that the entry point names. A plugin that is one module has it in its distribution's
``.dist-info`` folder or next to the module.
"""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from .. import API
from ..errors import did_you_mean

GROUP = "crmkit"
FILE = "crmkit-plugin.toml"
# So that ``<plugin>.<name>`` and ``<plugin>_<name>`` can be taken apart again (design D5).
PLUGIN_NAME = re.compile(r"[a-z][a-z0-9]*")
BUILTIN_PACKAGE = "crmkit.builtin"
BUILTIN_FOLDER = Path(__file__).resolve().parent.parent / "builtin"

TEXTS = ("name", "version", "title", "title_zh", "description")
LISTS = ("requires", "conflicts", "tables")
KEYS = (*TEXTS, "api", *LISTS, "commands")
REQUIRED = ("name", "version", "api")

_API_RANGE = re.compile(r">=(\d+),<(\d+)")
_COMMAND = re.compile(r"[a-z][a-z0-9-]*")


@frozen(kw_only=True)
class Manifest:
    """A plugin as its manifest describes it.

    Args:
        name: ``telecom``; the same as the entry point's.
        version: the plugin's own version.
        api: lowest and highest :data:`crmkit.API` it was written for, both included.
        requires: plugins that must be enabled too.
        conflicts: plugins beside which this one cannot be enabled.
        commands: nouns that it adds to the command line, each with its line of help.
        tables: SQL names of the tables that it declares, as ``telecom_bill``.
        module: what the entry point names: ``crmkit_telecom`` or ``package.module:object``.
        distribution: the installed distribution, as ``crmkit-telecom``.
        builtin: whether it ships inside crmkit.
        files: its package folder, or its one module's file; None if it was not found.
        stated: whether it has a manifest file at all, sound or not.
        faults: every reason why this manifest is not sound, one sentence each.
    """

    name: str
    version: str = ""
    api: tuple[int, int] = (API, API)
    requires: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    title: str = ""
    title_zh: str = ""
    description: str = ""
    commands: Mapping[str, str] = field(factory=dict, hash=False)
    tables: tuple[str, ...] = ()
    module: str = ""
    distribution: str = ""
    builtin: bool = False
    files: Path | None = None
    stated: bool = True
    faults: tuple[str, ...] = ()

    def load(self) -> Any:
        """Imports the plugin and returns the module or object that its entry point names.

        Raises:
            Exception: whatever the plugin's own code raises; callers guard it.
        """
        return EntryPoint(self.name, self.module, GROUP).load()


def find_manifests() -> dict[str, Manifest]:
    """Every plugin there is, by name in sorted order, without importing any.

    A plugin whose manifest is missing or broken is there too, with its ``faults``. A distribution
    that claims a built-in's name is listed as ``name@distribution``, so that the built-in stays.
    """
    found = {manifest.name: manifest for manifest in _builtins()}
    by_name: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        by_name.setdefault(entry.name, []).append(entry)
    for name, entries in by_name.items():
        if name in found and found[name].builtin:
            for entry in entries:
                alias = f"{name}@{_distribution(entry)}"
                fault = f"the name {name!r} is that of a built-in plugin; choose another"
                found[alias] = Manifest(
                    name=alias,
                    module=entry.value,
                    distribution=_distribution(entry),
                    faults=(fault,),
                )
        elif len(entries) > 1:
            claimants = " and ".join(sorted(_distribution(entry) for entry in entries))
            fault = f"the name {name!r} is claimed by the distributions {claimants}; remove one"
            found[name] = Manifest(
                name=name, module=entries[0].value, distribution=claimants, faults=(fault,)
            )
        else:
            found[name] = read_manifest(entries[0])
    return dict(sorted(found.items()))


def read_manifest(entry: EntryPoint) -> Manifest:
    """The manifest of one entry point; its ``faults`` say what is missing or wrong."""
    base = Manifest(name=entry.name, module=entry.value, distribution=_distribution(entry))
    if not PLUGIN_NAME.fullmatch(entry.name):
        fault = f"the entry point's name {entry.name!r} does not match {PLUGIN_NAME.pattern}"
        return evolve(base, faults=(fault,))
    top = entry.value.partition(":")[0].partition(".")[0].strip()
    try:
        # A top-level name is found by the path finders alone: nothing of the plugin is run.
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return evolve(base, faults=(f"its package {top!r} cannot be found; install it again",))
    if spec.submodule_search_locations:
        files = Path(next(iter(spec.submodule_search_locations)))
        return _read(evolve(base, files=files), files / FILE)
    files = Path(spec.origin or top)
    text = entry.dist.read_text(FILE) if entry.dist is not None else None
    if text is not None:
        return _filled(evolve(base, files=files), text)
    return _read(evolve(base, files=files), files.parent / FILE)


def parse_manifest(text: str) -> tuple[dict[str, Any], list[str]]:
    """The values of a manifest's TOML and every fault in them, one sentence each."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return {}, [f"{FILE}: {error}"]
    faults = [f"{FILE} lacks {key!r}" for key in REQUIRED if key not in raw]
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in KEYS:
            near = did_you_mean(key, KEYS, sentence=False)
            hint = near if near else f"known: {', '.join(KEYS)}"
            faults.append(f"{FILE} has the unknown key {key!r}; {hint}")
        elif key == "api":
            values[key], wrong = _parse_api(value)
            faults += wrong
        elif key in TEXTS and not isinstance(value, str):
            faults.append(f"{FILE}: {key} must be text, not {value!r}")
        elif key in LISTS and not _is_texts(value):
            faults.append(f"{FILE}: {key} must be a list of texts, not {value!r}")
        elif key == "commands" and not _is_named_texts(value):
            faults.append(f'{FILE}: commands must be a table of noun = "help", not {value!r}')
        elif key in LISTS:
            values[key] = tuple(value)
        else:
            values[key] = value
    return values, faults + _list_faults(values)


def _builtins() -> Iterable[Manifest]:
    for path in sorted(BUILTIN_FOLDER.glob(f"*/{FILE}")):
        folder = path.parent
        base = Manifest(
            name=folder.name,
            module=f"{BUILTIN_PACKAGE}.{folder.name}",
            distribution="crmkit",
            builtin=True,
            files=folder,
        )
        yield _read(base, path)


def _read(base: Manifest, path: Path) -> Manifest:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return evolve(base, stated=False, faults=(f"{FILE} is missing in {path.parent}",))
    except (OSError, UnicodeDecodeError) as error:
        return evolve(base, faults=(f"{FILE} cannot be read: {error}",))
    return _filled(base, text)


def _filled(base: Manifest, text: str) -> Manifest:
    values, faults = parse_manifest(text)
    given = values.pop("name", base.name)
    if given != base.name:
        faults.append(f"{FILE} names the plugin {given!r}, its entry point names it {base.name!r}")
    prefix = f"{base.name}_"
    faults += [
        f"{FILE}: table {table!r} does not begin with {prefix!r}"
        for table in values.get("tables", ())
        if not table.startswith(prefix)
    ]
    return evolve(base, **values, faults=tuple(faults))


def _parse_api(value: object) -> tuple[tuple[int, int], list[str]]:
    ends = _api_ends(value)
    if ends is None or not ends[0] <= ends[1]:
        fault = (
            f"{FILE}: api must be a number, a pair as [1, 2] or a range as '>=1,<3', not {value!r}"
        )
        return (API, API), [fault]
    lowest, highest = ends
    if lowest <= API <= highest:
        return ends, []
    wanted = str(lowest) if lowest == highest else f"{lowest} to {highest}"
    fault = (
        f"it was written for crmkit API {wanted}, this is API {API}; install a version that fits"
    )
    return ends, [fault]


def _api_ends(value: object) -> tuple[int, int] | None:
    """Lowest and highest of a number, a pair, or a text as ``>=1,<3``; None for anything else."""
    if type(value) is int:
        return value, value
    if isinstance(value, list) and [type(end) for end in value] == [int, int]:
        return value[0], value[1]
    bounds = _API_RANGE.fullmatch(value.replace(" ", "")) if isinstance(value, str) else None
    return (int(bounds[1]), int(bounds[2]) - 1) if bounds else None


def _list_faults(values: Mapping[str, Any]) -> list[str]:
    out = []
    for key in ("requires", "conflicts"):
        out += [
            f"{FILE}: {key} names {name!r}, which does not match {PLUGIN_NAME.pattern}"
            for name in values.get(key, ())
            if not PLUGIN_NAME.fullmatch(name)
        ]
        if values.get("name") in values.get(key, ()):
            out.append(f"{FILE}: {key} names the plugin itself")
    out += [
        f"{FILE}: {name!r} is both required and in conflict"
        for name in values.get("requires", ())
        if name in values.get("conflicts", ())
    ]
    out += [
        f"{FILE}: command {name!r} does not match {_COMMAND.pattern}"
        for name in values.get("commands", ())
        if not _COMMAND.fullmatch(name)
    ]
    return out


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_named_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else ""
