"""How long the renewals of a customer are its owner's alone."""

from __future__ import annotations

import calendar
from datetime import date
from typing import TYPE_CHECKING

from attrs import frozen

from ..errors import NotPermitted
from ..store.ownership import EVERY_LINE
from .agents import Agents

if TYPE_CHECKING:
    from ..store.store import Tx


@frozen(kw_only=True)
class Protection:
    """Whether a customer's renewals are its owner's alone on a day.

    Attributes:
        owner: who has the customer in this line of business; None is nobody.
        since_on: day of the assignment.
        free_on: first day on which others may work the renewals again.
        stands: whether the protection holds on the day asked for.
        why: the same in words.
    """

    customer_id: int
    line: str
    owner: str | None
    since_on: date | None
    free_on: date | None
    stands: bool
    why: str


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


class Renewals(Agents):
    """Whose renewals are protected."""

    def protection(
        self,
        customer_id: int,
        *,
        line: str = EVERY_LINE,
        on: date | None = None,
        tx: Tx | None = None,
    ) -> Protection:
        """Whether the renewals of a customer are its owner's alone on a day.

        It begins on the day of the assignment and ends ``protection_months`` later: given on
        1 March, the first day that is free again is 1 September. It ends at once when the owner
        leaves. ``line`` is a line of business; who has the whole customer has each line of it that
        nobody else was given.

        Raises:
            NotFound: for an unknown line.
        """
        self._check_line(line)
        day = on or self._today()
        given = self.rows.line_owners([customer_id], tx=tx).get((customer_id, line))
        if given is not None and given.to_agent is not None:
            owner, since = given.to_agent, given.assigned_on
        else:
            (owned,) = self.rows.owned([customer_id], tx=tx)
            if owned.owner is None:
                return Protection(
                    customer_id=customer_id, line=line, owner=None, since_on=None, free_on=None,
                    stands=False, why="nobody owns this customer",
                )  # fmt: skip
            owner, since = owned.owner, self._day(self.rows.owner_since(customer_id, tx=tx))
        free = add_months(since, self._settings.protection_months)
        gone = self.rows.left(day, tx=tx).get(owner)
        stands = since <= day < free and gone is None
        why = f"{owner} has it since {since}; renewals are free for others from {free}"
        if gone is not None:
            why = f"{owner} left on {gone}; renewals are free"
        return Protection(
            customer_id=customer_id, line=line, owner=owner, since_on=since, free_on=free,
            stands=stands, why=why,
        )  # fmt: skip

    def check_renewal(
        self,
        customer_id: int,
        agent: str,
        *,
        line: str = EVERY_LINE,
        on: date | None = None,
        tx: Tx | None = None,
    ) -> Protection:
        """Refuses an agent who would work the protected renewals of another.

        Raises:
            NotPermitted: naming the owner and the first day that is free.
        """
        self.check_agent(agent, tx=tx)
        found = self.protection(customer_id, line=line, on=on, tx=tx)
        if found.stands and found.owner != agent:
            raise NotPermitted(f"{found.why}.", code="E_PROTECTED")
        return found
