"""What consent fields of earlier versions said, as consents and blocks.

Nothing becomes allowed by it that was refused before:

- "Do not contact" is a block from the day on which it was set to the day on which it was taken back.
- A refusal is a withdrawal with its day. One that still holds is said once more at the upgrade where a
  consent that came later, in another field or in the ledger, would lift it.
- A consent counts for marketing where there was no ledger before. Where there was one, it had refused
  customers without a consent in it, so the field's consent is kept under the field's name as its
  purpose: it can be read, and filed for marketing once it is known to hold still. The same goes for a
  consent that was emptied since.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from crmkit.declarations import EarlierConsent, EarlierConsents

from .states import ANY, DO_NOT_CONTACT, GIVEN, WITHDRAWN

MARKETING = "marketing"
# As the schema of a consent's purpose says.
_LONGEST_PURPOSE = 40


def consents(earlier: EarlierConsents) -> list[dict[str, Any]]:
    """Rows of ``contact.consent`` for one customer."""
    words = [word for word in earlier.said if not word.stricter]
    return [row for word in words for row in _entries(word, earlier)]


def blocks(earlier: EarlierConsents) -> list[dict[str, Any]]:
    """Rows of ``contact.block`` for one customer."""
    return [
        {"code": DO_NOT_CONTACT, "since": min(since, earlier.at), "until": until}
        for word in earlier.said
        if word.stricter
        for value, since, until in word.spans
        if value and (until is None or since < until)
    ]


def _entries(word: EarlierConsent, earlier: EarlierConsents) -> Iterator[dict[str, Any]]:
    counts = earlier.first and word.now is not None
    for value, since, _ in word.spans:
        if value is not None:
            purpose = MARKETING if counts or not value else word.field[:_LONGEST_PURPOSE]
            yield _entry(word, purpose, value, min(since, earlier.at))
    others = (other for other in earlier.said if other is not word)
    lifted = not earlier.first or any(_has_consented(other) for other in others)
    if word.now is False and lifted:
        yield _entry(word, MARKETING, False, earlier.at)


def _has_consented(word: EarlierConsent) -> bool:
    return not word.stricter and any(value for value, _, _ in word.spans)


def _entry(word: EarlierConsent, purpose: str, given: bool, at: datetime) -> dict[str, Any]:
    return {
        "channel": ANY, "purpose": purpose, "state": GIVEN if given else WITHDRAWN, "at": at,
        "obtained_from": word.field,
    }  # fmt: skip
