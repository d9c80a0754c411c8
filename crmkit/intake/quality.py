"""How good a source's data are: shares of rows by what is wrong with them, and a gate on these.

The kinds are those of data-quality practice (DAMA-UK, "The six primary dimensions for data quality
assessment", 2013): completeness, validity, timeliness, consistency and uniqueness, under the plain
words missing, malformed, stale, contradictory and duplicate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from ..errors import NotConfirmed

if TYPE_CHECKING:
    from ..store.store import Store

KINDS = ("missing", "malformed", "stale", "contradictory", "duplicate")
LIMITS = ("max_rejected", *(f"max_{kind}" for kind in KINDS))
COLUMNS = (
    "import_id", "source", "profile", "file_name", "started_at", "status", "read", "rejected",
    "rejected_share", *(f"{kind}_share" for kind in KINDS), "change",
)  # fmt: skip
_KIND_OF = {
    "E_KEY": "missing",
    "E_REQUIRED": "missing",
    "E_STALE": "stale",
    "E_OWNER": "contradictory",
    "E_SUBJECT": "contradictory",
    "E_DUPLICATE": "duplicate",
}
# The highest share of rows that an import rejects without asking, where a profile declares none. We
# chose it: more than one row in twenty speaks of a wrong profile rather than of bad rows.
MOST_REJECTED = 0.05
# Asked with what falls short, one sentence each; True lets the import go on.
Accept = Callable[[Sequence[str]], bool]


def kind_of(code: str) -> str:
    """The kind of fault that a reject code is.

    A code that a plugin's check gives is a contradiction: the row's cells can be read one by one
    and do not go together. Every other code is of a cell or line that cannot be read.
    """
    if code in _KIND_OF:
        return _KIND_OF[code]
    return "malformed" if code in _MALFORMED else "contradictory"


_MALFORMED = frozenset(
    "E_QUOTE E_COLUMNS E_CELL E_NUL E_ENCODING E_JSON E_TYPE E_MAP E_LOOKUP E_NUMBER E_ENUM E_RANGE E_LENGTH E_PATTERN "
    "E_SCHEMA E_COLUMN_UNKNOWN E_FORMULA E_PRECISION_LOST E_CELL_ERROR E_DATE".split()
)


def kinds_of(codes: Mapping[str, int]) -> Counter[str]:
    """Rejected rows by kind, from rejected rows by code."""
    found: Counter[str] = Counter()
    for code, rows in codes.items():
        found[kind_of(code)] += rows
    return found


def shortfalls(limits: Mapping[str, float], read: int, codes: Mapping[str, int]) -> list[str]:
    """What falls short of a profile's ``[quality]``, one sentence each.

    Args:
        limits: highest shares of rows, by name from LIMITS.
        read: rows read.
        codes: rejected rows by code.
    """
    if not read:
        return []
    kinds = kinds_of(codes)
    kinds["rejected"] = sum(codes.values())
    out = []
    for name, most in limits.items():
        kind = name.removeprefix("max_")
        if kinds[kind] > most * read:
            share = kinds[kind] / read
            out.append(
                f"{kinds[kind]} of {read} rows are {kind} ({share:.2%}, {name} is {most:.2%})"
            )
    return out


def check_gate(found: Sequence[str], accept: Accept | None) -> None:
    """Asks whether to import data that fall short.

    Raises:
        NotConfirmed: if nobody says yes; nothing was changed.
    """
    if found and not (accept is not None and accept(found)):
        raise NotConfirmed(
            f"the file is below the profile's quality: {'; '.join(found)}. Nothing was imported.",
            hint="See the rows with --dry-run, or import it nevertheless with --yes.",
        )


def quality_rows(store: Store, source: str | None = None) -> list[dict[str, Any]]:
    """One row per import, by source and then time: shares of rows by what was wrong with them.

    ``change`` is the rejected share less that of the import before of the same source and profile:
    above 0 the data have become worse. Shares are None where nothing was read.
    """
    rejects = store.tables["import_reject"].c
    count = select(rejects.import_id, rejects.code, func.count().label("rows")).group_by(
        rejects.import_id, rejects.code
    )
    codes: dict[int, dict[str, int]] = {}
    with store.read() as connection:
        for row in connection.execute(count):
            codes.setdefault(row.import_id, {})[row.code] = row.rows
    before: dict[tuple[str, str], float] = {}
    out = []
    for run in sorted(store.imports.runs(), key=lambda r: (r.source, r.id)):
        if source is not None and run.source != source:
            continue
        kinds = kinds_of(codes.get(run.id, {}))
        share = run.rejected / run.read if run.read else None
        earlier = before.get((run.source, run.profile))
        told = {name: getattr(run, name) for name in COLUMNS[1:8]}
        out.append(
            {
                "import_id": run.id,
                **told,
                "rejected_share": share,
                **{f"{k}_share": kinds[k] / run.read if run.read else None for k in KINDS},
                "change": None if share is None or earlier is None else share - earlier,
            }
        )
        if share is not None and run.status == "done":
            before[run.source, run.profile] = share
    return out
