"""Who works which customer: handing over, protection of renewals, and claims (C7).

A customer's owner looks after everything, unless a line of business (a plugin, such as
``telecom``) was given to somebody else. Every change is dated and says why and by whom.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from ..errors import NotFound, NotPermitted, UsageError
from ..store.ownership import (
    EVERY_LINE,
    LEFT,
    LOST,
    OPEN,
    RETURNED,
    WON,
    AgentChange,
    Assignment,
    Claim,
    Owned,
    OwnershipRows,
    Passing,
)

if TYPE_CHECKING:
    from ..settings import Settings
    from ..store.store import Store, Tx

RULES = ("round-robin", "region", "load")


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


@frozen(kw_only=True)
class Decision:
    """Who gets a customer that is claimed, by which rule and why; ``agent`` None is undecided."""

    agent: str | None
    rule: str
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


def decide(claims: Sequence[Claim], served: Mapping[str, datetime]) -> Decision:
    """Settles valid claims on one customer: evidence, then service, then a manager.

    The earliest claim with evidence wins. Where none has any, or two are of the same day, the
    claimant who served the customer last wins; where that does not tell them apart, a manager has
    to decide. The order is crmkit's own choice: what can be proved goes before what is usual.

    Args:
        claims: of agents who are here.
        served: when each agent last dealt with the customer.
    """
    proved = sorted((c for c in claims if c.evidence), key=lambda c: c.claimed_on)
    first = [c for c in proved if c.claimed_on == proved[0].claimed_on]
    if len({c.agent for c in first}) == 1:
        won = first[0]
        why = f"earliest claim with evidence, of {won.claimed_on} ({won.evidence})"
        return Decision(agent=won.agent, rule="evidence", why=why)
    rivals = {c.agent for c in (first or claims)}
    times = sorted(((at, a) for a, at in served.items() if a in rivals), reverse=True)
    if times and (len(times) == 1 or times[0][0] > times[1][0]):
        at, agent = times[0]
        told = f"the earliest evidence is of one day, {first[0].claimed_on}" if first else (
            "no claim has evidence"
        )  # fmt: skip
        why = f"{told}; served the customer last, on {at:%Y-%m-%d}"
        return Decision(agent=agent, rule="service", why=why)
    return Decision(
        agent=None, rule="manager", why="neither evidence nor service tells the claims apart"
    )


class Ownership:
    """Owners of customers.

    Args:
        store: the operational store.
        settings: of the workspace; ``protection_months`` counts here.
        lines: names of the lines of business besides ``all``: the enabled plugins.
    """

    def __init__(self, store: Store, settings: Settings, lines: Iterable[str]) -> None:
        self._store, self._settings = store, settings
        self._lines = (EVERY_LINE, *sorted(lines))
        self.rows = OwnershipRows(store)

    # --- agents -------------------------------------------------------------------------------

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
        return self.rows.change_agent(_named(agent), LEFT, day, reason)

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
        away = self.rows.left(self._today(), tx=tx)
        if agent in away:
            raise NotPermitted(
                f"{agent} left on {away[agent]} and gets no customers.",
                code="E_AGENT_LEFT",
                hint=f"If they are back: crmkit customer agent return {agent}",
            )

    # --- handing over -------------------------------------------------------------------------

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

    def hand_over(
        self,
        targets: Sequence[str],
        *,
        from_agent: str | None = None,
        rule: str = RULES[0],
        line: str | None = None,
        reason: str | None = None,
    ) -> list[Assignment]:
        """Does what :meth:`plan` says, in one transaction; raises what it raises."""
        with self._store.begin("customer assign") as tx:
            passings = self.plan(
                targets, from_agent=from_agent, rule=rule, line=line, reason=reason, tx=tx
            )
            return self.rows.assign(passings, tx=tx)

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

    def assign(
        self, customer_id: int, agent: str, *, line: str = EVERY_LINE, reason: str | None = None
    ) -> Assignment:
        """Gives one customer to an agent; raises what :meth:`plan` raises."""
        with self._store.begin("customer assign") as tx:
            passing = self.plan_one(customer_id, agent, line=line, reason=reason, tx=tx)
            return self.rows.assign([passing], tx=tx)[0]

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
                f"{len(moved)} of {len(made)} customers passed on since (ids {shown}).",
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

    # --- protection ---------------------------------------------------------------------------

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

    # --- claims -------------------------------------------------------------------------------

    def claim(
        self,
        customer_id: int,
        agent: str,
        *,
        line: str = EVERY_LINE,
        on: date | None = None,
        evidence: str | None = None,
    ) -> Claim:
        """Files that an agent says that a customer is theirs since a day.

        Raises:
            NotPermitted: if the agent left, or the customer was another's and protected that day.
            UsageError: for a day to come, or if the same claim is open already.
        """
        day, agent = on or self._today(), _named(agent)
        if day > self._today():
            raise UsageError(f"a claim cannot be of {day}, which is still to come.")
        with self._store.begin("customer claim") as tx:
            self.check_renewal(customer_id, agent, line=line, on=day, tx=tx)
            mine = self.rows.claims(customer_id=customer_id, line=line, status=OPEN, tx=tx)
            if any(c.agent == agent for c in mine):
                raise UsageError(f"{agent} has an open claim on this customer already.")
            proof = (evidence or "").strip() or None
            return self.rows.add_claim(customer_id, agent, line=line, on=day, evidence=proof, tx=tx)

    def settle(
        self,
        customer_id: int,
        *,
        line: str = EVERY_LINE,
        to: str | None = None,
        reason: str | None = None,
        dry_run: bool = False,
    ) -> Decision:
        """Settles the open claims on a customer; see :func:`decide` for the rule.

        The winner becomes the owner, in the same transaction. Every claim keeps the decision.

        Args:
            to: a manager's decision, with its ``reason``; None lets the rule decide.
            dry_run: True changes nothing.

        Raises:
            NotFound: if there is no open claim.
            UsageError: if a manager has to decide, or decides without a reason.
        """
        self._check_line(line)
        if to is not None and not (reason or "").strip():
            raise UsageError("a manager's decision needs a reason.", hint="Give --reason TEXT.")
        if dry_run:
            return self._decided(customer_id, line, to, reason, None)[0]
        with self._store.begin("customer settle") as tx:
            decision, claims = self._decided(customer_id, line, to, reason, tx)
            if decision.agent is None:
                raise UsageError(
                    f"{decision.why}: a manager has to decide.",
                    code="E_UNDECIDED",
                    hint="Settle it with --to AGENT --reason TEXT.",
                )
            outcomes = {c.id: WON if c.agent == decision.agent else LOST for c in claims}
            told = f"{decision.agent}: {decision.why}"
            self.rows.settle(outcomes, rule=decision.rule, decision=told, tx=tx)
            if self._owner(customer_id, line, tx) != decision.agent:
                passing = self.plan_one(
                    customer_id, decision.agent, line=line, reason=f"claim settled: {decision.why}",
                    tx=tx,
                )  # fmt: skip
                self.rows.assign([evolve(passing, rule="claim")], tx=tx)
            return decision

    def _decided(
        self, customer_id: int, line: str, to: str | None, reason: str | None, tx: Tx | None
    ) -> tuple[Decision, list[Claim]]:
        claims = self.rows.claims(customer_id=customer_id, line=line, status=OPEN, tx=tx)
        if not claims:
            raise NotFound("open claim on customer", str(customer_id))
        if to is not None:
            self.check_agent(to, tx=tx)
            return Decision(agent=_named(to), rule="manager", why=str(reason).strip()), claims
        away = self.rows.left(self._today(), tx=tx)
        valid = [c for c in claims if c.agent not in away]
        served = self.rows.served_by(customer_id, {c.agent for c in valid}, line, tx=tx)
        return decide(valid, served), claims

    # --- parts --------------------------------------------------------------------------------

    def _today(self) -> date:
        return self._day(self._store.clock())

    def _day(self, instant: datetime) -> date:
        return instant.astimezone(self._store.time_zone).date()

    def _check_line(self, line: str) -> None:
        if line not in self._lines:
            raise NotFound("line of business", line, self._lines)

    def _checked(
        self, targets: Sequence[str], rule: str, line: str | None, tx: Tx | None
    ) -> list[str]:
        names = list(dict.fromkeys(_named(t) for t in targets))
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


def _named(agent: str) -> str:
    name = agent.strip()
    if not name:
        raise UsageError("an agent needs a name.")
    return name


def _why(owner: str | None, away: Mapping[str, date]) -> str:
    if owner is None:
        return "had no owner"
    return f"{owner} left on {away[owner]}" if owner in away else f"handed over by {owner}"
