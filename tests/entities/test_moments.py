"""Days, local times and instants as people write them."""

from __future__ import annotations

import pytest

from crmkit.entities.asof import AsOf
from crmkit.entities.moments import parse_moment
from crmkit.entities.zones import parse_zone

# Berlin is UTC+1 in winter and UTC+2 from 2026-03-29, 02:00 local, on.
CASES = [
    ("2026-03-31", False, "2026-03-30T22:00:00Z (the beginning of 2026-03-31 in Europe/Berlin)"),
    ("2026-03-31", True, "2026-03-31T22:00:00Z (the end of 2026-03-31 in Europe/Berlin)"),
    ("2026-01-31 14:30", False, "2026-01-31T13:30:00Z (2026-01-31 14:30 in Europe/Berlin)"),
    ("2026-03-31T14:30", True, "2026-03-31T12:30:00Z (2026-03-31 14:30 in Europe/Berlin)"),
    ("2026-03-31T14:30:00Z", False, "2026-03-31T14:30:00Z"),
    ("2026-03-31T14:30:00-05:00", False, "2026-03-31T19:30:00Z"),
]


@pytest.mark.parametrize(("text", "day_ends", "shown"), CASES)
def test_a_moment_says_which_instant_it_is_and_how_it_was_read(
    text: str, day_ends: bool, shown: str
) -> None:
    assert str(parse_moment(text, "Europe/Berlin", day_ends=day_ends)) == shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("yesterday", "neither a day such as"),
        ("2026-02-30", "neither a day such as"),
        ("", "neither a day such as"),
        ("2026-03-29 02:30", "did not exist in Europe/Berlin"),
        ("2026-10-25 02:30", "came twice in Europe/Berlin"),
        ("9999-12-31", "beyond the years 1 to 9999"),
        ("0001-01-01", "beyond the years 1 to 9999"),
        ("0001-01-01T00:00:00+14:00", "beyond the years 1 to 9999"),
    ],
)
def test_what_is_no_moment_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_moment(text, "Europe/Berlin", day_ends=text == "9999-12-31")


def test_an_as_of_takes_the_same_texts() -> None:
    assert str(AsOf.parse("2026-03-31 14:30", "Europe/Berlin")) == "2026-03-31T12:30:00Z"
    assert str(AsOf.parse("2026-03-31", "Europe/Berlin")) == "2026-03-31T22:00:00Z"


@pytest.mark.parametrize(
    ("name", "near"),
    [("Europe/Berln", "Europe/Berlin"), ("Berlin", "Europe/Berlin"), ("Asia/Shanghia", "Asia/Shanghai"),
     ("new_york", "America/New_York")],
)  # fmt: skip
def test_a_misspelt_zone_is_suggested(name: str, near: str) -> None:
    with pytest.raises(ValueError, match=f"Did you mean .*{near}"):
        parse_zone(name)


@pytest.mark.parametrize("name", ["Mars/Phobos", "", "America", "../etc/passwd", "\0"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not an IANA time zone"):
        parse_zone(name)
