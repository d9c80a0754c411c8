"""Nothing gives away where a guest is, nor what is known of their health.

The guards themselves are kept by the policy of crmkit, so that they hold for every command, report,
export and format at once (H4, rules H-R1 and H-R5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit.declarations import PrivacyGuard

from .data import CODED, PRESENCE_QUESTION
from .preference.catalogue import catalogue

if TYPE_CHECKING:
    from crmkit.workspace import Crm

LEVELS = ("normal", "room_secret", "presence_secret")
# Who keeps the room number secret is asked for by those who look for it: both levels answer alike.
GUARDED = LEVELS[1:]

PRESENCE = PrivacyGuard(
    name="hotel.presence",
    title="Guests whose room or presence is kept secret",
    title_zh="房号或入住信息保密的客人",
    field="privacy_level",
    values=GUARDED,
    refusals=PRESENCE_QUESTION,
)
SENSITIVE = frozenset(code.code for code in catalogue().values() if code.sensitive)
# Allergies, needs for access and wishes for privacy: for those who act on them.
CARE = PrivacyGuard(
    name="hotel.care",
    title="Allergies, needs for access and wishes for privacy",
    title_zh="过敏、无障碍与隐私需求",
    field="code",
    values=sorted(SENSITIVE),
    rows=CODED,
)


def may_read(crm: Crm, code: str) -> bool:
    """Whether the actor may read lines of a code of the catalogue."""
    return code not in SENSITIVE or CARE.name in crm.viewer.rights
