"""Files how loans went with the applications that led to them: what monitoring and the next card need."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from crmkit import resource_text

from ..application.features import SUBJECT

if TYPE_CHECKING:
    from crmkit.entities.asof import AsOf
    from crmkit.workspace import Crm


def file_outcomes(crm: Crm, as_of: AsOf, days: int) -> list[dict[str, Any]]:
    """Files ``bad`` of every application whose loan can be judged and which has no outcome yet.

    What another system or an earlier run has stated stays as it is.

    Args:
        as_of: up to when statements are looked at.
        days: after granting, within which 90 days past due or a write-off is bad.

    Returns:
        One row for each outcome filed: ``application`` and ``bad``.
    """
    sql = resource_text(__package__, "outcomes.sql").replace("$days", str(int(days)))
    told: dict[str, bool] = {}
    for row in crm.query(sql, as_of).to_pylist():
        if row["bad"] is not None:
            # Of several loans of one application a bad one counts.
            told[row["application"]] = told.get(row["application"], False) or row["bad"] == 1
    # A missing outcome alone is filled; owners are named again, as they stay.
    missing = crm.store.records.read(SUBJECT, ["source", "ref", "owner_id"], where={"bad": None})
    by_source: dict[str, dict[str, int]] = defaultdict(dict)
    for source, ref, owner in missing:
        if ref in told:
            by_source[source][ref] = owner
    with crm.store.begin("decision outcomes") as tx:
        for source, owners in sorted(by_source.items()):
            values = {"bad": [told[ref] for ref in owners]}
            crm.store.records.put(
                SUBJECT, source=source, refs=list(owners), values=values,
                owners=list(owners.values()), tx=tx,
            )  # fmt: skip
    return [
        {"application": ref, "bad": told[ref]}
        for owners in by_source.values()
        for ref in sorted(owners)
    ]
