"""Changing a list of names in ``crmkit.toml`` and leaving every other character as it is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence

from ..errors import ConfigError
from ..settings import FILE

_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\\n]|\\.)*"|'[^'\n]*')|(?P<note>\#[^\n]*)|(?P<comma>,)|(?P<end>\])|(?P<blank>\s+)"""
)

Tokens = list[tuple[str, str]]


def edit_list(text: str, key: str, names: Sequence[str]) -> str:
    """The text with ``key = [names]``; comments, order and layout of all else are kept.

    Names that stay keep their place and the comments around them; new ones are added at the end.

    Raises:
        ConfigError: if the list is written in a way that cannot be edited safely.
    """
    before = tomllib.loads(text)
    if list(before.get(key, [])) == list(names):
        return text
    plain = f"[{', '.join(map(_quoted, names))}]"
    found = re.search(rf"^[ \t]*{key}[ \t]*=[ \t]*\[", text, re.MULTILINE)
    if found is None:
        edited = f"{key} = {plain}\n{text}"
    else:
        tokens, end = _tokens(text, found.end())
        listed = plain
        if any(kind == "note" or "\n" in token for kind, token in tokens):
            listed = "[" + "".join(token for _, token in _edited(tokens, names)) + "]"
        edited = text[: found.end() - 1] + listed + text[end:]
    try:
        after = tomllib.loads(edited)
    except tomllib.TOMLDecodeError:
        after = {}
    if after != {**before, key: list(names)}:
        raise ConfigError(
            f"{FILE}: the list {key!r} is written in a way that cannot be edited.",
            hint=f"Write it by hand: {key} = {plain}",
        )
    return edited


def _tokens(text: str, at: int) -> tuple[Tokens, int]:
    """The tokens of a list from behind its bracket, and where the text goes on behind the list."""
    out: Tokens = []
    while match := _TOKEN.match(text, at):
        at = match.end()
        if match.lastgroup == "end":
            break
        out.append((str(match.lastgroup), match.group()))
    return out, at


def _edited(tokens: Tokens, names: Sequence[str]) -> Tokens:
    """The tokens with only these names, notes and layout kept."""
    out: Tokens = []
    kept: set[str] = set()
    dropping = False
    for kind, token in tokens:
        if kind == "text":
            name = tomllib.loads(f"x = {token}")["x"]
            dropping = name not in names or name in kept
            kept.add(name)
            if dropping:
                # With its line, not leaving an empty one.
                if out and out[-1][0] == "blank":
                    out.pop()
                continue
        elif kind == "comma" and dropping:
            dropping = False
            continue
        out.append((kind, token))
    added = [name for name in names if name not in kept]
    solid = [i for i, (kind, _) in enumerate(out) if kind in ("text", "comma")]
    last = solid[-1] if solid else -1
    if added:
        comma = last >= 0 and out[last][0] == "comma"
        text = ", ".join(map(_quoted, added))
        lead = "" if last < 0 else " " if comma else ", "
        out.insert(last + 1, ("text", lead + text + ("," if comma else "")))
    return _closed_notes(out)


def _closed_notes(tokens: Tokens) -> Tokens:
    """The tokens with a line end behind every note, or it would swallow what follows."""
    out: Tokens = []
    for place, (kind, token) in enumerate(tokens):
        out.append((kind, token))
        following = tokens[place + 1][1] if place + 1 < len(tokens) else ""
        if kind == "note" and not following.startswith("\n"):
            out.append(("blank", "\n"))
    return out


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
