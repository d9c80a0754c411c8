"""``crmkit why``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Crmkit = Callable[..., Any]
KEYS = [
    "ref", "name", "record_id", "what", "kind", "value", "known_then", "since", "as_of",
    "recorded_at", "reasons", "evidence", "by", "version", "actor",
]  # fmt: skip


def test_a_stage_is_one_flat_object_with_every_key(crmkit: Crmkit, shop: Path) -> None:
    crmkit("customer", "add", "Ada", "--ref", "till:7")
    none = crmkit("why", "till:7", "core.customer", "--format", "json")
    assert none.rows[0]["value"] is None and "nothing is kept of core.customer" in none.err
    crmkit("lifecycle", "propose", "--apply")
    (row,) = crmkit("why", "till:7", "core.customer", "--format", "json").rows
    assert list(row) == KEYS
    assert (row["ref"], row["kind"], row["value"]) == ("7", "stage", "prospect")
    assert (row["reasons"], row["by"], row["evidence"]) == ("no purchase yet", "core.customer", None)  # fmt: skip
    assert row["known_then"] == "prospect" and row["since"].endswith("Z")
    assert "no purchase yet" in crmkit("why", "till:7", "core.customer").out
    (before,) = crmkit("why", "till:7", "core.customer", "--at", "2020-01-31", "--format", "json").rows  # fmt: skip
    assert (before["value"], before["known_then"]) == (None, None)


def test_what_is_not_there_exits_2(crmkit: Crmkit, shop: Path) -> None:
    crmkit("customer", "add", "Ada", "--ref", "till:7")
    assert "core.customer" in crmkit("why", "till:7", "core.custome", code=2).err
    assert crmkit("why", "till:8", "core.customer", code=2).out == ""
    assert crmkit("why", "till:7", "core.customer", "--at", "soon", code=2).out == ""
