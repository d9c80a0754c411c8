"""Values that mean the same become the same, and no others do."""

from __future__ import annotations

import pytest

from crmkit.intake.matching.normalise import (
    NORMALISERS,
    address,
    code,
    day,
    identifier,
    name,
    organisation,
    phone,
    split_name,
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("MÜLLER", "muller"),
        ("Ｓｍｉｔｈ", "smith"),
        ("Dr. Ann  O'Hara", "ann o hara"),
        ("Dr", "dr"),
        ("王小明先生", "王小明"),
        (" - ", None),
    ],
)
def test_names_lose_width_case_accents_and_titles(text: str, wanted: str | None) -> None:
    assert name(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Ann Marie Example", ("ann marie", "example")),
        ("Example, Ann", ("ann", "example")),
        ("王小明", ("小明", "王")),
        ("欧阳修", ("修", "欧阳")),
        ("Example", (None, "example")),
        ("  ", (None, None)),
    ],
)
def test_a_name_in_one_is_taken_apart(text: str, wanted: tuple[str | None, str | None]) -> None:
    assert split_name(text) == wanted


def test_companies_are_compared_without_their_legal_form() -> None:
    assert organisation("ACME Widgets Pty. Ltd.") == "acme widgets"
    assert organisation("北京天天有限公司") == "北京天天"
    # A name that is nothing but such words stays.
    assert organisation("Company Limited") == "company limited"


def test_numbers_lose_their_marks_and_placeholders_are_no_numbers() -> None:
    assert identifier("ab-12 34") == "AB1234"
    assert identifier("000-000") is None
    assert day("1961-03-04") == day("1961/03/04") == "19610304"
    assert day("00000000") is None
    # A code of one repeated digit is a place like any other.
    assert code("4444") == "4444"


def test_a_generation_stays_with_the_family_name() -> None:
    assert split_name("John Smith Jr.") == ("john", "smith jr")
    assert split_name("Peter Senior") == ("peter", "senior")


def test_emails_lose_capitals_and_tags() -> None:
    email = NORMALISERS["email"]
    assert email(" Ann+News@Example.ORG ") == "ann@example.org"
    assert email("none") is None


def test_words_for_streets_are_cut_short() -> None:
    assert address("8, Stanley Street") == address("8 stanley st") == "8 stanley st"


def test_phones_agree_whether_written_with_country_code_or_without() -> None:
    pytest.importorskip("phonenumbers")
    assert phone("+86 138 1234 5678") == phone("138-1234-5678", "CN") == "8613812345678"
    # Nobody says in which country it is dialled: the digits are all that is known.
    assert phone("(030) 12 34 56") == "30123456"
    assert phone("00000000") is None
    assert phone("12") is None
