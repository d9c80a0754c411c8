"""Decisions of a person: what was referred, and overrides of what card and policy proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.errors import NotFound, UsageError

from ..application.features import SUBJECT
from .explain import computed_again
from .policy import APPROVE, DECLINE, MOST_REASONS
from .take import CHAMPION, DECISION, SYSTEM, TERMS, file, is_open, latest_decisions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit.workspace import Crm

# What goes over from the decision of the card: the person decides on the same points and terms.
KEPT = (
    "as_of_at", "card_version", "card_hash", "role", "points", "pd", "grade", "proposed",
    "points_by_input", "inputs_hash", "outcome_known", *TERMS,
)  # fmt: skip
WITHDRAWN = "withdrawn"
ENDED = {DECLINE: "declined", WITHDRAWN: "withdrawn"}


def take(
    crm: Crm, application: str, outcome: str, reason: str | None, second: str | None = None
) -> dict[str, Any]:
    """Files the decision of the person who works in the workspace.

    Args:
        application: its ref.
        outcome: ``approve``, ``decline`` or ``withdrawn``.
        reason: why; needed to approve or decline. Of a refusal it is the first reason that the
            applicant is given.
        second: the officer who agrees; needed to approve what the policy declines.

    Raises:
        NotFound: if the application was not scored yet.
        UsageError: if a reason or the second officer is missing, the second officer is the first, the
            decision stands already, or more is applied for now than was scored; or if the second
            officer is the system.
    """
    if crm.actor.casefold() == SYSTEM:
        raise UsageError(
            f"{crm.actor!r} stands for the card and the policy; a decision by hand is a person's.",
            hint="Name the person in CRMKIT_ACTOR.",
        )
    reason, second = (reason or "").strip(), (second or "").strip()
    record = crm.store.records.find(SUBJECT, application)
    last = latest_decisions(crm, [record.id]).get(record.id)
    score = f"crmkit score run banking.application {application}"
    if last is None:
        raise NotFound("decision of application", application, hint=f"Score it first: {score}")
    if last["outcome"] == outcome and not (outcome == APPROVE and last["outgrown"]):
        raise UsageError(f"{application} is decided so already: {outcome}.")
    if outcome != WITHDRAWN:
        if last["outgrown"]:
            raise UsageError(
                f"more is applied for in {application} now than was decided on.",
                hint=f"Score it anew: {score}"
                if is_open(last)
                else f"It stays {ENDED[last['outcome']]}: file what is applied for now as an application of its own.",
            )
        if not reason:
            raise UsageError(f"to {outcome} {application} takes a reason.", hint="Say why: --reason TEXT")  # fmt: skip
    no_second = {
        crm.actor.casefold(): f"the second officer, {second}, is the one who decides.",
        SYSTEM: f"{second!r} stands for the card and the policy and is no second officer.",
    }.get(second.casefold())
    if second and no_second:
        raise UsageError(no_second, hint="Name another officer: --second OFFICER")
    if outcome == APPROVE and not second and _policy_declines(crm, record.id, last):
        raise UsageError(
            f"the credit policy declines {application}; to approve it takes a second officer.",
            hint="Name who agrees: --second OFFICER",
        )
    row = {name: last[name] for name in KEPT} | {
        "outcome": outcome, "decided_by": crm.actor, "override_reason": reason or None,
        "seconded_by": second or None,
        "reasons": [] if outcome != DECLINE else [reason, *_given(crm, application)][:MOST_REASONS],
    }  # fmt: skip
    with crm.store.begin("decision take") as tx:
        if latest_decisions(crm, [record.id], tx=tx)[record.id]["id"] != last["id"]:
            raise UsageError(
                f"{application} was decided anew meanwhile.",
                hint=f"See what stands: crmkit decision list {application}",
            )
        file(crm, [record.id], [row], tx)
    return latest_decisions(crm, [record.id])[record.id] | {"application": application}


def _policy_declines(crm: Crm, application: int, last: Mapping[str, Any]) -> bool:
    if last["proposed"] != DECLINE:
        return False
    return computed_again(crm, application, last).by_policy == DECLINE


def _given(crm: Crm, application: str) -> Sequence[str]:
    """The reasons that card and policy gave last."""
    held = [row for row in of_application(crm, application) if row["role"] == CHAMPION]
    return next(row["reasons"] or () for row in reversed(held) if row["decided_by"] == SYSTEM)


def outgrown(crm: Crm, application: str) -> bool:
    """Whether more is applied for now than the last decision was of, and the card would decide anew."""
    record = crm.store.records.find(SUBJECT, application)
    return any(
        row["outgrown"] and is_open(row) for row in latest_decisions(crm, [record.id]).values()
    )


def of_application(crm: Crm, application: str) -> list[dict[str, Any]]:
    """Every decision of an application, oldest first, those of challengers too."""
    record = crm.store.records.find(SUBJECT, application)
    names = ["id", "ref", "decided_at", "role", "card_version", "points", "pd", "grade", "proposed",
             "outcome", "reasons", "decided_by", "seconded_by", "override_reason", "points_by_input"]  # fmt: skip
    rows = crm.store.records.read(
        DECISION, names, where={"owner_id": record.id}, sort=["decided_at", "role"]
    )
    return [dict(zip(names, row, strict=True)) for row in rows]
