"""Decisions of a person: what was referred, and overrides of what card and policy proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.errors import NotFound, UsageError

from ..application.features import SUBJECT
from .policy import REFER
from .take import DECISION, file, latest_decisions

if TYPE_CHECKING:
    from crmkit.workspace import Crm

# What goes over from the decision of the card: the person decides on the same points.
KEPT = (
    "as_of_at", "card_version", "card_hash", "role", "points", "pd", "grade", "proposed",
    "reasons", "points_by_input", "inputs_hash",
)  # fmt: skip


def take(crm: Crm, application: str, outcome: str, reason: str | None) -> dict[str, Any]:
    """Files the decision of whoever works in the workspace.

    Args:
        application: its ref.
        outcome: ``approve``, ``decline`` or ``withdrawn``.
        reason: why it is not the one proposed; needed for an override.

    Raises:
        NotFound: if the application was not scored yet.
        UsageError: if an override gives no reason, or the decision stands already.
    """
    with crm.store.begin("decision take") as tx:
        record = crm.store.records.find(SUBJECT, application, tx=tx)
        last = latest_decisions(crm, [record.id], tx=tx).get(record.id)
        if last is None:
            raise NotFound(
                "decision of application", application,
                hint=f"Score it first: crmkit score run banking.application {application}",
            )  # fmt: skip
        if last["outcome"] == outcome:
            raise UsageError(f"{application} is decided so already: {outcome}.")
        override = last["proposed"] not in (REFER, outcome) and outcome != "withdrawn"
        if override and not reason:
            raise UsageError(
                f"card and policy propose to {last['proposed']} {application}; to {outcome} it is "
                "an override.",
                hint="Say why: --reason TEXT",
            )
        row = {name: last[name] for name in KEPT} | {
            "outcome": outcome,
            "decided_by": crm.actor,
            "override_reason": reason if override else None,
        }
        file(crm, [record.id], [row], tx)
    return latest_decisions(crm, [record.id])[record.id] | {"application": application}


def of_application(crm: Crm, application: str) -> list[dict[str, Any]]:
    """Every decision of an application, oldest first, those of challengers too."""
    record = crm.store.records.find(SUBJECT, application)
    names = ["id", "ref", "decided_at", "role", "card_version", "points", "pd", "grade", "proposed",
             "outcome", "reasons", "decided_by", "override_reason", "points_by_input"]  # fmt: skip
    rows = crm.store.records.read(
        DECISION, names, where={"owner_id": record.id}, sort=["decided_at", "role"]
    )
    return [dict(zip(names, row, strict=True)) for row in rows]
