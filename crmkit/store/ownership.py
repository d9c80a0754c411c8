"""Ownership as rows: who left, who was given whom and why, and who claims whom (C7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from attrs import fields, frozen
from sqlalchemy import Select, func, or_, select

from ..errors import EditConflict, NotPermitted
from .family import members_of, survivors_of
from .gateway import Gateway
from .history import Versions
from .protection import Protection, owned_since, protection_of
from .retry import retried
from .rows import insert_rows, is_in

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from .store import Tx

# The line of business of an owner who looks after a customer in everything.
EVERY_LINE = "all"
LEFT, RETURNED = "left", "returned"
# Somebody who left tried to look at customers: filed among their changes, and changes nothing.
REFUSED = "refused"
OPEN, WON, LOST = "open", "won", "lost"


@frozen(kw_only=True)
class AgentChange:
    """An agent left or came back; it holds from ``changed_on`` on.

    The change ``refused`` says that somebody who had left was refused what ``reason`` names.
    """

    id: int
    agent: str
    change: str
    changed_on: date
    reason: str | None


@frozen(kw_only=True)
class Assignment:
    """A customer passed from one agent to another; None is nobody.

    Attributes:
        line: line of business: a plugin's name, or ``all``.
        rule: how the new owner was found: ``named``, ``round-robin``, ``region``, ``load``,
            ``claim``, ``reversal``, ``edit``, ``import`` or ``merge``.
        orphaned: True if the customer had no owner, or one who had left.
        batch: the transaction; all assignments of one step share it.
    """

    id: int
    customer_id: int
    line: str
    from_agent: str | None
    to_agent: str | None
    reason: str
    rule: str
    orphaned: bool
    assigned_on: date
    actor: str
    batch: int


@frozen(kw_only=True)
class Claim:
    """An agent says that a customer is theirs.

    Attributes:
        evidence: what proves it, as a contract number; None without.
        status: ``open``, ``won`` or ``lost``.
        rule: by which it was settled: ``evidence``, ``service`` or ``manager``.
        decision: the settlement in words.
    """

    id: int
    customer_id: int
    line: str
    agent: str
    claimed_on: date
    evidence: str | None
    status: str
    rule: str | None
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None


@frozen(kw_only=True)
class Passing:
    """A customer that is to pass from one agent to another, not yet written."""

    customer_id: int
    line: str
    from_agent: str | None
    to_agent: str | None
    reason: str
    rule: str
    orphaned: bool


@frozen(kw_only=True)
class Owned:
    """A customer as far as its owner goes."""

    customer_id: int
    owner: str | None
    team: str | None
    region: str | None


CLAIM = tuple(f.name for f in fields(Claim))
CHANGE = tuple(f.name for f in fields(AgentChange))
WRITTEN = (
    "id", "owner_id", "line", "from_agent", "to_agent", "reason", "rule", "orphaned",
    "assigned_on", "actor", "version", "valid_from", "tx",
)  # fmt: skip


class OwnershipRows(Gateway):
    """Agents' departures, assignments and claims. What is allowed is not asked here."""

    # --- agents -------------------------------------------------------------------------------

    def agent_changes(self, agent: str | None = None, *, tx: Tx | None = None) -> list[AgentChange]:
        """Departures and returns in the order in which they hold; of one agent or of all."""
        c = self._table("agent_change")
        query = select(c).order_by(c.c.changed_on, c.c.id)
        if agent is not None:
            query = query.where(c.c.agent == agent)
        with self._reading(tx) as connection:
            rows = connection.execute(query).mappings()
            return [AgentChange(**{name: row[name] for name in CHANGE}) for row in rows]

    def left(self, on: date, *, tx: Tx | None = None) -> dict[str, date]:
        """Agents who are away on a day, with the day since when."""
        last = {
            c.agent: c
            for c in self.agent_changes(tx=tx)
            if c.changed_on <= on and c.change != REFUSED
        }
        return {name: c.changed_on for name, c in last.items() if c.change == LEFT}

    @retried
    def change_agent(
        self, agent: str, change: str, on: date, reason: str | None, *, tx: Tx | None = None
    ) -> AgentChange:
        """Files that an agent left or returned on a day."""
        with self._writing(tx, f"agent {change}") as own:
            made = AgentChange(
                id=own.take_ids(1)[0], agent=agent, change=change, changed_on=on, reason=reason
            )
            row: dict[str, Any] = {name: getattr(made, name) for name in CHANGE}
            own.connection.execute(self._table("agent_change").insert(), {**row, "tx": own.id})
            own.count("agent_change", 1)
            return made

    def known_as(self, agent: str, *, tx: Tx | None = None) -> list[str]:
        """The name itself if anything was filed of or by it; else the names most like it."""
        customer, a, claim = (self._table(n).c for n in ("customer", "assignment", "claim"))
        change, write = self._table("agent_change").c, self._table("tx").c
        columns = (customer.owner, a.from_agent, a.to_agent, claim.agent, change.agent, write.actor)
        with self._reading(tx) as connection:
            for column in columns:
                if connection.execute(select(column).where(column == agent).limit(1)).first():
                    return [agent]
            names = {
                name
                for column in columns[:-1]
                for name in connection.scalars(select(column).where(column.is_not(None)).distinct())
            }
        return get_close_matches(agent, sorted(names))

    # --- who owns whom ------------------------------------------------------------------------

    def owned_by(self, agents: Iterable[str], *, tx: Tx | None = None) -> list[Owned]:
        """Customers whose owner is one of ``agents``, by id; those merged away left out.

        Inside a transaction their rows stay as they are until it ends.
        """
        c = self._table("customer").c
        with self._reading(tx) as connection:
            wanted = is_in(connection, c.owner, agents)
            return self._owned(connection, self._owners().where(wanted), lock=tx is not None)

    def owned(self, ids: Iterable[int], *, tx: Tx | None = None) -> list[Owned]:
        """These customers with their owners, by id; those merged away left out."""
        c = self._table("customer").c
        with self._reading(tx) as connection:
            wanted = is_in(connection, c.id, ids)
            return self._owned(connection, self._owners().where(wanted), lock=tx is not None)

    def orphans(
        self, left: Iterable[str], *, limit: int | None = None, tx: Tx | None = None
    ) -> list[Owned]:
        """Customers without an owner, or with one in ``left``, by id."""
        c = self._table("customer").c
        with self._reading(tx) as connection:
            lost = or_(c.owner.is_(None), is_in(connection, c.owner, left))
            query = self._owners().where(lost).limit(limit)
            return self._owned(connection, query, lock=tx is not None)

    def loads(self, *, tx: Tx | None = None) -> dict[tuple[str, str | None], int]:
        """How many customers each owner has, by owner and region."""
        c = self._table("customer").c
        query = (
            select(c.owner, c.region, func.count())
            .where(c.merged_into.is_(None), c.owner.is_not(None))
            .group_by(c.owner, c.region)
        )
        with self._reading(tx) as connection:
            return {(owner, region): n for owner, region, n in connection.execute(query)}

    def line_owners(
        self, customers: Iterable[int] | None = None, *, tx: Tx | None = None
    ) -> dict[tuple[int, str], Assignment]:
        """The last assignment of each customer and line of business, ``all`` left out.

        Args:
            customers: only these; None is every customer. Merged ones stand for who remains.
        """
        a, customer = self._table("assignment"), self._table("customer")
        query = select(a).where(a.c.line != EVERY_LINE).order_by(a.c.id)
        with self._reading(tx) as connection:
            if customers is not None:
                family = members_of(connection, customer, customers)
                query = query.where(is_in(connection, a.c.owner_id, family))
            rows = connection.execute(query).mappings().all()
            now = survivors_of(connection, customer, {row["owner_id"] for row in rows})
        found = [_assignment(row, now[row["owner_id"]]) for row in rows]
        return {(f.customer_id, f.line): f for f in found}

    def protections(
        self, customers: Iterable[int], *, on: date, line: str = EVERY_LINE, tx: Tx | None = None
    ) -> dict[int, Protection]:
        """Whether the renewals of each customer are its owner's alone on a day."""
        wanted = list(customers)
        with self._reading(tx) as connection:
            since = owned_since(
                connection, self._table("customer"), self._table("customer_history"), wanted
            )
        lines, left = self.line_owners(wanted, tx=tx), self.left(on, tx=tx)
        sharers: dict[int, list[str]] = {}
        for (i, _), a in lines.items():
            if line == EVERY_LINE and a.to_agent is not None:
                sharers.setdefault(i, []).append(a.to_agent)
        out = {}
        for i in wanted:
            owner, began = since.get(i, (None, None))
            day = None if began is None else self._local_day(began)
            given = lines.get((i, line))
            if given is not None and given.to_agent is not None:
                owner, day = given.to_agent, given.assigned_on
            out[i] = protection_of(
                i, line, owner, day, on=on, months=self._store.protection_months, left=left,
                sharers=sharers.get(i, ()),
            )  # fmt: skip
        return out

    def check_here(self, agent: str, *, tx: Tx | None = None) -> None:
        """Refuses an agent who left.

        Raises:
            NotPermitted: naming the day.
        """
        away = self.left(self._local_day(self._store.clock()), tx=tx)
        if agent in away:
            raise NotPermitted(
                f"{agent} left on {away[agent]} and gets no customers.",
                code="E_AGENT_LEFT",
                hint=f"If they are back: crmkit customer agent return {agent}",
            )

    def protected_from(
        self, wanted: Mapping[int, str | None], *, line: str = EVERY_LINE, tx: Tx | None = None
    ) -> dict[int, Protection]:
        """Customers that may not pass to whom they would: their renewals are another's.

        An owner may give away what is theirs.

        Args:
            wanted: the new owner by customer; None is nobody.
        """
        actor = self._store.actor if tx is None else tx.actor
        today = self._local_day(self._store.clock() if tx is None else tx.at)
        held = self.protections(wanted, on=today, line=line, tx=tx)
        return {i: p for i, p in held.items() if p.shuts_out(wanted[i]) and actor != p.owner}

    def check_protected(
        self, wanted: Mapping[int, str | None], *, line: str = EVERY_LINE, tx: Tx | None = None
    ) -> None:
        """Refuses to give away customers whose renewals are another's; see :meth:`protected_from`.

        Raises:
            NotPermitted: naming the first one's owner and until when they are protected.
        """
        held = self.protected_from(wanted, line=line, tx=tx)
        for i, found in sorted(held.items()):
            more = f"{len(held) - 1} more are protected too. " if len(held) > 1 else ""
            found.check(
                wanted[i], hint=f"{more}To give it away all the same: crmkit customer assign --yes"
            )

    def check_gifts(self, wanted: Mapping[int, str | None], *, tx: Tx) -> None:
        """Refuses to give customers to agents who left, or whose renewals are another's.

        Raises:
            NotPermitted: as :meth:`check_here` and :meth:`check_protected`.
        """
        for agent in sorted({agent for agent in wanted.values() if agent is not None}):
            self.check_here(agent, tx=tx)
        self.check_protected(wanted, tx=tx)

    def served_by(
        self, customer_id: int, agents: Iterable[str], line: str, *, tx: Tx | None = None
    ) -> dict[str, datetime]:
        """When each of ``agents`` last dealt with a customer; those who never did are absent.

        Args:
            line: only interactions of this plugin; ``all`` counts every one.
        """
        i = self._table("interaction").c
        with self._reading(tx) as connection:
            family = members_of(connection, self._table("customer"), [customer_id])
            query = (
                select(i.actor, func.max(i.occurred_at))
                .where(is_in(connection, i.customer_id, family), is_in(connection, i.actor, agents))
                .group_by(i.actor)
            )
            if line != EVERY_LINE:
                query = query.where(i.kind.startswith(f"{line}.", autoescape=True))
            return {actor: at for actor, at in connection.execute(query)}

    # --- assignments --------------------------------------------------------------------------

    def assign(self, passings: Sequence[Passing], *, tx: Tx) -> list[Assignment]:
        """Gives customers to others and logs each; the earlier versions of customers are kept.

        Raises:
            EditConflict: if an owner is no longer the one that a passing names.
        """
        groups: dict[tuple[str | None, str | None], list[int]] = {}
        for p in passings:
            if p.line == EVERY_LINE and p.from_agent != p.to_agent:
                groups.setdefault((p.from_agent, p.to_agent), []).append(p.customer_id)
        for (old, new), ids in sorted(groups.items(), key=lambda g: min(g[1])):
            self._set_owner(tx, ids, old, new)
        return self.record(passings, tx=tx)

    def record(self, passings: Sequence[Passing], *, tx: Tx) -> list[Assignment]:
        """Logs customers that pass from one owner to another within a write of their own rows.

        Every change of a stored owner comes here, whatever command makes it.
        """
        today = self._local_day(tx.at)
        made = [
            Assignment(
                id=i, customer_id=p.customer_id, line=p.line, from_agent=p.from_agent,
                to_agent=p.to_agent, reason=p.reason, rule=p.rule, orphaned=p.orphaned,
                assigned_on=today, actor=tx.actor, batch=tx.id,
            )
            for i, p in zip(tx.take_ids(len(passings)), passings, strict=True)
        ]  # fmt: skip
        rows = (
            (
                a.id, a.customer_id, a.line, a.from_agent, a.to_agent, a.reason, a.rule,
                a.orphaned, a.assigned_on, a.actor, 1, tx.at, tx.id,
            )
            for a in made
        )  # fmt: skip
        insert_rows(tx.connection, self._table("assignment"), WRITTEN, rows)
        tx.count("assignment", len(made))
        return made

    def changed(
        self, owners: Mapping[int, tuple[str | None, str | None]], *, rule: str, reason: str, tx: Tx
    ) -> list[Assignment]:
        """Logs owners that an edit, an import, a merge or the undoing of one has changed.

        Args:
            owners: by customer the owner before and after.
            rule: ``edit``, ``import``, ``merge`` or ``reversal``.
        """
        away = self.left(self._local_day(tx.at), tx=tx)
        return self.record(
            [
                Passing(
                    customer_id=i,
                    line=EVERY_LINE,
                    from_agent=before,
                    to_agent=after,
                    reason=reason,
                    rule=rule,
                    orphaned=before is None or before in away,
                )
                for i, (before, after) in sorted(owners.items())
                if before != after
            ],
            tx=tx,
        )

    def _set_owner(self, tx: Tx, ids: Sequence[int], old: str | None, new: str | None) -> None:
        table = self._table("customer")
        theirs = table.c.owner.is_(None) if old is None else table.c.owner == old
        chosen = is_in(tx.connection, table.c.id, ids) & theirs
        versions = Versions(table, self._table("customer_history"))
        versions.keep(tx.connection, chosen, tx.at, tx.id)
        done = tx.connection.execute(
            table.update()
            .where(chosen)
            .values(
                owner=new, updated_at=tx.at, valid_from=tx.at, tx=tx.id,
                version=table.c.version + 1,
            )
        )  # fmt: skip
        if done.rowcount != len(ids):
            raise EditConflict("an owner", len(ids), done.rowcount)
        tx.count("customer", len(ids))

    def assignments(
        self,
        *,
        customer_id: int | None = None,
        batch: int | None = None,
        limit: int | None = None,
        tx: Tx | None = None,
    ) -> list[Assignment]:
        """Assignments, the last first; of one customer, of one step, or all."""
        a, customer = self._table("assignment"), self._table("customer")
        query = select(a).order_by(a.c.id.desc()).limit(limit)
        with self._reading(tx) as connection:
            if batch is not None:
                query = query.where(a.c.tx == batch)
            if customer_id is not None:
                family = members_of(connection, customer, [customer_id])
                query = query.where(is_in(connection, a.c.owner_id, family))
            rows = connection.execute(query).mappings().all()
            now = survivors_of(connection, customer, {row["owner_id"] for row in rows})
        return [_assignment(row, now[row["owner_id"]]) for row in rows]

    # --- claims -------------------------------------------------------------------------------

    def claims(
        self,
        *,
        customer_id: int | None = None,
        line: str | None = None,
        status: str | None = None,
        tx: Tx | None = None,
    ) -> list[Claim]:
        """Claims by the day claimed; those on merged customers stand with who remains."""
        c, customer = self._table("claim"), self._table("customer")
        query = select(c).order_by(c.c.claimed_on, c.c.id)
        with self._reading(tx) as connection:
            if customer_id is not None:
                family = members_of(connection, customer, [customer_id])
                query = query.where(is_in(connection, c.c.customer_id, family))
            if line is not None:
                query = query.where(c.c.line == line)
            if status is not None:
                query = query.where(c.c.status == status)
            rows = connection.execute(query).mappings().all()
            now = survivors_of(connection, customer, {row["customer_id"] for row in rows})
        return [
            Claim(**{**{n: row[n] for n in CLAIM}, "customer_id": now[row["customer_id"]]})
            for row in rows
        ]

    def add_claim(
        self,
        customer_id: int,
        agent: str,
        *,
        line: str,
        on: date,
        evidence: str | None,
        tx: Tx,
    ) -> Claim:
        """Files an open claim."""
        made = Claim(
            id=tx.take_ids(1)[0], customer_id=customer_id, line=line, agent=agent, claimed_on=on,
            evidence=evidence, status=OPEN, rule=None, decision=None, decided_by=None,
            decided_at=None,
        )  # fmt: skip
        row: dict[str, Any] = {name: getattr(made, name) for name in CLAIM}
        tx.connection.execute(self._table("claim").insert(), {**row, "tx": tx.id})
        tx.count("claim", 1)
        return made

    def settle(self, outcomes: Mapping[int, str], *, rule: str, decision: str, tx: Tx) -> None:
        """Closes open claims: the status of each by its id.

        Raises:
            EditConflict: if one of them was closed in between.
        """
        c = self._table("claim")
        for claim_id, status in sorted(outcomes.items()):
            done = tx.connection.execute(
                c.update()
                .where(c.c.id == claim_id, c.c.status == OPEN)
                .values(
                    status=status, rule=rule, decision=decision, decided_by=tx.actor,
                    decided_at=tx.at, tx=tx.id,
                )
            )  # fmt: skip
            if done.rowcount != 1:
                raise EditConflict("a claim", 1, done.rowcount)
        tx.count("claim", len(outcomes))

    # --- rows ---------------------------------------------------------------------------------

    def _owners(self) -> Select[Any]:
        c = self._table("customer").c
        return select(c.id, c.owner, c.team, c.region).where(c.merged_into.is_(None)).order_by(c.id)

    def _owned(self, connection: Connection, query: Select[Any], *, lock: bool) -> list[Owned]:
        # SQLite has one writer at a time and no row locks: the word is left out there.
        rows = connection.execute(query.with_for_update() if lock else query)
        return [
            Owned(customer_id=row.id, owner=row.owner, team=row.team, region=row.region)
            for row in rows
        ]


def _assignment(row: Mapping[str, Any] | Any, customer_id: int) -> Assignment:
    values = {f.name: row[f.name] for f in fields(Assignment) if f.name in row}
    return Assignment(**{**values, "customer_id": customer_id, "batch": row["tx"]})
