"""Visits: stays of a guest that overlap, as two rooms of one night, are one visit.

Whatever counts how often guests come, or how long they stay away, counts visits.
"""

from __future__ import annotations

from crmkit import resource_text


def with_visits(sql: str) -> str:
    """A statement whose ``{visit}`` becomes the tables of ``visit.sql``, of which the last is ``visit``."""
    return sql.replace("{visit}", resource_text(__package__, "visit.sql").rstrip())
