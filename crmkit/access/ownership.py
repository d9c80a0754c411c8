"""Who works which customer: handing over, protection of renewals, and claims (C7).

A customer's owner looks after everything, unless a line of business (a plugin, such as
``telecom``) was given to somebody else. Every change is dated and says why and by whom.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from attrs import evolve

from ..errors import NotFound, UsageError
from ..store.ownership import EVERY_LINE, LOST, OPEN, WON, Claim
from ..store.retry import retried
from .agents import named
from .passing import HandingOver
from .protection import Renewals
from .settling import Decision, decide

if TYPE_CHECKING:
    from ..store.store import Tx


class Ownership(Renewals, HandingOver):
    """Owners of customers, and claims on them."""

    @retried
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
        day, agent = on or self._today(), named(agent)
        if day > self._today():
            raise UsageError(f"a claim cannot be of {day}, which is still to come.")
        with self._store.begin("customer claim") as tx:
            self.check_renewal(customer_id, agent, line=line, on=day, tx=tx)
            mine = self.rows.claims(customer_id=customer_id, line=line, status=OPEN, tx=tx)
            if any(c.agent == agent for c in mine):
                raise UsageError(f"{agent} has an open claim on this customer already.")
            proof = (evidence or "").strip() or None
            return self.rows.add_claim(customer_id, agent, line=line, on=day, evidence=proof, tx=tx)

    @retried
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
            return Decision(agent=named(to), rule="manager", why=str(reason).strip()), claims
        away = self.rows.left(self._today(), tx=tx)
        valid = [c for c in claims if c.agent not in away]
        served = self.rows.served_by(customer_id, {c.agent for c in valid}, line, tx=tx)
        return decide(valid, served), claims
