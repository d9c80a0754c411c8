"""What card and policy say of an application, as rules (the brief, section 9, rules 1 and 2).

The rules use the cut-offs and limits of the usual policy, so that they can be backtested like any
other; the filed decisions use the policy that the bank has set.
"""

from __future__ import annotations

import math

from crmkit.declarations import Rule

from ..cards.declaration import SCALE
from ..decisions.policy import Policy
from .features import SUBJECT

USUAL = Policy()
# Whole points, so the bounds in probabilities lie half a point below.
APPROVE_AT = math.floor(SCALE.probability(USUAL.approve_from - 0.5) * 1e6) / 1e6
REFER_AT = math.floor(SCALE.probability(USUAL.refer_from - 0.5) * 1e6) / 1e6
BREACH = (
    f"(coalesce(banking_applicant_age, {USUAL.adult_age}) < {USUAL.adult_age} "
    f"OR coalesce(banking_applicant_bankrupt, false) "
    f"OR coalesce(banking_application_dsti, 0) > {USUAL.dsti_limit})"
)
HOLD = (
    "(coalesce(banking_applicant_kyc_status, 'valid') = 'expired' "
    "OR coalesce(banking_applicant_unknown, true))"
)
PD = "score_banking_application"
BRIEF = "Banking brief, section 9, rule"


def _rule(name: str, title: str, title_zh: str, when: str, message: str, number: int) -> Rule:
    return Rule(
        name=f"banking.{name}", title=title, title_zh=title_zh, subject=SUBJECT, when=when,
        action="alert", target="credit-desk", message=message, source=f"{BRIEF} {number}",
    )  # fmt: skip


RULES = (
    _rule(
        "approve", "Approve", "建议通过", f"{PD} <= {APPROVE_AT} AND NOT {BREACH} AND NOT {HOLD}",
        "approve: probability of going bad {score_banking_application:.1%}", 1,
    ),
    _rule(
        "refer", "Refer to a person", "转人工",
        f"{PD} > {APPROVE_AT} AND {PD} <= {REFER_AT} AND NOT {BREACH} AND NOT {HOLD}",
        "refer: probability of going bad {score_banking_application:.1%} lies between the cut-offs", 1,
    ),
    _rule(
        "decline", "Decline", "建议拒绝", f"{PD} > {REFER_AT} AND NOT {BREACH}",
        "decline: probability of going bad {score_banking_application:.1%}; the reasons are in the "
        "decision", 1,
    ),
    _rule(
        "policy-decline", "Policy declines", "政策拒绝", BREACH,
        "policy declines whatever the score: under age, insolvent, or debt service above the limit",
        2,
    ),
    _rule(
        "policy-hold", "Policy holds", "政策暂缓", f"{HOLD} AND NOT {BREACH}",
        "hold: the identification has expired, or something that the policy asks for is not known", 2,
    ),
)  # fmt: skip
