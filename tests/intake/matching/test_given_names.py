"""Two ways to write one given name, and two names that only look alike."""

from __future__ import annotations

import pytest

from crmkit.intake.matching.given_names import distance, may_be_one


@pytest.mark.parametrize(
    "names",
    [
        "bob robert", "bill william", "sascha alexander", "pepe jose", "peggy margaret", "jack john",
        "ted edward", "chris christine", "chris christopher", "liz beth",
        "a anna", "xan xanthippe", "jon john", "robrt robert", "micheal michael", "stephen steven",
        "katherine kathryn", "lily liyl", "juergen jurgen", "xaver xavier", "ylva ilva", "giovanni giovani",
    ],
)  # fmt: skip
def test_nicknames_initials_beginnings_and_spellings_may_be_one(names: str) -> None:
    left, right = names.split()
    assert may_be_one(left, right)
    assert may_be_one(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [("hans peter", "hanspeter"), ("ann", "ann marie"), ("a m", "anna maria"), ("bob j", "robert")],
)
def test_each_name_of_the_shorter_one_has_its_like(left: str, right: str) -> None:
    assert may_be_one(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("lee", "kim"), ("max", "mia"), ("bill", "robert"), ("anna", "emma"), ("lara", "sara"),
        # One letter apart, and two names.
        ("tim", "tom"), ("maria", "marta"), ("lena", "lina"),
        # Brother and sister.
        ("paul", "paula"), ("mario", "maria"), ("andrea", "andreas"), ("daniel", "daniela"),
        ("giovanni", "giovanna"), ("zdenek", "zdenka"), ("yoko", "yuko"), ("radek", "radeka"),
        ("anna maria", "anna sophie"), ("b", "anna"),
        # 建国 and 建军 are brothers.
        ("建国", "建军"),
    ],
)  # fmt: skip
def test_names_that_only_look_alike_are_two(left: str, right: str) -> None:
    assert not may_be_one(left, right)
    assert not may_be_one(right, left)


@pytest.mark.parametrize(
    ("left", "right", "wanted"), [("ab", "ba", 1), ("kitten", "sitting", 3), ("", "abc", 3)]
)
def test_distance_counts_letters_and_swaps(left: str, right: str, wanted: int) -> None:
    """kitten and sitting: the textbook example of Levenshtein's distance."""
    assert distance(left, right) == distance(right, left) == wanted
