"""How claims on one customer are settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import frozen

from ..store.ownership import Claim


@frozen(kw_only=True)
class Decision:
    """Who gets a customer that is claimed, by which rule and why; ``agent`` None is undecided."""

    agent: str | None
    rule: str
    why: str


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
