"""How long the renewals of a customer are its owner's alone (C7)."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

from attrs import field, frozen
from sqlalchemy import select

from ..errors import NotPermitted
from .rows import is_in

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.engine import Connection


@frozen(kw_only=True)
class Protection:
    """Whether a customer's renewals are its owner's alone on a day.

    Attributes:
        owner: who has the customer in this line of business; None is nobody.
        since_on: day of the assignment.
        free_on: first day on which others may work the renewals again.
        stands: whether the protection holds on the day asked for.
        why: the same in words.
        sharers: who else may work them: the agents of the customer's other lines of business.
    """

    customer_id: int
    line: str
    owner: str | None
    since_on: date | None
    free_on: date | None
    stands: bool
    why: str
    sharers: frozenset[str] = field(default=frozenset())

    def shuts_out(self, agent: str | None) -> bool:
        """Whether the renewals are somebody else's and not this agent's."""
        return self.stands and agent != self.owner and agent not in self.sharers

    def check(self, agent: str | None, *, hint: str = "") -> None:
        """Refuses an agent who would work or get the protected renewals of another.

        Raises:
            NotPermitted: naming the owner and the first day that is free.
        """
        if self.shuts_out(agent):
            raise NotPermitted(f"{self.why}.", code="E_RENEWAL", hint=hint)


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the last of a shorter month.

    Example:
        >>> add_months(date(2026, 8, 31), 6)
        datetime.date(2027, 2, 28)
    """
    number = day.year * 12 + day.month - 1 + months
    year, month = divmod(number, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def protection_of(
    customer_id: int, line: str, owner: str | None, since: date | None, *, on: date, months: int,
    left: Mapping[str, date], sharers: Iterable[str] = (),
) -> Protection:  # fmt: skip
    """The protection of one customer's renewals on a day.

    It begins on the day of the assignment and ends ``months`` later: given on 1 March, the first
    day that is free again is 1 September. It ends at once when the owner leaves.

    Args:
        owner, since: who has the customer since which day; None is nobody.
        left: agents who are away on the day, with the day since when.
    """
    if owner is None or since is None:
        return Protection(
            customer_id=customer_id, line=line, owner=None, since_on=None, free_on=None,
            stands=False, why="nobody owns this customer",
        )  # fmt: skip
    free, gone = add_months(since, months), left.get(owner)
    why = f"{owner} has it since {since}; renewals are free for others from {free}"
    if gone is not None:
        why = f"{owner} left on {gone}; renewals are free"
    return Protection(
        customer_id=customer_id, line=line, owner=owner, since_on=since, free_on=free,
        stands=since <= on < free and gone is None, why=why, sharers=frozenset(sharers),
    )  # fmt: skip


def owned_since(
    connection: Connection, current: Table, history: Table, ids: Iterable[int]
) -> dict[int, tuple[str, datetime]]:
    """Each customer's owner and when the run of versions with it began; those without are absent."""
    wanted = list(ids)
    found: dict[int, tuple[str, datetime]] = {}
    c, h = current.c, history.c
    now = select(c.id, c.owner, c.valid_from).where(
        is_in(connection, c.id, wanted), c.owner.is_not(None)
    )
    for row in connection.execute(now):
        found[row.id] = (row.owner, row.valid_from)
    past = (
        select(h.id, h.owner, h.valid_from)
        .where(is_in(connection, h.id, found))
        .order_by(h.id, h.version.desc())
    )
    ended = set[int]()
    for row in connection.execute(past):
        if row.owner != found[row.id][0]:
            ended.add(row.id)
        elif row.id not in ended:
            found[row.id] = (row.owner, row.valid_from)
    return found
