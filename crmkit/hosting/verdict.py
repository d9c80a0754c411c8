"""Verdicts: what ``plugin check`` found, kept so that other commands need not find out again.

A verdict holds for the files on which it was made: the plugin's, those of the plugins that it requires,
and crmkit's own. When any of these changes it is void and the plugin is ``unchecked`` again. Faults
are also void once a check may take more time or memory than the one that found them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Self

import attrs
from attrs import define, field, frozen

from .. import API, __version__
from ..errors import ConfigError
from ..private import file_mode
from .faults import SURROUNDING, PluginFault
from .limits import Limits
from .manifest import Manifest
from .standing import requirements_of

FILE = "verdicts.json"
FORMAT = 1
_CORE = Path(__file__).resolve().parent.parent
OK, FAULTS, UNCHECKED = "ok", "faults", "unchecked"
# Files that Python or an editor writes without changing the plugin.
_PASSED_OVER = ("__pycache__",)


def _pairs(found: Iterable[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(phase), str(message)) for phase, message in found)


def _floats(found: Sequence[float]) -> tuple[float, float]:
    seconds, megabytes = found
    return float(seconds), float(megabytes)


def _texts(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(text) for text in found)


@frozen(kw_only=True)
class Verdict:
    """What the check of one plugin found.

    Args:
        version: the plugin's version then.
        fingerprint: of its files then, see :func:`fingerprint`.
        faults: the plugin's own faults as ``(phase, message)``; none means it is sound.
        hooks: the hooks that it implements.
        claims: shared names that it claims, by kind.
        checked_at: UTC instant as ISO text.
        seconds: how long the check took.
        limits: the seconds and megabytes that it was allowed.
    """

    version: str
    fingerprint: str
    faults: tuple[tuple[str, str], ...] = field(default=(), converter=_pairs)
    hooks: tuple[str, ...] = field(default=(), converter=_texts)
    claims: Mapping[str, Sequence[str]] = field(factory=dict, hash=False)
    checked_at: str = ""
    seconds: float = 0.0
    limits: tuple[float, float] = field(default=attrs.astuple(Limits()), converter=_floats)

    def holds_under(self, limits: Limits) -> bool:
        """Whether a check under these limits would not be more lenient than the one made."""
        return not self.faults or not limits.exceed(Limits(*self.limits))

    @property
    def word(self) -> str:
        """``ok`` or ``faults``."""
        return FAULTS if self.faults else OK

    def as_faults(self, plugin: str) -> list[PluginFault]:
        """The faults with the plugin's name."""
        return [PluginFault(plugin, phase, message) for phase, message in self.faults]


def make_verdict(
    manifest: Manifest,
    faults: Sequence[PluginFault],
    *,
    hooks: Sequence[str] = (),
    claims: Mapping[str, Sequence[str]] | None = None,
    seconds: float = 0.0,
    limits: Limits | None = None,
    among: Mapping[str, Manifest] | None = None,
) -> Verdict:
    """A verdict of now; faults that depend on other plugins are left out of it.

    Args:
        among: the plugins there are, see :func:`fingerprint`.
    """
    own = [(f.phase, f.message) for f in faults if f.phase not in SURROUNDING]
    return Verdict(
        version=manifest.version,
        fingerprint=fingerprint(manifest, among),
        faults=own,
        hooks=hooks,
        claims=claims or {},
        checked_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        seconds=round(seconds, 3),
        limits=attrs.astuple(limits or Limits()),
    )


def fingerprint(manifest: Manifest, among: Mapping[str, Manifest] | None = None) -> str:
    """A hash that changes with the code that a check runs: the plugin, what it requires, crmkit, Python.

    Taken from paths, sizes and times of change, never from contents, so that it costs one walk
    over a few dozen files, and one over crmkit's own in a process.

    Args:
        among: the plugins there are; those that this one requires are found in it.
    """
    # Lazy, as json below: without a kept verdict `plugin list` needs neither, and saves 8 ms.
    import hashlib

    parts = [__version__, str(API), sys.version.partition(" ")[0], *_core_stamps()]
    among = among or {}
    required = sorted(requirements_of(manifest.name, {**among, manifest.name: manifest}))
    for one in (manifest, *(among[name] for name in required if name in among)):
        parts.append(repr(one))
        if one.files is not None and not one.builtin:
            parts += _stamps(one.files)
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()[:32]


@cache
def _core_stamps() -> tuple[str, ...]:
    """Of crmkit itself, its built-ins included: a fault may have been crmkit's, and mended there."""
    return tuple(_stamps(_CORE))


