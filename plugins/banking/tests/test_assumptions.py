"""What the bank assumes is what the how-to says."""

from __future__ import annotations

import re
from pathlib import Path

from crmkit import resource_text

HOW_TO = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "look-after-a-banks-customers.md"


def test_the_how_to_lists_every_assumption_with_its_value() -> None:
    sql = resource_text("crmkit_banking", "assumed.sql")
    used = dict(re.findall(r"f\.name = '(\w+)' THEN f\.value END\), ([\d.]+)\)", sql))
    assert len(used) == sql.count("f.name = ")
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", HOW_TO.read_text("utf-8"), re.MULTILINE))
    assert told == used
