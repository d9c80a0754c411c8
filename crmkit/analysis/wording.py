"""Messages and evidence of rules in words, made column by column.

A run may fire on a million subjects whose values repeat. So each value of a column is put into words
once, and the texts of a message are joined in Arrow.
"""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..entities.phrasing import Phrase, fill, parse_phrases
from .runs import as_json

Convert = Callable[[str, Any], Any]


class Words(string.Formatter):
    """Fills a message: what is missing reads ``unknown``, whatever its format says."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        """A value in the format asked for; floats without one have at most two decimals."""
        if value is None:
            return "unknown"
        if isinstance(value, float) and not format_spec:
            return f"{value:.2f}".rstrip("0").rstrip(".")
        return super().format_field(value, format_spec)


def message_columns(message: str) -> tuple[str, ...]:
    """The columns that a message names in braces."""
    return tuple(sorted({name for _, name, _, _ in string.Formatter().parse(message) if name}))


def messages(template: str, rows: pa.Table, shown: Convert) -> pa.Array:
    """The template filled for every row.

    Args:
        template: text with columns in braces, as ``{telecom_fee}`` or ``{score_telecom_churn:.0%}``;
            the words beside a number fit it (:mod:`crmkit.entities.phrasing`).
        rows: has the columns.
        shown: what stands for a value that is there, given its column; money becomes an amount.

    Raises:
        ValueError, TypeError: if a format does not fit a value.
    """
    words = Words()
    parts: list[pa.Array | str] = []
    for part in parse_phrases(template):
        if isinstance(part, str):
            parts.append(part)
        else:
            parts.append(_told(rows, part.name, partial(_filled, words, part, shown)))
    return _joined(parts, rows.num_rows)


def _filled(words: Words, phrase: Phrase, shown: Convert, value: Any) -> str:
    """One field of a message, with the words that depend on it."""
    given = value if value is None else shown(phrase.name, value)
    text = words.format_field(words.convert_field(given, phrase.conversion), phrase.spec)
    return fill(phrase, value, str(text))


def evidence(rows: pa.Table, columns: Sequence[str]) -> pa.Array:
    """For every row the columns and their values as a JSON object."""
    parts: list[pa.Array | str] = []
    for place, name in enumerate(columns):
        parts += [f"{', ' if place else '{'}{json.dumps(name)}: ", _told(rows, name, as_json)]
    return _joined([*parts, "}" if columns else "{}"], rows.num_rows)


def in_lists(texts: pa.Array) -> pa.Array:
    """Each text as a JSON list of that one text."""
    return pa.array([f"[{as_json(text)}]" for text in texts.to_pylist()], pa.string())


def _told(rows: pa.Table, name: str, say: Callable[[Any], str]) -> pa.Array:
    """A column in words, each of its values said once."""
    column = rows.column(name).combine_chunks()
    if pa.types.is_nested(column.type) or pa.types.is_null(column.type):
        return pa.array([say(value) for value in column.to_pylist()], pa.string())
    encoded = column.dictionary_encode("encode")
    said = pa.array([say(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return said.take(encoded.indices)


def _joined(parts: Sequence[pa.Array | str], size: int) -> pa.Array:
    if not any(isinstance(part, pa.Array) for part in parts):
        return pa.repeat(pa.scalar("".join(map(str, parts)), pa.string()), size)
    return pc.binary_join_element_wise(*(p if isinstance(p, pa.Array) else pa.scalar(p) for p in parts), "")  # fmt: skip
