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
from .stored_quality import KINDS, Measure, look

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ..store.imports import ImportRun
    from ..store.store import Store

LIMITS = ("max_rejected", *(f"max_{kind}" for kind in KINDS))
COLUMNS = (
    "import_id", "source", "profile", "file_name", "started_at", "status", "read", "rejected",
    "rejected_share", *(f"{kind}_share" for kind in KINDS), "stored_share", "change",
)  # fmt: skip
_KIND_OF = {
    "E_KEY": "missing",
    "E_REQUIRED": "missing",
    "E_STALE": "stale",
    "E_CONTRADICTION": "contradictory",
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

    A row of the file is bad if it was rejected, or if what is stored of its source is: the shares of
    the last two imports of a source count, for the rows taken, the share of stored rows that have the
    fault since. ``stored_share`` is that share for any fault; earlier imports have None.

    ``change`` is the share of all bad rows less that of the import before of the same source and
    profile: above 0 the data have become worse. Shares are None where nothing was read.
    """
    runs = [r for r in store.imports.runs() if source in (None, r.source)]
    before: dict[tuple[str, str], tuple[float, float]] = {}
    out = []
    with store.read() as connection:
        codes, stored = _codes(store, connection), _stored(store, connection, runs)
        for run in sorted(runs, key=lambda r: (r.source, r.id)):
            kinds, read = kinds_of(codes.get(run.rejects_of or run.id, {})), run.read
            rejected = run.rejected / read if read else None
            found = stored.get(run.id)
            taken = 0.0 if rejected is None else 1 - rejected
            bad = None if rejected is None else rejected + taken * ((found and found.share) or 0.0)
            earlier = before.get((run.source, run.profile))
            change = None
            if bad is not None and rejected is not None and earlier is not None:
                # Like with like: of an import whose stored rows nobody looked at, its rejects alone.
                change = bad - earlier[0] if found is not None else rejected - earlier[1]
            told = {name: getattr(run, name) for name in COLUMNS[1:8]}
            out.append(
                {
                    "import_id": run.id,
                    **told,
                    "rejected_share": rejected,
                    **{
                        f"{kind}_share": kinds[kind] / read
                        + (taken * found.faults[kind] / found.rows if found and found.rows else 0.0)
                        if read
                        else None
                        for kind in KINDS
                    },
                    "stored_share": None if found is None else found.share,
                    "change": change,
                }
            )
            if bad is not None and rejected is not None and run.status == "done":
                before[run.source, run.profile] = bad, rejected
    return out


def _codes(store: Store, connection: Connection) -> dict[int, dict[str, int]]:
    """Rejected rows by import and code."""
    rejects = store.tables["import_reject"].c
    count = select(rejects.import_id, rejects.code, func.count().label("rows")).group_by(
        rejects.import_id, rejects.code
    )
    codes: dict[int, dict[str, int]] = {}
    for row in connection.execute(count):
        codes.setdefault(row.import_id, {})[row.code] = row.rows
    return codes


def _stored(store: Store, connection: Connection, runs: Sequence[ImportRun]) -> dict[int, Measure]:
    """What was stored of its source after each of a source's last two imports, the latest first."""
    done: dict[str, list[ImportRun]] = {}
    for run in runs:
        if run.status == "done":
            done.setdefault(run.source, []).append(run)
    return {
        of_source[back].id: look(store, connection, name, of_source, back).overall
        for name, of_source in done.items()
        for back in range(min(2, len(of_source)))
    }
