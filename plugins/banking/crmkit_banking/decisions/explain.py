"""Recomputes a filed decision from the card and the inputs of its time, to the point."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crmkit.entities.asof import AsOf
from crmkit.errors import NotFound

from .take import DECISION, SCORE, compute, policy_at

if TYPE_CHECKING:
    from crmkit.workspace import Crm


def recomputed(crm: Crm, decision_id: int) -> dict[str, Any]:
    """A filed decision beside what card, policy and inputs of its instant say now.

    Returns:
        The filed values, ``recomputed_points``, ``recomputed_outcome`` and ``same``: whether points,
        bins and proposal, and the hash of the card, are those that were filed.
    """
    record = crm.store.records.get(DECISION, decision_id)
    held = record.values
    if record.owner_id is None:
        raise NotFound("application of decision", record.ref)
    instant = _aware(held["as_of_at"])
    at = AsOf.at(instant, crm.settings.time_zone)
    version = int(held["card_version"])
    policy = policy_at(crm, AsOf.at(_aware(held["decided_at"]), crm.settings.time_zone))
    now = compute(crm, [record.owner_id], at, version, policy)[record.owner_id]
    model = crm.scores.model(SCORE, version)
    same = (
        now.points == held["points"]
        and json.loads(now.points_by_input) == json.loads(held["points_by_input"])
        and now.outcome == held["proposed"]
        and list(now.reasons) == list(held["reasons"] or ())
        and model.hash == held["card_hash"]
    )
    return {
        **held,
        "decision": record.ref,
        "recomputed_points": now.points,
        "recomputed_outcome": now.outcome,
        "same": same,
    }


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)
