"""Verdicts: what ``plugin check`` found, kept so that other commands need not find out again.

A verdict holds for one version of one plugin's files under one version of crmkit. When any of these
changes it is void and the plugin is ``unchecked`` again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import attrs
from attrs import define, field, frozen

from .. import API, __version__
from .faults import SURROUNDING, PluginFault
from .manifest import Manifest

FILE = "verdicts.json"
FORMAT = 1
OK, FAULTS, UNCHECKED = "ok", "faults", "unchecked"
# Files that Python or an editor writes without changing the plugin.
_PASSED_OVER = ("__pycache__",)


def _pairs(found: Iterable[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(phase), str(message)) for phase, message in found)


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
    """

    version: str
    fingerprint: str
    faults: tuple[tuple[str, str], ...] = field(default=(), converter=_pairs)
    hooks: tuple[str, ...] = field(default=(), converter=_texts)
    claims: Mapping[str, Sequence[str]] = field(factory=dict, hash=False)
    checked_at: str = ""
    seconds: float = 0.0

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
) -> Verdict:
    """A verdict of now; faults that depend on other plugins are left out of it."""
    own = [(f.phase, f.message) for f in faults if f.phase not in SURROUNDING]
    return Verdict(
        version=manifest.version,
        fingerprint=fingerprint(manifest),
        faults=own,
        hooks=hooks,
        claims=claims or {},
        checked_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        seconds=round(seconds, 3),
    )


def fingerprint(manifest: Manifest) -> str:
    """A hash that changes with the plugin's files, crmkit's version and Python's.

    Taken from paths, sizes and times of change, never from contents, so that it costs one walk
    over a few dozen files.
    """
    # Lazy, as json below: without a kept verdict `plugin list` needs neither, and saves 8 ms.
    import hashlib

    parts = [__version__, str(API), sys.version.partition(" ")[0], repr(manifest)]
    root = manifest.files
    if root is not None and root.is_dir():
        for folder, folders, files in os.walk(root):
            folders[:] = sorted(name for name in folders if name not in _PASSED_OVER)
            parts += [_stamp(Path(folder, name), root) for name in sorted(files)]
    elif root is not None:
        parts.append(_stamp(root, root.parent))
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()[:32]


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

    def get(self, manifest: Manifest) -> Verdict | None:
        """The newest verdict that still holds for this plugin as it is installed now, or None."""
        found = [v for v in (self._of(place).get(manifest.name) for place in self.places) if v]
        if not found:
            return None
        now = fingerprint(manifest)
        found = [v for v in found if v.fingerprint == now]
        return max(found, key=lambda v: v.checked_at, default=None)

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
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(data, out, ensure_ascii=False, indent=1)
            out.write("\n")
        Path(part).replace(place)
    except OSError:
        Path(part).unlink(missing_ok=True)
        raise


def _stamp(path: Path, root: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return f"{path.relative_to(root)} gone"
    return f"{path.relative_to(root)} {found.st_size} {found.st_mtime_ns}"
