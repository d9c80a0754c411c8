"""Bad inputs with the answer that crmkit gives to each, for its own tests and those of plugins.

::

    from crmkit.testing.corpus import CASES, open_desk

    with open_desk(folder) as desk:
        for case in CASES:
            assert desk.faults(case) == []

The items that a case names are these: 1-14 files and encodings, 15-32 the shape of CSV and JSON,
33-44 spreadsheets, 45-55 text and Unicode, 56-69 values. A refused file changes nothing; a rejected
row is named by its line and a stable code, and the other rows are stored.
"""

from __future__ import annotations

from .case import Case, profile
from .desk import Desk, open_desk
from .files import CASES as FILES
from .json_lines import CASES as JSON_LINES
from .parquet_files import CASES as PARQUET_FILES
from .spreadsheets import CASES as SPREADSHEETS
from .table_shape import CASES as TABLE_SHAPE
from .texts import CASES as TEXTS
from .values import CASES as VALUES

CASES: tuple[Case, ...] = (
    *FILES, *TABLE_SHAPE, *JSON_LINES, *SPREADSHEETS, *PARQUET_FILES, *TEXTS, *VALUES,
)  # fmt: skip

__all__ = ["CASES", "Case", "Desk", "open_desk", "profile"]
