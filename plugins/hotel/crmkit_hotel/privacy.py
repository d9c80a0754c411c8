"""Nothing gives away where a guest is: who is guarded, and how a question for a guest is answered.

The guard itself is kept by the policy of crmkit, so that it holds for every command, report, export
and format at once (H4, rule H-R1).
"""

from __future__ import annotations

from crmkit.declarations import PrivacyGuard

from .data import PRESENCE_QUESTION

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
