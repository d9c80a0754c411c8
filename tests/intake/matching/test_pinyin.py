"""Chinese names in characters and in Latin letters: how they sound, and that they meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crmkit.intake.matching import pinyin
from crmkit.intake.matching.people import read_people

from .test_duplicates import add, crm, strangers

pytest.importorskip("pypinyin")
__all__ = ["add", "crm"]
Add = Callable[..., int]


@pytest.mark.parametrize(
    ("part", "family", "said"),
    [
        ("小明", False, "xiaoming"),
        ("xiao ming", False, "xiaoming"),
        ("欧阳", True, "ouyang"),
        # As a word 单 is dan and 曾 is ceng; as surnames they are not.
        ("单", True, "shan"),
        ("曾", True, "zeng"),
        ("单", False, "dan"),
        ("吕", True, "lu"),
        ("lyu", True, "lu"),
        ("lv", True, "lu"),
        ("john", False, None),
        ("schmidt", True, None),
    ],
)
def test_a_name_sounds_as_it_is_said(part: str, family: bool, said: str | None) -> None:
    assert pinyin.sound(part, family=family) == said


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Wang Xiaoming", ("xiaoming", "wang")),
        ("WANG XIAO MING", ("xiao ming", "wang")),
        ("Lü Bu", ("bu", "lu")),
        # The last word is, or may be, the family name; Western order then.
        ("Xiaoming Wang", None),
        ("Wang Li", None),
        ("John Wang", None),
        ("Wang, Xiaoming", None),
        ("Wang", None),
        ("", None),
    ],
)
def test_only_a_name_in_chinese_order_is_divided_so(text: str, parts: Any) -> None:
    assert pinyin.split_latin(text) == parts


def test_a_long_name_takes_no_long_time() -> None:
    """an-an-an can be cut in as many ways as 2 to the power of its length: trying all never ends."""
    assert pinyin.sound("an" * 5_000 + "!", family=False) is None


@pytest.mark.parametrize("latin", ["Wang Xiaoming", "WANG XIAO MING", "Xiaoming Wang"])
def test_characters_and_letters_meet_with_the_evidence_in_words(
    crm: Any, add: Add, latin: str
) -> None:
    a = add("王小明", birth_date="1961-03-04")
    b = add(latin, birth_date="1961-03-04")
    strangers(add)
    (pair,) = crm.duplicates.find()
    assert (pair.a_id, pair.b_id) == (a, b)
    assert set(pair.evidence.split(", ")) == {
        "same birth date", "same given name in pinyin", "same family name in pinyin",
    }  # fmt: skip


def test_one_sound_is_no_proof(crm: Any, add: Add) -> None:
    """王晓明 sounds like 王小明 and is somebody else, unless more agrees."""
    add("王小明", birth_date="1961-03-04")
    add("王晓明", birth_date="1987-11-25")
    strangers(add)
    assert crm.duplicates.find() == []


def test_names_without_characters_are_compared_as_ever(crm: Any, add: Add) -> None:
    add("Wang Xiaoming"), add("John Example")
    assert read_people(crm.store, crm.catalog).sounds == ()


def test_without_the_library_names_are_compared_as_they_are_written(
    crm: Any, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pinyin, "_library", lambda: None)
    add("王小明", birth_date="1961-03-04")
    add("Wang Xiaoming", birth_date="1961-03-04")
    strangers(add)
    assert read_people(crm.store, crm.catalog).sounds == ()
    assert crm.duplicates.find(0.9) == []


def test_learnt_weights_know_sounds_too(crm: Any, add: Add) -> None:
    pytest.importorskip("splink")
    strangers(add, 120)
    strangers(add, 120)
    a = add("王小明", birth_date="1961-03-04", postal_code="100080")
    b = add("Wang Xiaoming", birth_date="1961-03-04", postal_code="100080")
    found = {(p.a_id, p.b_id): p for p in crm.duplicates.find(engine="splink")}
    assert "same given name in pinyin" in found[a, b].evidence
    assert len(found) == 121
