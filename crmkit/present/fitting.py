"""Tables laid out in the width of a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import frozen

from ..entities.field_types import FieldType
from .grid import Column
from .values import is_id

GAP = 2
# A text column is made at least this wide before another column is left out for it: narrower prose
# (of more than PROSE cells) takes five or more lines a row.
_PROSE_FLOOR, PROSE = 28, 56
# A text of so many cells, such as the name of a person, stays on one line.
_SHORT = 20
# The ends of an interval say less than what lies between them.
_BOUNDS = ("_low", "_high", "_zh")
# A longer word, such as an address of the web, may be split.
_LONGEST_WORD = 24
_RIGID = frozenset(
    (FieldType.INTEGER, FieldType.NUMBER, FieldType.MONEY, FieldType.DATE, FieldType.INSTANT,
     FieldType.BOOLEAN)
)  # fmt: skip
# Blanks inside a number, a phone number or an amount with its currency.
_INSIDE_NUMBER = re.compile(r"(?<=\d) (?=[\d(]|[A-Z]{3}(?![A-Za-z]))|(?<=\)) (?=\d)")
_WIDE = re.compile(r"[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]")  # fmt: skip
_PIECES = re.compile(f"{_WIDE.pattern}|(?:(?!{_WIDE.pattern})\\S)+")


@frozen
class Layout:
    """Which columns of a grid a terminal shows, and how wide.

    Attributes:
        places: positions of the columns shown, in order. widths: of each, in terminal cells.
        empty: names of the columns left out because no row has a value in them.
        dropped: names of the columns left out because the terminal is too narrow.
        fits: False where even the columns shown are wider than the terminal.
    """

    places: tuple[int, ...]
    widths: tuple[int, ...]
    empty: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    fits: bool = True


def lay_out(
    columns: Sequence[Column],
    heads: Sequence[str],
    lines: Sequence[Sequence[str]],
    width: int,
    *,
    every_column: bool = False,
) -> Layout:
    """The columns that fit in ``width`` cells.

    Empty columns are left out first. Then come those declared ``detail``, the last one first, and
    then the others from the right, prose last; the first column stays. Numbers, ids and dates keep
    their full width, text is wrapped at words.

    Args:
        lines: the cells of every row as text. every_column: leave out none, as ``--columns`` asks.
    """
    places = list(range(len(columns)))
    empty: list[int] = []
    if lines and not every_column:
        empty = [i for i in places if not any(line[i] for line in lines)]
        places = [i for i in places if i not in empty] or places[:1]
        empty = [i for i in empty if i not in places]
    least, most = {}, {}
    for i in places:
        least[i], most[i] = _bounds(columns[i], heads[i], [line[i] for line in lines])
    dropped: list[int] = []
    if not every_column:
        for i in _droppable(columns, places, most):
            if _total(least, places) <= width:
                break
            places.remove(i)
            dropped.append(i)
        for i in reversed(dropped):  # a narrow one may still fit in the place of a wide one
            if _total(least, [*places, i]) <= width:
                places = sorted([*places, i])
        dropped = [i for i in dropped if i not in places]
    widths = _share(places, least, most, width)
    return Layout(
        tuple(places), widths, tuple(columns[i].name for i in empty),
        tuple(columns[i].name for i in sorted(dropped)), _total(least, places) <= width,
    )  # fmt: skip


def _total(widths: dict[int, int], places: Sequence[int]) -> int:
    return sum(widths[i] for i in places) + GAP * (len(places) - 1)


def _droppable(columns: Sequence[Column], places: list[int], most: dict[int, int]) -> list[int]:
    """The order in which columns are left out."""
    rest = places[:0:-1]
    detail = [i for i in rest if columns[i].detail or columns[i].name.endswith(_BOUNDS)]
    short = [i for i in rest if i not in detail and most[i] <= PROSE]
    return [*detail, *short, *(i for i in rest if i not in detail and i not in short)]


def _share(
    places: Sequence[int], least: dict[int, int], most: dict[int, int], width: int
) -> tuple[int, ...]:
    """What is left over widens the columns that need it, each by a cell in turn."""
    widths = {i: least[i] for i in places}
    left = width - _total(widths, places)
    while left > 0 and (growing := [i for i in places if widths[i] < most[i]]):
        for i in growing[:left]:
            widths[i] += 1
        left -= len(growing[:left])
    return tuple(widths[i] for i in places)


def _bounds(column: Column, head: str, cells: Sequence[str]) -> tuple[int, int]:
    """The least and the greatest useful width of a column."""
    longest = max((cell_width(cell) for cell in cells), default=0)
    heading = max((cell_width(word) for word in heading_words(head)), default=0)
    if is_rigid(column, cells):
        return max(longest, heading), max(longest, heading)
    word = max((cell_width(p) for cell in cells for p in pieces(cell)), default=0)
    half = longest if longest <= _SHORT else -(-longest // 2)
    floor = max(min(word, _LONGEST_WORD), min(_PROSE_FLOOR, half))
    return max(min(longest, floor), heading), max(longest, heading, min(cell_width(head), 24))


def is_rigid(column: Column, cells: Sequence[str]) -> bool:
    """Whether no value of a column may be split: numbers, ids, keys, dates, phone numbers."""
    if column.type in _RIGID or is_id(column.name) or column.name == "ref":
        return True
    return not any((any(c.isalpha() for c in cell) and " " in cell) or _WIDE.search(cell) or len(cell) > PROSE for cell in cells)  # fmt: skip


def cell_width(text: str) -> int:
    """Terminal cells of a text; a Chinese character takes two."""
    if text.isascii():
        return len(text)
    # Lazy: only text beyond ASCII needs the table of widths.
    from rich.cells import cell_len

    return cell_len(text)


def heading_words(head: str) -> list[str]:
    """The parts between which a heading may be broken: at blanks and after underscores."""
    return [part for word in head.split() for part in re.findall(r"[^_]+_*|_+", word)]


def pieces(text: str) -> list[str]:
    """The parts between which a text may be broken; numbers with blanks in them are one part."""
    return [p.replace("\0", " ") for p in _PIECES.findall(_INSIDE_NUMBER.sub("\0", text))]


def wrapped(text: str, width: int, parts: Sequence[str] | None = None) -> list[str]:
    """The text in lines of at most ``width`` cells, broken between words.

    Only a word that is longer than a line is split.
    """
    if cell_width(text) <= width:
        return [text]
    lines, line, at = [], "", 0
    for piece in pieces(text) if parts is None else parts:
        start = text.find(piece, at)
        glue = text[at:start] if line else ""
        at = start + len(piece)
        if cell_width(line) + len(glue) + cell_width(piece) <= width:
            line += glue + piece
            continue
        if line:
            lines.append(line)
        while cell_width(piece) > width:
            head = _fitting(piece, width)
            lines.append(head)
            piece = piece[len(head) :]
        line = piece
    return [*lines, line] if line or not lines else lines


def _fitting(text: str, width: int) -> str:
    used = 0
    for place, sign in enumerate(text):
        used += cell_width(sign)
        if used > width:
            return text[: max(place, 1)]
    return text


def wrapped_lines(line: str, width: int) -> list[str]:
    """A line wrapped at words, what goes on indented below its beginning; blanks in it stay."""
    if cell_width(line) <= width:
        return [line]
    indent = " " * min(len(line) - len(line.lstrip()), width // 4)
    first, *rest = wrapped(line.lstrip(), width - len(indent) - 4)
    return [indent + first, *(f"{indent}    {part}" for part in rest)]


def fields_of(lines: Sequence[Sequence[str]], heads: Sequence[str], width: int) -> list[str]:
    """Rows one field a line, for those that no terminal is wide enough for; empty fields left out."""
    label = max((cell_width(head) for head in heads), default=0)
    room = max(width - label - GAP, 16)
    out: list[str] = []
    for line in lines:
        if out:
            out.append("")
        for head, cell in zip(heads, line, strict=True):
            if cell:
                first, *rest = wrapped(cell, room)
                out.append(head + " " * (label - cell_width(head) + GAP) + first)
                out += [" " * (label + GAP) + part for part in rest]
    return out
