"""Data quality: shares by kind, the trend by import, and a gate before anything is stored."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crmkit.errors import NotConfirmed, ProfileError, UsageError
from crmkit.intake.absent import absent_file, read_absent
from crmkit.intake.quality import kind_of, quality_rows, shortfalls

from .conftest import Shop

PROFILE = """
name = "crm"
[source]
name = "crm"
key = ["id"]
effective = "since"
%s
[[emit]]
entity = "customer"
key = "id"
[emit.fields]
name = "name"
[[emit]]
entity = "shop.customer"
[emit.fields]
household = "household"
"""
# Ten rows: one without a key, one malformed, one repeated with another name.
BAD = (
    "id,name,household,since\n"
    ",Ann,1,2026-01-02\n"
    "2,Bob,many,2026-01-02\n"
    "3,Cy,1,2026-01-02\n"
    "3,Cyrus,1,2026-01-02\n"
) + "".join(f"{i},N{i},1,2026-01-02\n" for i in range(4, 10))


def stored(shop: Shop) -> tuple[int, int]:
    return shop.one("SELECT count(*) FROM customer"), shop.one("SELECT count(*) FROM import_run")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("E_KEY", "missing"), ("E_REQUIRED", "missing"), ("E_TYPE", "malformed"),
        ("E_ENCODING", "malformed"), ("E_STALE", "stale"), ("E_OWNER", "contradictory"),
        ("E_PLUGIN_CHECK", "contradictory"), ("E_STAY_ENDS_FIRST", "contradictory"),
        ("E_DUPLICATE", "duplicate"),
    ],
)  # fmt: skip
def test_a_code_is_of_a_kind(code: str, kind: str) -> None:
    assert kind_of(code) == kind


def test_every_documented_code_of_a_row_has_its_kind(root: Path) -> None:
    """A new code that nobody classified would count as a plugin's."""
    page = (root / "docs/reference/error-codes.md").read_text(encoding="utf-8")
    rows = page.partition("## When a row is rejected")[2].partition("\n## ")[0]
    codes = set(re.findall(r"`(E_[A-Z_]+)`", rows))
    contradictory = {code for code in codes if kind_of(code) == "contradictory"}
    assert contradictory == {
        "E_OWNER",
        "E_SUBJECT",
        "E_CONTRADICTION",
        "E_APPEND_ONLY",
        "E_RENEWAL",
        "E_STATE",
        "E_PLUGIN_CHECK",
    }


def test_exactly_the_limit_is_good_enough() -> None:
    codes = {"E_TYPE": 2, "E_STALE": 1}
    assert shortfalls({"max_rejected": 0.03, "max_stale": 0.01}, 100, codes) == []
    assert shortfalls({"max_stale": 0.0, "max_malformed": 0.02}, 100, codes) == [
        "1 of 100 rows are stale (1.00%, max_stale is 0.00%)"
    ]
    assert shortfalls({"max_rejected": 0.0}, 0, {}) == []


def test_a_file_below_the_gate_is_not_stored_unasked(shop: Shop) -> None:
    profile = PROFILE % "[quality]\nmax_rejected = 0.2\nmax_duplicate = 0.5"
    with pytest.raises(NotConfirmed, match=r"3 of 10 rows are rejected \(30\.00%") as refused:
        shop.load(BAD, profile)
    assert refused.value.exit_code == 2
    assert stored(shop) == (0, 0)


def test_who_is_asked_may_accept_it(shop: Shop) -> None:
    asked: list[Any] = []

    def accept(found: Any) -> bool:
        asked.append(list(found))
        return True

    result = shop.load(BAD, PROFILE % "[quality]\nmax_missing = 0", accept=accept)
    assert asked == [["1 of 10 rows are missing (10.00%, max_missing is 0.00%)"]]
    assert (result.created, result.rejected) == (7, 3)


def test_a_good_enough_file_is_stored_without_a_question(shop: Shop) -> None:
    result = shop.load(BAD, PROFILE % "[quality]\nmax_rejected = 0.3", accept=None)
    assert (result.created, result.rejected) == (7, 3)


def doubting(answer: bool, asked: list[Any]) -> Any:
    def doubt(found: Any) -> bool:
        asked.append(list(found))
        return answer

    return doubt


def test_an_import_that_rejects_more_than_the_stated_share_asks_before_it_stores(shop: Shop):
    asked: list[Any] = []
    with pytest.raises(NotConfirmed) as refused:
        shop.load(BAD, PROFILE % "", doubt=doubting(False, asked))
    assert asked == [["30.0% rejected (3 of 10 rows), 1 of them for E_KEY in id."]]
    assert str(refused.value).startswith(f"{asked[0][0]} Nothing was imported.")
    assert stored(shop) == (0, 0)
    result = shop.load(BAD, PROFILE % "", doubt=doubting(True, asked))
    assert (result.created, result.rejected, len(asked)) == (7, 3, 2)


