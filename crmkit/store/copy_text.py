"""Columns of values as the text that PostgreSQL's COPY reads.

The driver can write rows itself, a value at a time; column by column takes a third of its time,
because most columns are text that needs no escape, or one value in every row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, repeat
from typing import Any

# The server works on one part while the next is made.
PART_ROWS = 1_000
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_ESCAPED = re.compile(r"[\\\t\n\r]")
_NULL = "\\N"


def copy_texts(columns: Sequence[Iterable[Any]]) -> Iterator[str]:
    """The lines of the rows, in parts.

    Args:
        columns: values in storage form; ``itertools.repeat`` stands for one value in every row, but
            not in all the columns.
    """
    rows = map("\t".join, zip(*map(_texts, columns), strict=False))
    while part := list(islice(rows, PART_ROWS)):
        part.append("")
        yield "\n".join(part)


def _texts(values: Iterable[Any]) -> Iterable[str]:
    if isinstance(values, repeat):
        return repeat(_text(next(values)))
    values = values if isinstance(values, list | tuple) else list(values)
    kinds = set(map(type, values))
    if kinds == {int}:
        return map(str, values)
    if kinds == {str} and not _ESCAPED.search("".join(values)):
        return values
    return map(_text, values)


def _text(value: Any) -> str:
    if value is None:
        return _NULL
    # Numbers, booleans, dates and instants are read by the server as Python shows them.
    text = str(value)
    return (
        _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text)
        if "\\" in text or not text.isprintable()
        else text
    )
