"""The column names of a table: sound, and those that the profile reads among them."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence

from ..errors import InputRefused
from .batch import LINE
from .profile import Profile

MOST_COLUMNS = 2_000


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
            hint="Name it, or give columns in the profile's [source].",
        )  # fmt: skip
    seen: dict[str, str] = {}
    for name in header:
        # NFKC after folding again: folding can break a composed sign up.
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
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
        near = difflib.get_close_matches(lacking[0], header, n=1)
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
