"""The plugin's statements: one file each, with parts that several share put before them."""

from __future__ import annotations

from crmkit import resource_text

from .tables import reasons


def statement(path: str, *shared: str) -> str:
    """The statement of a file, with shared common table expressions before its own.

    Args:
        path: of the file in this package, without ``.sql``; it has a ``WITH`` where parts are given.
        shared: names of files in ``shared/``, those first that others build on; ``excuse`` is the
            table of reasons.
    """
    text: str = resource_text(__package__, f"{path}.sql")
    if not shared:
        return text
    parts = ",\n".join(_shared(part) for part in shared)
    head, _, body = text.partition("WITH ")
    return f"{head}WITH\n{parts},\n{body}"


def _shared(name: str) -> str:
    if name != "excuse":
        text: str = resource_text(__package__, f"shared/{name}.sql")
        return text.rstrip()
    rows = ", ".join(
        f"('{r.name}', '{r.responsible}', {str(r.excused).lower()})" for r in reasons()
    )
    # Names of a table of our own.
    return f"excuse AS (SELECT * FROM (VALUES {rows}) v(reason, responsible, excused))"  # noqa: S608
