"""Handing customers over, one by one or all of an agent, and back again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ..entities.phrasing import counted
from ..errors import NotFound, UsageError
from ..store.ownership import EVERY_LINE, Assignment, Owned, Passing
from ..store.retry import retried
from .agents import Agents, named

if TYPE_CHECKING:
    from ..store.store import Tx


RULES = ("round-robin", "region", "load")


class HandingOver(Agents):
    """Customers that pass from one agent to another."""

    def plan(
        self,
        targets: Sequence[str],
        *,
        from_agent: str | None = None,
        rule: str = RULES[0],
        line: str | None = None,
        reason: str | None = None,
        tx: Tx | None = None,
    ) -> list[Passing]:
        """Who would get each customer of an agent, or each orphan.

        Args:
            targets: new owners in order.
            from_agent: whose customers; None takes every orphan.
            rule: ``round-robin`` deals them out in turn, by the order in which they were filed;
                ``load`` gives each to who has the fewest by then; ``region`` to who has the most
                customers of its region by then, and by load where nobody has any there.
            line: only this line of business; None is everything that the agent has.
            reason: kept with each; None says what happened.

        Raises:
            NotPermitted: if a target has left.
            UsageError: without a target, or if customers would go to whom they come from.
            NotFound: for an unknown rule or line, or an agent who has no customers.
        """
        names = self._checked(targets, rule, line, tx)
        if from_agent in names:
            raise UsageError(f"{from_agent} cannot hand over to {from_agent}.")
        away = self.rows.left(self._today(), tx=tx)
        found = self._wanted(from_agent, line, away, tx)
        if not found and from_agent is not None:
            raise NotFound("customer of agent", from_agent)
        people = sorted({owned.customer_id for owned, _ in found})
        regions = {owned.customer_id: owned.region for owned, _ in found}
        chosen = self._dealt(people, regions, names, rule, tx)
        return [
            Passing(
                customer_id=owned.customer_id, line=of, from_agent=owned.owner,
                to_agent=chosen[owned.customer_id], reason=reason or _why(owned.owner, away),
                rule=rule, orphaned=owned.owner is None or owned.owner in away,
            )
            for owned, of in found
        ]  # fmt: skip

    @retried
    def hand_over(
        self,
        targets: Sequence[str],
        *,
        from_agent: str | None = None,
        rule: str = RULES[0],
        line: str | None = None,
        reason: str | None = None,
        over_protection: bool = False,
    ) -> list[Assignment]:
        """Does what :meth:`plan` says, in one transaction.

        Args:
            over_protection: True also gives away customers whose renewals are protected.

        Raises:
            NotPermitted: naming a customer's owner and until when the renewals are protected.
            NotFound, UsageError: as :meth:`plan`.
        """
        with self._store.begin("customer assign") as tx:
            passings = self.plan(
                targets, from_agent=from_agent, rule=rule, line=line, reason=reason, tx=tx
            )
            if not over_protection:
                self.check_passings(passings, tx=tx)
            return self.rows.assign(passings, tx=tx)

    def check_passings(self, passings: Sequence[Passing], *, tx: Tx | None = None) -> None:
        """Refuses to give away customers whose renewals are another's.

        Raises:
            NotPermitted: naming the first one's owner and until when they are protected.
        """
        by_line: dict[str, dict[int, str | None]] = {}
        for p in passings:
            by_line.setdefault(p.line, {})[p.customer_id] = p.to_agent
        for line, wanted in sorted(by_line.items()):
            self.rows.check_protected(wanted, line=line, tx=tx)

    def plan_one(
        self, customer_id: int, agent: str, *, line: str = EVERY_LINE, reason: str | None = None,
        tx: Tx | None = None,
    ) -> Passing:  # fmt: skip
        """How one customer would pass to an agent; raises what :meth:`plan` raises."""
        self._checked([agent], RULES[0], line, tx)
        away = self.rows.left(self._today(), tx=tx)
        owner = self._owner(customer_id, line, tx)
        if owner == agent:
            raise UsageError(f"{agent} has this customer already.")
        return Passing(
            customer_id=customer_id, line=line, from_agent=owner, to_agent=agent,
            reason=reason or _why(owner, away), rule="named",
            orphaned=owner is None or owner in away,
        )  # fmt: skip

    @retried
    def assign(
        self, customer_id: int, agent: str, *, line: str = EVERY_LINE, reason: str | None = None,
        over_protection: bool = False,
    ) -> Assignment:  # fmt: skip
        """Gives one customer to an agent; raises what :meth:`hand_over` raises."""
        with self._store.begin("customer assign") as tx:
            passing = self.plan_one(customer_id, agent, line=line, reason=reason, tx=tx)
            if not over_protection:
                self.check_passings([passing], tx=tx)
            return self.rows.assign([passing], tx=tx)[0]

    @retried
    def reverse(self, batch: int, *, dry_run: bool = False) -> list[Passing]:
        """Gives the customers of one step back to whom they came from.

        Args:
            batch: the step; see :class:`crmkit.store.ownership.Assignment`.
            dry_run: True changes nothing.

        Returns:
            What passed, by customer.

        Raises:
            NotFound: if there is no such step.
            NotPermitted: if an agent who left would get customers back.
            UsageError: if some passed on since; nothing is changed then.
        """
        if dry_run:
            return self._reversal(batch, None)
        with self._store.begin("customer assign --reverse") as tx:
            passings = self._reversal(batch, tx)
            self.rows.assign(passings, tx=tx)
            return passings

    def _reversal(self, batch: int, tx: Tx | None) -> list[Passing]:
        made = self.rows.assignments(batch=batch, tx=tx)
        if not made:
            raise NotFound("assignment step", str(batch))
        for agent in sorted({a.from_agent for a in made if a.from_agent}):
            self.check_agent(agent, tx=tx)
        ids = {a.customer_id for a in made}
        owners = {(o.customer_id, EVERY_LINE): o.owner for o in self.rows.owned(ids, tx=tx)}
        lines = self.rows.line_owners(ids, tx=tx)
        owners |= {key: found.to_agent for key, found in lines.items()}
        moved = [a for a in made if owners.get((a.customer_id, a.line)) != a.to_agent]
        if moved:
            shown = ", ".join(str(a.customer_id) for a in moved[:5])
            raise UsageError(
                f"{len(moved)} of {counted(len(made), 'customer')} passed on since (ids {shown}).",
                code="E_CONFLICT",
                hint="Nothing was changed; assign the others by hand.",
            )
        return [
            Passing(
                customer_id=a.customer_id, line=a.line, from_agent=a.to_agent,
                to_agent=a.from_agent, reason=f"step {batch} reversed", rule="reversal",
                orphaned=False,
            )
            for a in sorted(made, key=lambda a: (a.customer_id, a.line))
        ]  # fmt: skip

    def _checked(
        self, targets: Sequence[str], rule: str, line: str | None, tx: Tx | None
    ) -> list[str]:
        names = list(dict.fromkeys(named(t) for t in targets))
        if not names:
            raise UsageError("nobody to hand over to.", hint="Give --to AGENT.")
        if rule not in RULES:
            raise NotFound("rule", rule, RULES)
        if line is not None:
            self._check_line(line)
        for name in names:
            self.check_agent(name, tx=tx)
        return names

    def _owner(self, customer_id: int, line: str, tx: Tx | None) -> str | None:
        given = self.rows.line_owners([customer_id], tx=tx).get((customer_id, line))
        if given is not None:
            return given.to_agent
        (owned,) = self.rows.owned([customer_id], tx=tx)
        # A line that nobody was given has no owner of its own to take it from.
        return owned.owner if line == EVERY_LINE else None

    def _wanted(
        self, from_agent: str | None, line: str | None, away: Mapping[str, date], tx: Tx | None
    ) -> list[tuple[Owned, str]]:
        """Customers that pass, each with a line of business, by customer."""
        found: list[tuple[Owned, str]] = []
        sources = set(away) if from_agent is None else {from_agent}
        if line in (None, EVERY_LINE):
            whole = (
                self.rows.orphans(away, tx=tx)
                if from_agent is None
                else self.rows.owned_by([from_agent], tx=tx)
            )
            found += [(owned, EVERY_LINE) for owned in whole]
        if line != EVERY_LINE:
            given = self.rows.line_owners(tx=tx).values()
            parts = [a for a in given if a.to_agent in sources and line in (None, a.line)]
            known = {
                o.customer_id: o for o in self.rows.owned({a.customer_id for a in parts}, tx=tx)
            }
            found += [
                (
                    Owned(customer_id=a.customer_id, owner=a.to_agent, team=None,
                          region=known[a.customer_id].region),
                    a.line,
                )
                for a in parts
                if a.customer_id in known
            ]  # fmt: skip
        return sorted(found, key=lambda pair: (pair[0].customer_id, pair[1]))

    def _dealt(
        self, people: Sequence[int], regions: Mapping[int, str | None], targets: Sequence[str],
        rule: str, tx: Tx | None,
    ) -> dict[int, str]:  # fmt: skip
        """The new owner of each customer."""
        if rule == "round-robin":
            return {person: targets[n % len(targets)] for n, person in enumerate(people)}
        loads = self.rows.loads(tx=tx)
        total = {t: sum(n for (owner, _), n in loads.items() if owner == t) for t in targets}
        local = {key: n for key, n in loads.items() if key[0] in total}
        chosen: dict[int, str] = {}
        for person in people:
            region = regions[person]
            here = {t: local.get((t, region), 0) for t in targets}
            best = targets
            if rule == "region" and region is not None and any(here.values()):
                best = [t for t in targets if here[t] == max(here.values())]
            # The first of equals, as the targets were named.
            target = min(best, key=lambda t: total[t])
            chosen[person] = target
            total[target] += 1
            local[target, region] = local.get((target, region), 0) + 1
        return chosen


def _why(owner: str | None, away: Mapping[str, date]) -> str:
    if owner is None:
        return "had no owner"
    return f"{owner} left on {away[owner]}" if owner in away else f"handed over by {owner}"
