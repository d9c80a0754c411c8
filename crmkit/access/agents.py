"""The agents who work here, and those who left."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from ..errors import NotFound, NotPermitted, UsageError
from ..store.ownership import EVERY_LINE, LEFT, REFUSED, RETURNED, AgentChange

if TYPE_CHECKING:
    from ..settings import Settings
    from ..store.store import Store, Tx


class Agents:
    """Who may have customers.

    Args:
        store: the operational store.
        settings: of the workspace; ``protection_months`` counts here.
        lines: names of the lines of business besides ``all``: the enabled plugins.
    """

    def __init__(self, store: Store, settings: Settings, lines: Iterable[str]) -> None:
        self._store, self._settings = store, settings
        self._lines = (EVERY_LINE, *sorted(lines))
        self.rows = store.ownership

    def leave(
        self, agent: str, *, on: date | None = None, reason: str | None = None
    ) -> AgentChange:
        """Files that an agent leaves; from that day nothing can be assigned to or claimed by them.

        Their customers stay theirs, as orphans, until somebody hands them over.

        Raises:
            UsageError: if they are away already.
        """
        day = on or self._today()
        if agent in self.rows.left(day):
            raise UsageError(f"{agent} is away already on {day}.")
        return self.rows.change_agent(named(agent), LEFT, day, reason)

    def come_back(
        self, agent: str, *, on: date | None = None, reason: str | None = None
    ) -> AgentChange:
        """Files that an agent who left works here again.

        Raises:
            NotFound: if they are not away on that day.
        """
        day = on or self._today()
        away = self.rows.left(day)
        if agent not in away:
            raise NotFound("agent who left", agent, away)
        return self.rows.change_agent(agent, RETURNED, day, reason)

    def away(self) -> dict[str, date]:
        """Agents who are away today, with the day since when."""
        return self.rows.left(self._today())

    def check_agent(self, agent: str, *, tx: Tx | None = None) -> None:
        """Refuses an agent who left.

        Raises:
            NotPermitted: naming the day.
        """
        self.rows.check_here(agent, tx=tx)

    def check_access(self, actor: str, what: str) -> None:
        """Refuses somebody who left, and files that it was tried.

        On a file that they can open it is a courtesy and not a wall (design D19): take their account
        away too.

        Args:
            actor: who asks. what: the command that would show or write out customers.

        Raises:
            NotPermitted: naming the day on which they left.
        """
        away = self.rows.left(self._today())
        if actor not in away:
            return
        self.rows.change_agent(actor, REFUSED, self._today(), what)
        raise NotPermitted(
            f"{actor} left on {away[actor]}: {what} is refused, and this was filed.",
            code="E_AGENT_LEFT",
        )

    def _today(self) -> date:
        return self._day(self._store.clock())

    def _day(self, instant: datetime) -> date:
        return instant.astimezone(self._store.time_zone).date()

    def _check_line(self, line: str) -> None:
        if line not in self._lines:
            raise NotFound("line of business", line, self._lines)


def named(agent: str) -> str:
    """The name without blanks around it; a blank one is refused."""
    name = agent.strip()
    if not name:
        raise UsageError("an agent needs a name.")
    return name
