"""Whom nobody should sell to now: customers whose grave complaint is still open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit.entities import ContactBlock

from .records import CASE

if TYPE_CHECKING:
    from crmkit.entities import ContactBatch
    from crmkit.workspace import Crm

WORDS = ("a severe case is open: {case}", "有未结的严重工单：{case}")


def severe_cases(crm: Crm, batch: ContactBatch) -> list[ContactBlock]:
    """Blocks customers with an open case of a severity that its kind calls severe: S1 and S2.

    When it ends is not known, so the block has no end.
    """
    grave = {
        (kind.name, severity)
        for kind in crm.catalog.case_kinds.values()
        for severity in kind.severe
    }
    if not grave:
        return []
    found = crm.store.records.read(
        CASE, ("owner_id", "ref", "kind", "severity", "opened_at"), where={"is_open": True},
        among={"owner_id": batch.customers, "severity": {severity for _, severity in grave}},
        tx=batch.tx,
    )  # fmt: skip
    return [
        ContactBlock(
            customer_id=customer, code="severe_case", since=opened_at,
            words=WORDS[0].format(case=ref), words_zh=WORDS[1].format(case=ref),
        )
        for customer, ref, kind, severity, opened_at in found
        if (kind, severity) in grave
    ]  # fmt: skip
