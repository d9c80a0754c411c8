"""JSON lines to batches: one object a line, every scalar as the text that stands in the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ..errors import InputRefused
from .batch import BATCH_ROWS, Batch, Broken
from .lines import LineReader, Lines
from .profile import Profile

DEEPEST = 100


class _Refused(ValueError):
    """The line is JSON that is not to be taken."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Refused(f"the key {twice!r} stands twice")
    return found


def _constant(name: str) -> Any:
    raise _Refused(f"{name} is not JSON")


class Number(str):
    """A JSON number as its text: digits are neither lost nor counted before they are needed."""

    __slots__ = ()


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_int=Number, parse_float=Number
)


class JsonlReader:
    """Reads a JSONL file in batches.

    Attributes:
        unknown: keys that the profile does not map, found so far.
    """

    header: list[str] | None = None
    delimiter = ""

    def __init__(self, lines: LineReader, profile: Profile, name: str, *, strict: bool) -> None:
        self._blocks = lines.blocks()
        # Read at once, so that an empty file or a picture is refused before anything is written.
        self._first = next(self._blocks, None)
        if self._first is None:
            raise InputRefused(f"{name} is empty.", code="E_EMPTY")
        self._used = profile.used
        # A key that leads to a used column, as ``address`` to ``address.city``, is known.
        self._known = {name.partition(".")[0] for name in self._used} | set(self._used)
        self._strict = strict
        self._unknown: dict[str, None] = {}

    @property
    def unknown(self) -> tuple[str, ...]:
        """Keys that the profile does not map, found so far."""
        return tuple(self._unknown)

    @property
    def remarks(self) -> tuple[str, ...]:
        """A text file is odd in nothing that is not rejected."""
        return ()

    def batches(self) -> Iterator[Batch]:
        """The objects of the file, at most BATCH_ROWS lines at a time."""
        block = self._first
        while block is not None:
            for start in range(0, len(block.texts), BATCH_ROWS):
                yield self._parse(block, start, min(start + BATCH_ROWS, len(block.texts)))
            block = next(self._blocks, None)

    def _parse(self, block: Lines, start: int, stop: int) -> Batch:
        found: list[dict[str, Any]] = []
        lines: list[int] = []
        originals: list[str] = []
        broken: list[Broken] = []
        for i in range(start, stop):
            text, line = block.texts[i], block.first + i
            if not text or text.isspace():
                continue
            try:
                if i in block.bad:
                    broken.append(Broken(line, "E_ENCODING", block.bad[i], text))
                    continue
                row = self._row(text)
            except _Refused as error:
                broken.append(Broken(line, "E_JSON", str(error), _bounded(text), "one JSON object"))
                continue
            if self._strict and not row.keys() <= self._known and (new := self._new(row)):
                words = f"the profile does not map {', '.join(new)}"
                broken.append(Broken(line, "E_COLUMN_UNKNOWN", words, text))
                continue
            found.append(row)
            lines.append(line)
            originals.append(text)
        return Batch(
            lines=lines,
            columns={name: [_cell(row, name) for row in found] for name in self._used},
            originals=originals,
            broken=broken,
            next_line=block.first + stop,
            unknown=self.unknown,
            position=block.position,
        )

    def _row(self, text: str) -> dict[str, Any]:
        # Counting brackets is quick; only a line with many of them is looked at closely.
        if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
            raise _Refused(f"it is nested more than {DEEPEST} deep")
        try:
            row = _DECODER.decode(text)
        except json.JSONDecodeError as error:
            raise _Refused(f"it is not JSON: {error.msg} at character {error.pos + 1}") from None
        if not isinstance(row, dict):
            raise _Refused("it is not a JSON object")
        if "\\u" in text:
            _check_text(row)
        if not row.keys() <= self._known:
            self._unknown |= dict.fromkeys(self._new(row))
        return row

    def _new(self, row: dict[str, Any]) -> list[str]:
        return [k for k in row if k not in self._known and not k.startswith("_")]


def _check_text(value: Any) -> None:
    """Refuses what an escape can smuggle in: NUL and half of a surrogate pair."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key)
            _check_text(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_text(inner)
    elif isinstance(value, str):
        if "\0" in value:
            raise _Refused("it holds a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _Refused("it holds half of a surrogate pair") from None


def _depth(text: str) -> int:
    """How deep brackets nest outside strings."""
    deepest = depth = 0
    for mark in _BRACKETS.findall(text):
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest


_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


def _cell(row: dict[str, Any], name: str) -> str | None:
    value: Any = row.get(name)
    if value is None and "." in name and name not in row:
        value = row
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _bounded(text: str) -> str:
    return text if len(text) <= 1 << 20 else text[: 1 << 20]
