"""How a fragment is looked for in text."""

from __future__ import annotations

from sqlalchemy import ColumnElement
from sqlalchemy.sql.elements import ColumnElement as Element


def contains(column: Element[str], fragment: str) -> ColumnElement[bool]:
    """Whether the column holds the fragment as it stands; ``%`` and ``_`` mean themselves."""
    escaped = fragment.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    # LIKE on SQLite and ILIKE on PostgreSQL both take Latin letters in either case.
    return column.ilike(f"%{escaped}%", escape="\\")
