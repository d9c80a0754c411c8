"""The credit policy: cut-offs, affordability, and what is declined or held whatever the score.

A bank sets its own with ``crmkit decision policy``: a record ``banking.credit_policy`` with the key
``default``, whose history is kept, so that a decision is recomputed under the policy of its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import field, fields, frozen

from crmkit.errors import UsageError

from ..cards.lines import Line, strongest

RECORD, KEY = "banking.credit_policy", "default"
APPROVE, REFER, DECLINE = "approve", "refer", "decline"
MOST_REASONS = 4
# What an approval has to know, in words, by the argument of Applicant.
NEEDED = {
    "age": "the age of the applicant is not known",
    "dsti": "the share of the income that debt service takes is not known",
    "kyc_status": "the state of the identification is not known",
}


@frozen(kw_only=True)
class Policy:
    """What decides beside the card.

    Args:
        approve_from, refer_from: points from which an application is approved or referred to a
            person. The defaults fit the scale of 600 points at 30 to 1 and 20 to double: 548 points
            are odds of 5 to 1, the point at which a bad loan that costs five good ones is worth
            taking (cost matrix of the German credit file), and 534 are odds of 3 to 1.
        dsti_limit: debt service over income above which credit is declined.
        adult_age: below it nobody is given credit.
        real_bad_rate: rate of bads in the trade where the card's sample has too many; None takes
            the sample as it is.
        challenger_version: of the card that is run beside the one that decides; None runs none.
        may_be_unknown: what of ``age``, ``dsti`` and ``kyc_status`` need not be known; the rest
            refers an application to a person where it is unknown.

    Raises:
        UsageError: if ``approve_from`` lies below ``refer_from``, so that nothing could be referred.
    """

    approve_from: int = 548
    refer_from: int = 534
    dsti_limit: float = 0.45
    adult_age: int = 18
    real_bad_rate: float | None = None
    challenger_version: int | None = None
    may_be_unknown: tuple[str, ...] = field(default=(), converter=tuple)

    def __attrs_post_init__(self) -> None:
        if self.approve_from < self.refer_from:
            raise UsageError(
                f"the credit policy approves from {self.approve_from} points, below the "
                f"{self.refer_from} from which it refers.",
                hint="Set approve_from to refer_from or more: crmkit decision policy.",
            )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Policy:
        """The policy of a record; what it leaves out is as usual."""
        names = {f.name for f in fields(cls)}
        return cls(**{k: v for k, v in values.items() if k in names and v is not None})


@frozen(kw_only=True)
class Applicant:
    """What policy looks at beside the card; None is not known.

    Insolvency counts where it is stated; of the others, what is unknown is referred to a person.
    """

    age: int | None = None
    bankrupt: bool | None = None
    kyc_status: str | None = None
    dsti: float | None = None


@frozen(kw_only=True)
class Proposal:
    """What card and policy say: ``outcome``, and up to four reasons against, policy reasons first.

    ``by_policy`` is what the policy alone says: decline, refer, or None where it has nothing against.
    """

    outcome: str
    reasons: tuple[str, ...]
    by_policy: str | None


def policy_reasons(applicant: Applicant, policy: Policy) -> list[tuple[str, str]]:
    """What policy has against an application: decline or hold (refer), and why, gravest first."""
    found = []
    if applicant.age is not None and applicant.age < policy.adult_age:
        found.append((DECLINE, f"the applicant is under {policy.adult_age} years of age"))
    if applicant.bankrupt:
        found.append((DECLINE, "insolvency proceedings are open"))
    if applicant.dsti is not None and applicant.dsti > policy.dsti_limit:
        found.append(
            (
                DECLINE,
                f"debt service would take {applicant.dsti:.0%} of the income, "
                f"more than {policy.dsti_limit:.0%}",
            )
        )
    if applicant.kyc_status == "expired":
        found.append((REFER, "the identification has expired and must be renewed first"))
    found += [
        (REFER, words)
        for name, words in NEEDED.items()
        if getattr(applicant, name) is None and name not in policy.may_be_unknown
    ]
    return found


def propose(
    points: int, lines: Sequence[Line], words: Mapping[str, str], applicant: Applicant,
    policy: Policy,
) -> Proposal:  # fmt: skip
    """Approves, refers or declines.

    Args:
        points: the score.
        lines: what every input gave.
        words: each input's value in words, by feature; inputs without words give no reason.
        applicant: what policy looks at.
        policy: the policy in force.

    Returns:
        The proposal. An approval has no reasons.
    """
    policy_found = policy_reasons(applicant, policy)
    by_score = (
        APPROVE
        if points >= policy.approve_from
        else REFER
        if points >= policy.refer_from
        else DECLINE
    )
    by_policy = _gravest(outcome for outcome, _ in policy_found)
    outcome = _gravest((by_score, by_policy)) or APPROVE
    # What holds an application is no reason to decline it.
    reasons = [text for said, text in policy_found if said == outcome]
    if by_score != APPROVE:
        said = [words[line.feature] for line in strongest(lines) if words.get(line.feature)]
        reasons += dict.fromkeys(said)
    return Proposal(
        outcome=outcome,
        reasons=tuple(reasons[:MOST_REASONS]) if outcome != APPROVE else (),
        by_policy=by_policy,
    )


def _gravest(outcomes: Iterable[str | None]) -> str | None:
    """Decline before refer; None where neither is among them."""
    found = set(outcomes)
    return next((one for one in (DECLINE, REFER) if one in found), None)
