"""What a customer's consents and withdrawals come to, worked by hand from the rules of S5."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crmkit.builtin.contact.consent import Entry, standing
from crmkit.builtin.contact.states import DO_NOT_CONTACT, GIVEN, UNKNOWN, WITHDRAWN

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
YES, NO = True, False
ANN, ANNA = 1, 2


def said(
    given: bool, hour: int, channel: str = "email", purpose: str = "marketing", who: int = ANN
) -> Entry:
    return Entry(
        customer_id=who,
        channel=channel,
        purpose=purpose,
        given=given,
        at=NOON + timedelta(hours=hour),
    )


@pytest.mark.parametrize(
    ("entries", "state"),
    [
        ([], UNKNOWN),
        ([said(YES, 1)], GIVEN),
        ([said(NO, 1)], WITHDRAWN),
        # What names another channel or purpose says nothing.
        ([said(YES, 1, "phone"), said(NO, 1, purpose="service")], UNKNOWN),
        # The later one holds; of two at one instant the withdrawal.
        ([said(NO, 1), said(YES, 2)], GIVEN),
        ([said(YES, 1), said(NO, 2)], WITHDRAWN),
        ([said(YES, 1), said(NO, 1)], WITHDRAWN),
        ([said(NO, 1), said(YES, 1)], WITHDRAWN),
        ([said(NO, 1), said(YES, 2), said(NO, 3)], WITHDRAWN),
        ([said(YES, 2), said(NO, 1), said(NO, 3)], WITHDRAWN),
        # One for every channel, or for every purpose, is less particular than a withdrawal of one.
        ([said(NO, 1), said(YES, 2, "any")], WITHDRAWN),
        ([said(NO, 1), said(YES, 2, purpose="any")], WITHDRAWN),
        ([said(NO, 1), said(YES, 2, "any", "any")], WITHDRAWN),
        ([said(NO, 1, "any"), said(YES, 2, "any")], GIVEN),
        ([said(NO, 1, purpose="any"), said(YES, 2, purpose="any")], GIVEN),
        ([said(NO, 1, "any"), said(YES, 2)], GIVEN),
        ([said(NO, 1, purpose="any"), said(YES, 2)], GIVEN),
        # No calls is not lifted by a consent for e-mail.
        ([said(NO, 1, "phone"), said(YES, 2)], GIVEN),
        # An objection to everything, until something at least as particular lifts it.
        ([said(NO, 1, "any", "any")], DO_NOT_CONTACT),
        ([said(NO, 1, "any", "any"), said(YES, 2, "any", "any")], GIVEN),
        ([said(NO, 1, "any", "any"), said(YES, 2)], GIVEN),
        ([said(NO, 1, "any", "any"), said(YES, 2, "phone")], DO_NOT_CONTACT),
        ([said(NO, 1, "any", "any"), said(NO, 1)], DO_NOT_CONTACT),
        ([said(NO, 1, "any"), said(NO, 1, purpose="any")], WITHDRAWN),
    ],
)
def test_a_withdrawal_holds_until_one_at_least_as_particular_lifts_it(
    entries: list[Entry], state: str
) -> None:
    assert standing(entries, "email", "marketing", {}) == state


@pytest.mark.parametrize(
    ("consented", "state"),
    [
        # Anna withdrew at 13:00 and was merged into Ann at 15:00: Ann's consents of before, and
        # that of the very instant, do not speak for Anna.
        (said(YES, 2), WITHDRAWN),
        (said(YES, 3), WITHDRAWN),
        (said(YES, 4), GIVEN),
        (said(YES, 2, who=ANNA), GIVEN),
    ],
)
def test_of_merged_customers_one_lifts_the_others_word_after_the_merge_alone(
    consented: Entry, state: str
) -> None:
    joined = {ANNA: NOON + timedelta(hours=3)}
    entries = [said(NO, 1, who=ANNA), consented]
    assert standing(entries, "email", "marketing", joined) == state
