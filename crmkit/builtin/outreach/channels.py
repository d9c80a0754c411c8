"""By which channel a customer is contacted: the one it answers, else the cheapest that reaches it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crmkit.entities import Money

from .data import ANSWERED, CHANNEL, ROW

if TYPE_CHECKING:
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm

# Habits older than this say little of how somebody is reached today. A choice of ours.
HABIT_DAYS = 365
# Channels that need a contact point of a kind; the others reach whoever comes.
NEEDS = {
    "phone": "phone", "sms": "phone", "ivr": "phone", "fax": "phone", "email": "email",
    "letter": "address", "social": "social",
}  # fmt: skip


def ranked_channels(
    crm: Crm, members: Mapping[int, int], allowed: Sequence[str], at: datetime, tx: Tx
) -> dict[int, list[str]]:
    """For each customer the channels that reach it, the best first.

    First come the channels by which the customer has come to us or has answered a list in the last
    365 days, the most frequent first; then the cheaper ones; then the order of ``allowed``.

    Args:
        members: every customer id with the one that it stands for.
    """
    habits = _habits(crm, members, at, tx)
    costs = read_costs(crm, tx)
    kinds: defaultdict[int, set[str]] = defaultdict(set)
    for member, found in crm.store.customers.contact_kinds(members, tx=tx).items():
        kinds[members[member]] |= found

    def rank(person: int) -> list[str]:
        reach = [c for c in allowed if NEEDS.get(c) is None or NEEDS[c] in kinds[person]]
        habit = habits[person]
        return sorted(reach, key=lambda c: (-habit[c], _cost(costs, c), allowed.index(c)))

    return {person: rank(person) for person in set(members.values())}


def read_costs(crm: Crm, tx: Tx | None = None) -> dict[str, Money]:
    """What one contact costs, by channel; channels of which nothing is known are absent."""
    rows = crm.store.records.read(CHANNEL, ("ref", "cost"), tx=tx)
    return {channel: cost for channel, cost in rows if cost is not None}


def _cost(costs: Mapping[str, Money], channel: str) -> tuple[bool, int]:
    """Sorts by cost; unknown ones come last."""
    return (False, costs[channel].minor) if channel in costs else (True, 0)


def _habits(
    crm: Crm, members: Mapping[int, int], at: datetime, tx: Tx
) -> defaultdict[int, Counter[str]]:
    since = at - timedelta(days=HABIT_DAYS)
    habits: defaultdict[int, Counter[str]] = defaultdict(Counter)
    came: Iterable[tuple[int, str | None]] = crm.store.interactions.read(
        ("customer_id", "channel"), customers=members, direction="in", since=since, until=at, tx=tx
    )
    answered = crm.store.records.read(
        ROW, ("owner_id", "channel"), among={"owner_id": members, "outcome": ANSWERED},
        between={"done_at": (since, at)}, tx=tx,
    )  # fmt: skip
    for member, channel in [*came, *answered]:
        if channel is not None:
            habits[members[member]][channel] += 1
    return habits
