"""What consent fields of earlier versions become: nothing is allowed that was refused before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from crmkit.builtin.contact.earlier import blocks, consents
from crmkit.declarations import EarlierConsent, EarlierConsents

MAY, JUNE, NOW = (datetime(2025, month, 1, tzinfo=UTC) for month in (5, 6, 12))
LATER = datetime(2026, 1, 1, tzinfo=UTC)
YES, NO = True, False


def field(*spans: tuple[bool | None, datetime, datetime | None], **more: Any) -> EarlierConsent:
    """A consent field with what it said from when to when."""
    return EarlierConsent(**{"field": "shop.calls", "stricter": False, "spans": spans, **more})


def silence(*spans: tuple[bool | None, datetime, datetime | None]) -> EarlierConsent:
    return field(*spans, field="shop.silence", stricter=True)


def upgraded(*said: EarlierConsent, first: bool = True) -> EarlierConsents:
    return EarlierConsents(said=said, at=NOW, first=first)


def filed(earlier: EarlierConsents) -> list[tuple[str, str, datetime]]:
    rows = consents(earlier)
    assert {row["channel"] for row in rows} <= {"any"}
    return [(row["purpose"], row["state"], row["at"]) for row in rows]


@pytest.mark.parametrize(
    ("spans", "rows"),
    [
        ([(YES, MAY, None)], [("marketing", "given", MAY)]),
        ([(NO, MAY, None)], [("marketing", "withdrawn", MAY)]),
        ([(None, MAY, JUNE), (YES, JUNE, None)], [("marketing", "given", JUNE)]),
        (
            [(YES, MAY, JUNE), (NO, JUNE, None)],
            [("marketing", "given", MAY), ("marketing", "withdrawn", JUNE)],
        ),
        # A consent that was emptied since is kept under the field's name alone.
        ([(YES, MAY, JUNE), (None, JUNE, None)], [("shop.calls", "given", MAY)]),
        ([(NO, MAY, JUNE), (None, JUNE, None)], [("marketing", "withdrawn", MAY)]),
        # What was to hold from a day to come holds from the upgrade.
        ([(NO, LATER, None)], [("marketing", "withdrawn", NOW)]),
    ],
)
def test_each_word_is_filed_with_its_day(spans: list[Any], rows: list[Any]) -> None:
    assert filed(upgraded(field(*spans))) == rows


def test_beside_a_ledger_a_consent_is_kept_but_not_counted_and_a_refusal_is_said_again() -> None:
    assert filed(upgraded(field((YES, MAY, None)), first=False)) == [("shop.calls", "given", MAY)]
    assert filed(upgraded(field((NO, MAY, None)), first=False)) == [
        ("marketing", "withdrawn", MAY),
        ("marketing", "withdrawn", NOW),
    ]
    # A refusal that was taken back since is not.
    taken_back = upgraded(field((NO, MAY, JUNE), (YES, JUNE, None)), first=False)
    assert filed(taken_back) == [("marketing", "withdrawn", MAY), ("shop.calls", "given", JUNE)]


MAIL_YES = field((YES, JUNE, None), field="shop.mail")
MAIL_WAS = field((YES, MAY, JUNE), (NO, JUNE, None), field="shop.mail")
POST_NO = field((NO, JUNE, None), field="shop.post")


@pytest.mark.parametrize(
    ("others", "again"),
    [
        ([], False),
        ([POST_NO], False),
        ([MAIL_YES], True),
        ([MAIL_WAS], True),
        ([POST_NO, MAIL_YES], True),
        # "Do not contact" that was once set is no consent.
        ([silence((YES, MAY, None))], False),
        ([silence((NO, MAY, None))], False),
    ],
)
def test_a_refusal_is_said_again_where_another_fields_consent_would_lift_it(
    others: list[EarlierConsent], again: bool
) -> None:
    rows = consents(upgraded(field((NO, MAY, None)), *others))
    own = [(row["state"], row["at"]) for row in rows if row["obtained_from"] == "shop.calls"]
    assert own == [("withdrawn", MAY), ("withdrawn", NOW)][: 1 + again]


def test_a_purpose_has_at_most_40_characters() -> None:
    name = "shop." + "a" * 36
    (row,) = consents(upgraded(field((YES, MAY, None), field=name), first=False))
    assert (row["purpose"], row["obtained_from"]) == (name[:40], name)


def test_do_not_contact_is_a_block_and_no_entry() -> None:
    earlier = upgraded(silence((YES, MAY, JUNE), (NO, JUNE, LATER), (YES, LATER, None)))
    assert consents(earlier) == []
    assert blocks(earlier) == [
        {"code": "do_not_contact", "since": MAY, "until": JUNE},
        {"code": "do_not_contact", "since": NOW, "until": None},
    ]


@pytest.mark.parametrize(
    "spans", [[(NO, MAY, None)], [(None, MAY, None)], [(YES, MAY, MAY), (NO, MAY, None)]]
)
def test_what_never_held_blocks_nothing(spans: list[Any]) -> None:
    assert blocks(upgraded(silence(*spans))) == []


def test_a_consent_blocks_nothing() -> None:
    assert blocks(upgraded(field((YES, MAY, None)), field((NO, MAY, None)))) == []
