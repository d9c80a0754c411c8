"""Changing a list of names in ``crmkit.toml`` and leaving every other character as it is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence

from ..errors import ConfigError
from ..settings import FILE

_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'[^']*')|(?P<note>\#[^\n]*)|(?P<comma>,)|(?P<end>\])|(?P<blank>\s+)"""
)


def edit_list(text: str, key: str, names: Sequence[str]) -> str:
    """The text with ``key = [names]``; comments, order and layout of all else are kept.

    Names that stay keep their place and the comments around them; new ones are added at the end.

    Raises:
        ConfigError: if the list is written in a way that cannot be edited safely.
    """
    before = tomllib.loads(text)
    if list(before.get(key, [])) == list(names):
        return text
    found = re.search(rf"^[ \t]*{key}[ \t]*=[ \t]*\[", text, re.MULTILINE)
    if found is None:
        edited = f"{key} = [{', '.join(map(_quoted, names))}]\n{text}"
    else:
        edited = text[: found.end()] + _edited_items(text[found.end() :], names)
    try:
        after = tomllib.loads(edited)
    except tomllib.TOMLDecodeError:
        after = {}
    if after != {**before, key: list(names)}:
        raise ConfigError(
            f"{FILE}: the list {key!r} is written in a way that cannot be edited.",
            hint=f"Write it by hand: {key} = [{', '.join(map(_quoted, names))}]",
        )
    return edited


def _edited_items(rest: str, names: Sequence[str]) -> str:
    """The items of the list, and all that follows it, with only ``names`` as items."""
    kept: list[str] = []
    out: list[str] = []
    dropped_comma = False
    at, pending = 0, False
    while match := _TOKEN.match(rest, at):
        at = match.end()
        kind, token = match.lastgroup, match.group()
        if kind == "end":
            _add_items(out, [n for n in names if n not in kept], pending)
            return "".join(out) + "]" + rest[at:]
        if kind == "text":
            name = tomllib.loads(f"x = {token}")["x"]
            dropped_comma = name not in names or name in kept
            if not dropped_comma:
                kept.append(name)
                out.append(token)
                pending = True
        elif kind == "comma":
            if not dropped_comma:
                out.append(token)
                pending = False
        else:
            out.append(token)
    return rest  # not closed, or no list of texts: the caller's check refuses it


def _add_items(out: list[str], names: Sequence[str], pending: bool) -> None:
    """Appends items behind the last one; ``pending`` says that a comma is missing there."""
    if not names:
        return
    last = max((i for i, token in enumerate(out) if token[:1] in "\"',"), default=-1)
    added = ", ".join(map(_quoted, names))
    lead = ", " if pending else (" " if last >= 0 else "")
    tail = "," if last >= 0 and not pending else ""
    out.insert(last + 1, lead + added + tail)


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