def _stamps(files: Path) -> Iterator[str]:
    """Path, size and time of change of each file in a folder, or of one module."""
    if files.is_dir():
        yield from _stamps_in(str(files))
        return
    try:
        found = files.stat()
    except OSError:
        yield f"{files} gone"
    else:
        yield f"{files} {found.st_size} {found.st_mtime_ns}"


def _stamps_in(folder: str) -> Iterator[str]:
    # A third of what os.walk and Path.stat take, for hundreds of files at each start.
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir():
                if entry.name not in _PASSED_OVER:
                    yield from _stamps_in(entry.path)
                continue
            try:
                found = entry.stat()
            except OSError:  # a link to nothing, or deleted just now
                yield f"{entry.path} gone"
            else:
                yield f"{entry.path} {found.st_size} {found.st_mtime_ns}"


@define
class Verdicts:
    """The kept verdicts: of a workspace, and of the user for checks outside any.

    Args:
        places: files to read, and to write where that can be done; all may be missing.
    """

    places: tuple[Path, ...]
    _read: dict[Path, dict[str, Verdict]] = field(factory=dict, init=False, repr=False)

    @classmethod
    def of_workspace(cls, folder: Path | None) -> Self:
        """The verdicts of a workspace; None means those in the user's cache folder only."""
        cache = user_cache()
        places = [folder / ".crmkit" / FILE] if folder is not None else []
        return cls((*places, *([cache / FILE] if cache else [])))

    def get(
        self, manifest: Manifest, among: Mapping[str, Manifest] | None = None
    ) -> Verdict | None:
        """The newest verdict that still holds for this plugin as it is installed now, or None.

        Args:
            among: the plugins there are, see :func:`fingerprint`.
        """
        found = [v for v in (self._of(place).get(manifest.name) for place in self.places) if v]
        if not found:
            return None
        now = fingerprint(manifest, among)
        found = [v for v in found if v.fingerprint == now]
        newest = max(found, key=lambda v: v.checked_at, default=None)
        return newest if newest is not None and newest.holds_under(_limits()) else None

    def keep(self, name: str, verdict: Verdict) -> Path | None:
        """Writes a verdict to every place that can be written, so that a new workspace has it too.

        Returns:
            The first such file, or None where there is none: then the plugin stays unchecked.
        """
        first = None
        for place in self.places:
            kept = {**self._load(place), name: verdict}
            try:
                _write(place, kept)
            except OSError:
                continue
            self._read[place] = kept
            first = first or place
        return first

    def forget(self, name: str) -> list[Path]:
        """Deletes what was found about a plugin; gives the files from which it was deleted.

        Raises:
            OSError: if one of them cannot be written.
        """
        changed = []
        for place in self.places:
            kept = self._load(place)
            if kept.pop(name, None) is not None:
                _write(place, kept)
                self._read[place] = kept
                changed.append(place)
        return changed

    def _of(self, place: Path) -> dict[str, Verdict]:
        if place not in self._read:
            self._read[place] = self._load(place)
        return self._read[place]

    @staticmethod
    def _load(place: Path) -> dict[str, Verdict]:
        try:
            text = place.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return {}
        import json

        try:
            data = json.loads(text)
            if data["format"] != FORMAT:
                return {}
            return {name: Verdict(**values) for name, values in data["verdicts"].items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            # A verdict that cannot be read is none: the plugin is unchecked, and a check mends it.
            return {}


def _limits() -> Limits:
    try:
        return Limits.set()
    except ConfigError:  # `plugin check` says so; every other command goes on
        return Limits()


def user_cache() -> Path | None:
    """The user's folder for what can be found again, or None where there is no home."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if named.is_absolute():
        return named / "crmkit"
    try:
        return Path.home() / ".cache" / "crmkit"
    except RuntimeError:
        return None


def _write(place: Path, verdicts: Mapping[str, Verdict]) -> None:
    data: dict[str, Any] = {
        "format": FORMAT,
        "verdicts": {name: attrs.asdict(v) for name, v in sorted(verdicts.items())},
    }
    place.parent.mkdir(parents=True, exist_ok=True)
    import json
    import tempfile

    # Written whole or not at all: another command may be reading.
    handle, part = tempfile.mkstemp(dir=place.parent, prefix=f".{FILE}.")
    try:
        os.fchmod(handle, file_mode())
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(data, out, ensure_ascii=False, indent=1)
            out.write("\n")
        Path(part).replace(place)
    except OSError:
        Path(part).unlink(missing_ok=True)
        raise
