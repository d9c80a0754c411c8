"""A draft as TOML text, with what was guessed of each column beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def quoted(value: Any) -> str:
    """A TOML value: text, truth, number, list of texts or inline table."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON escapes are TOML escapes as well, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {quoted(v)}" for k, v in value.items()) + " }"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(quoted, value)) + "]"
    return str(value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else quoted(name)


def comment(text: str) -> str:
    """A comment line; what comes from the file cannot end it."""
    return "# " + "".join(ch if ch.isprintable() else " " for ch in text)


def write_profile(
    name: str,
    title: str,
    source: Mapping[str, Any],
    emits: Sequence[Mapping[str, Any]],
    remarks: Sequence[str],
) -> str:
    """The profile's TOML; ``remarks`` stand above it as comments."""
    lines = [comment(r) for r in remarks]
    lines += [f"name = {quoted(name)}", f"title = {quoted(title)}", "", "[source]"]
    lines += [f"{_key(k)} = {quoted(v)}" for k, v in source.items()]
    for emit in emits:
        lines += ["", "[[emit]]"]
        lines += [f"{_key(k)} = {quoted(v)}" for k, v in emit.items() if k != "fields"]
        fields = emit.get("fields") or {}
        if fields:
            lines.append("[emit.fields]")
            lines += [f"{_key(k)} = {quoted(v)}" for k, v in fields.items()]
    return "\n".join(lines) + "\n"
