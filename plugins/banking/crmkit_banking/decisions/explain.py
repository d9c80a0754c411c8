"""Recomputes a filed decision from the card and the inputs of its time, to the point."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crmkit.entities.asof import AsOf
from crmkit.errors import NotFound

from .take import DECISION, SCORE, SYSTEM, Computed, compute, policy_at

if TYPE_CHECKING:
    from crmkit.workspace import Crm


def recomputed(crm: Crm, decision_id: int) -> dict[str, Any]:
    """A filed decision beside what card, policy and inputs of its instant say now.

    Returns:
        The filed values, ``recomputed_points``, ``recomputed_outcome`` and ``same``: whether points,
        bins and proposal, the reasons that the system gave, and the hash of the card are those that
        were filed. The reasons of a person are the person's own.
    """
    record = crm.store.records.get(DECISION, decision_id)
    held = record.values
    if record.owner_id is None:
        raise NotFound("application of decision", record.ref)
    now = computed_again(crm, record.owner_id, held)
    model = crm.scores.model(SCORE, int(held["card_version"]))
    same = (
        now.points == held["points"]
        and json.loads(now.points_by_input) == json.loads(held["points_by_input"])
        and now.outcome == held["proposed"]
        and (held["decided_by"] != SYSTEM or list(now.reasons) == list(held["reasons"] or ()))
        and model.hash == held["card_hash"]
    )
    return {
        **held,
        "decision": record.ref,
        "recomputed_points": now.points,
        "recomputed_outcome": now.outcome,
        "same": same,
    }


def computed_again(crm: Crm, application: int, held: Mapping[str, Any]) -> Computed:
    """What card, policy and inputs of a decision's time say now."""
    zone = crm.settings.time_zone
    at = AsOf.at(_aware(held["as_of_at"]), zone)
    policy = policy_at(crm, AsOf.at(_aware(held["decided_at"]), zone))
    return compute(crm, [application], at, int(held["card_version"]), policy)[application]


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)
