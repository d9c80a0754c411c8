"""Whose renewals are protected: asked by every write that gives or works one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from ..store.ownership import EVERY_LINE
from ..store.protection import Protection
from .agents import Agents

if TYPE_CHECKING:
    from ..store.store import Tx


class Renewals(Agents):
    """Whose renewals are protected."""

    def protections(
        self, customers: Iterable[int], *, on: date | None = None, tx: Tx | None = None
    ) -> dict[int, Protection]:
        """Whether the renewals of each customer are its owner's alone on a day, for every line."""
        return self.rows.protections(customers, on=on or self._today(), tx=tx)

    def protection(
        self,
        customer_id: int,
        *,
        line: str = EVERY_LINE,
        on: date | None = None,
        tx: Tx | None = None,
    ) -> Protection:
        """Whether the renewals of a customer are its owner's alone on a day.

        See :func:`crmkit.store.protection.protection_of`. ``line`` is a line of business; who has
        the whole customer has each line of it that nobody else was given.

        Raises:
            NotFound: for an unknown line.
        """
        self._check_line(line)
        day = on or self._today()
        return self.rows.protections([customer_id], line=line, on=day, tx=tx)[customer_id]

    def check_renewal(
        self,
        customer_id: int,
        agent: str,
        *,
        line: str = EVERY_LINE,
        on: date | None = None,
        hint: str = "",
        tx: Tx | None = None,
    ) -> Protection:
        """Refuses an agent who would work the protected renewals of another.

        Raises:
            NotPermitted: naming the owner and the first day that is free.
        """
        self.check_agent(agent, tx=tx)
        found = self.protection(customer_id, line=line, on=on, tx=tx)
        found.check(agent, hint=hint)
        return found