def test_without_somebody_to_ask_the_good_rows_are_stored(lite: Shop) -> None:
    result = lite.load(BAD, PROFILE % "")
    assert (result.created, result.rejected) == (7, 3)


def test_few_rejected_rows_are_no_question(lite: Shop) -> None:
    # 1 of 20 rows is 5 %, which is not more than the stated share; 2 of 21 are.
    rows = "".join(f"{i},Ann,1,2026-02-01\n" for i in range(19))
    asked: list[Any] = []
    lite.load(f"id,name,household,since\n{rows},x,1,2026-02-01\n", PROFILE % "", doubt=doubting(False, asked))  # fmt: skip
    assert asked == []
    with pytest.raises(NotConfirmed):
        lite.load(f"id,name,household,since\n{rows},x,1,2026-02-01\n,y,1,2026-02-01\n", PROFILE % "", doubt=doubting(False, asked))  # fmt: skip


def test_a_declared_gate_takes_the_place_of_the_question(lite: Shop) -> None:
    asked: list[Any] = []
    profile = PROFILE % "[quality]\nmax_rejected = 0.3"
    assert lite.load(BAD, profile, doubt=doubting(False, asked)).rejected == 3
    assert asked == []


def test_a_file_that_turns_bad_further_down_asks_on_the_way(lite: Shop, monkeypatch) -> None:
    monkeypatch.setattr("crmkit.intake.csv_rows.BATCH_ROWS", 4)
    good = "".join(f"{i},Ann,1,2026-02-01\n" for i in range(4))
    content = f"id,name,household,since\n{good}" + ",x,1,2026-02-01\n" * 8
    asked: list[Any] = []
    with pytest.raises(NotConfirmed, match="what it stored so far stays") as refused:
        lite.load(content, PROFILE % "", doubt=doubting(False, asked))
    assert "50.0% rejected (4 of 8 rows)" in asked[0][0]
    assert "crmkit batch revert" in refused.value.hint
    result = lite.load(content, PROFILE % "", doubt=doubting(True, asked))
    assert (result.resumed_at, result.read, result.rejected) == (10, 12, 8)
    assert len(asked) == 2


@pytest.mark.parametrize("line", ["max_rejected = 2", "max_late = 0.1", 'max_stale = "no"'])
def test_a_gate_that_cannot_be_meant_is_refused(lite: Shop, line: str) -> None:
    with pytest.raises(ProfileError, match="quality"):
        lite.load(BAD, PROFILE % f"[quality]\n{line}")


def test_quality_is_told_by_import_with_its_trend(shop: Shop) -> None:
    profile = PROFILE % ""
    shop.load("id,name,household,since\n1,Ann,1,2026-02-01\n2,Bob,1,2026-02-01\n", profile)
    shop.load(BAD, profile)
    shop.load("id,name,household,since\n2,Rob,1,2026-01-15\n", profile, source="other")
    first, second, other = quality_rows(shop.store)
    assert (first["rejected_share"], first["change"]) == (0.0, None)
    # Without a key, malformed, repeated.
    assert (second["read"], second["rejected"], second["rejected_share"]) == (10, 3, 0.3)
    assert (second["missing_share"], second["malformed_share"]) == (0.1, 0.1)
    assert (second["duplicate_share"], second["stale_share"]) == (0.1, 0.0)
    assert second["change"] == 0.3
    assert (other["source"], other["change"]) == ("other", None)
    assert quality_rows(shop.store, "other") == [other]
    assert second["started_at"] > datetime(2026, 1, 1, tzinfo=UTC)


def test_who_is_absent_can_be_listed_later(lite: Shop) -> None:
    profile = (PROFILE % "").replace('key = ["id"]', 'key = ["id"]\nmode = "full"')
    lite.load("id,name,household,since\n1,Ann,1,2026-02-01\n2,Bob,1,2026-02-01\n", profile)
    second = lite.load("id,name,household,since\n2,Bob,1,2026-02-01\n", profile)
    assert second.absent == 1
    folder = lite.intake.settings.rejects
    assert read_absent(absent_file(folder, second.import_id)) == [{"source": "crm", "ref": "1"}]
    with pytest.raises(UsageError, match="no complete full extract"):
        read_absent(absent_file(folder, 5))
