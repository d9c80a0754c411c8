"""The plugin's statements: one file each, with parts that several share put before them."""

from __future__ import annotations

import re

from crmkit import resource_text

from .tables import reasons, statuses

# 1.959964 squared: 95 % of a normal variable lie within so many standard deviations.
Z2 = "3.841459"
_LIMIT = re.compile(r"\bwilson_(low|high)\((\w+), (\w+)\)")


def statement(path: str, *shared: str) -> str:
    """The statement of a file, with shared common table expressions before its own.

    ``wilson_low(rate, n)`` and ``wilson_high(rate, n)`` in a file, with names of columns, stand for the
    limits of Wilson's 95 % interval of a rate among n, which is missing where n is.

    Args:
        path: of the file in this package, without ``.sql``; it has a ``WITH`` where parts are given.
        shared: names of files in ``shared/``, those first that others build on; ``excuse`` is the
            table of reasons, ``patience`` that of statuses and the hours of silence they allow.
    """
    text: str = _LIMIT.sub(_wilson, resource_text(__package__, f"{path}.sql"))
    if not shared:
        return text
    parts = ",\n".join(_shared(part) for part in shared)
    head, _, body = text.partition("WITH ")
    return f"{head}WITH\n{parts},\n{body}"


def _wilson(found: re.Match[str]) -> str:
    side, rate, n = found.groups()
    sign, bound, outside = ("-", "greatest", "0.0") if side == "low" else ("+", "least", "1.0")
    root = f"sqrt({Z2} * ({rate} * (1 - {rate}) + {Z2} / (4 * {n})) / {n})"
    limit = f"({rate} + {Z2} / (2 * {n}) {sign} {root}) / (1 + {Z2} / {n})"
    # greatest and least pass over what is missing, so that has to be told apart.
    return f"CASE WHEN {n} > 0 THEN {bound}({limit}, {outside}) END"


def _shared(name: str) -> str:
    if name == "excuse":
        rows = [f"('{r.name}', '{r.responsible}', {str(r.excused).lower()})" for r in reasons()]
        return _values("excuse", rows, "reason, responsible, excused")
    if name == "patience":
        rows = [f"('{s.name}', {s.silence_hours})" for s in statuses() if s.silence_hours]
        return _values("patience", rows, "status, silence_hours")
    text: str = resource_text(__package__, f"shared/{name}.sql")
    return text.rstrip()


def _values(name: str, rows: list[str], columns: str) -> str:
    # Names of tables of our own.
    return f"{name} AS (SELECT * FROM (VALUES {', '.join(rows)}) v({columns}))"  # noqa: S608
