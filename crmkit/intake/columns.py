"""The column names of a table: sound, and those that the profile reads among them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from attrs import frozen

from ..errors import InputRefused, near_names
from .batch import LINE
from .profile import Profile

MOST_COLUMNS = 2_000
# A header is looked for in so many rows.
LOOKED_AT_ROWS = 30


@frozen(kw_only=True)
class Heading:
    """The header of a CSV file or a sheet.

    Attributes:
        names: of the columns.
        unknown: those that the profile does not map.
        width: how many cells the header has, those without a name at its end among them.
        repeated: whether the first row only says the names again that the profile gives.
        remarks: what was left out.
    """

    names: list[str]
    width: int
    unknown: tuple[str, ...]
    repeated: bool = False
    remarks: tuple[str, ...] = ()


def is_blank(row: Sequence[str | None]) -> bool:
    """Whether no cell of a row has a value."""
    # The first cell tells it of almost every row.
    return not row or not (
        (row[0] and row[0].strip()) or any(cell and cell.strip() for cell in row[1:])
    )


def read_heading(
    found: Sequence[str] | None, following: Sequence[tuple[int, Sequence[str]]], profile: Profile,
    name: str, where: str, *, strict: bool,
) -> Heading:  # fmt: skip
    """The columns of a file, checked against those that the profile reads.

    Args:
        found: the cells of the header; None where the profile names the columns.
        following: the next rows with the line or sheet row of each, at most LOOKED_AT_ROWS.
        name: the file's, for messages. where: file and line of the header.
        strict: refuse columns that the profile does not map.

    Raises:
        InputRefused: ``E_HEADER``, ``E_COLUMN_MISSING`` or ``E_COLUMN_UNKNOWN``; where a later row
            holds the columns, the hint says how to name it.
    """
    remarks: list[str] = []
    names = list(profile.source.columns or ()) if found is None else list(found)
    while found is not None and names and not names[-1].strip():
        names.pop()
    if found is not None and 0 < len(names) < len(found):
        more = len(found) - len(names)
        remarks.append(f"{where}: the header ends with empty cells ({more}), which were ignored.")
    try:
        header = check_header(names if names else list(found or ()), where)
        check_columns(header, profile, name, strict=strict)
    except InputRefused as error:
        line = _line_with(following, profile) if found is not None else None
        if line is None or error.code == "E_COLUMN_UNKNOWN":
            raise
        raise InputRefused(
            error.message, code=error.code,
            hint=f"Line {line} has the columns: set skip_lines = {line - 1} in the profile's [source].",
        ) from None  # fmt: skip
    repeated = bool(
        found is None
        and following
        and list(map(_folded, following[0][1])) == list(map(_folded, header))
    )
    if repeated:
        remarks.append(f"{where} says the names of the columns again and was not read as a row.")
    return Heading(
        names=header, width=len(found or header), unknown=unknown_columns(header, profile),
        repeated=repeated, remarks=tuple(remarks),
    )  # fmt: skip


def _line_with(rows: Sequence[tuple[int, Sequence[str]]], profile: Profile) -> int | None:
    """The first row that holds every column which the profile reads."""
    wanted = {*profile.used} - {LINE} - profile.source.optional
    found = (line for line, cells in rows if wanted and wanted <= {c.strip() for c in cells})
    return next(found, None)


def _folded(name: str) -> str:
    # NFKC after folding again: folding can break a composed sign up.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name.strip()).casefold())


def check_header(header: Sequence[str], where: str) -> list[str]:
    """The names, if each is there and none stands twice.

    Args:
        where: file and line, for messages.

    Raises:
        InputRefused: ``E_HEADER``.
    """
    if len(header) > MOST_COLUMNS:
        raise InputRefused(
            f"{where}: {len(header)} columns; at most {MOST_COLUMNS} are read.", code="E_HEADER"
        )
    blank = [i for i, name in enumerate(header, 1) if not name]
    if blank or not header:
        numbers = ", ".join(map(str, blank[:5])) or "1"
        raise InputRefused(
            f"{where}: column {numbers} has no name.", code="E_HEADER",
            hint="Name it in the file. If the names stand further down, set skip_lines in the "
            "profile's [source]; to name all columns there, give columns and skip the header's line "
            "with skip_lines, as it would be read as a row.",
        )  # fmt: skip
    seen: dict[str, str] = {}
    for name in header:
        folded = _folded(name)
        if folded in seen:
            raise InputRefused(
                f"{where}: columns {seen[folded]!r} and {name!r} have one name.",
                code="E_HEADER", hint="Rename one of them.",
            )  # fmt: skip
        seen[folded] = name
    return list(header)


def unknown_columns(header: Sequence[str], profile: Profile) -> tuple[str, ...]:
    """Columns that the profile does not map; those that begin with ``_`` are none."""
    used = set(profile.used)
    return tuple(h for h in header if h not in used and not h.startswith("_"))


def check_columns(header: Sequence[str], profile: Profile, name: str, *, strict: bool) -> None:
    """Checks that the columns are there which the profile reads.

    Args:
        name: the file's name.
        strict: refuse columns that the profile does not map.

    Raises:
        InputRefused: ``E_COLUMN_MISSING`` or ``E_COLUMN_UNKNOWN``.
    """
    known, optional = {*header, LINE}, profile.source.optional
    lacking = [c for c in profile.used if c not in known and c not in optional]
    if lacking:
        near = near_names(lacking[0], header, most=1)
        hint = f"Is it {near[0]!r}?" if near else f"It has {', '.join(header[:20])}."
        raise InputRefused(
            f"{name} lacks the columns {', '.join(map(repr, lacking))} that profile "
            f"{profile.name} reads.",
            code="E_COLUMN_MISSING", hint=hint,
        )  # fmt: skip
    unknown = unknown_columns(header, profile)
    if strict and unknown:
        raise InputRefused(
            f"{name} has columns that profile {profile.name} does not map: {', '.join(unknown)}.",
            code="E_COLUMN_UNKNOWN", hint="Map them or leave --strict out.",
        )  # fmt: skip
