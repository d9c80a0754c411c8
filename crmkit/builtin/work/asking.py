"""Whether a task or visit may be worked: by whom, and whether the customer may be contacted."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from crmkit.entities import ContactDecision, ContactRequest

if TYPE_CHECKING:
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm

POLICY = "contact.policy"
# What a contact is for unless its purpose is given: it needs no consent, and no objection.
SERVICE = "service"


def has_policy(crm: Crm) -> bool:
    """Whether the workspace has a contact policy; the plugin contact may be left out."""
    return POLICY in crm.catalog.services


def check_renewal(crm: Crm, customer_id: int, agent: str, purpose: str | None, tx: Tx) -> None:
    """Refuses an agent who would work the protected renewals of another.

    Args:
        purpose: None may be a renewal; a purpose says by itself whether it works renewals.

    Raises:
        NotPermitted: naming the owner and the first day that is free.
    """
    if purpose is not None and not crm.service(POLICY).works_renewals(purpose, tx=tx):
        return
    hint = "Give it to the owner, or say what else it is for, as --purpose service."
    crm.ownership.check_renewal(customer_id, agent, hint=hint, tx=tx)


def request(
    customer_id: int, agent: str, channel: str, purpose: str | None, at: datetime,
    slot: str | None = None,
) -> ContactRequest:  # fmt: skip
    """The contact that a task or visit makes."""
    return ContactRequest(
        customer_id=customer_id, channel=channel, purpose=purpose or SERVICE, at=at, agent=agent,
        slot=slot,
    )  # fmt: skip


def check_by(crm: Crm, asked: ContactRequest, due_at: datetime | None, tx: Tx) -> None:
    """Refuses a contact for which there is no allowed instant up to when it is due.

    Raises:
        NotPermitted: with the policy's reason.
    """
    (decision,) = crm.service(POLICY).ask([asked], tx=tx)
    if decision.free_at is None or (due_at is not None and decision.free_at > due_at):
        decision.check()


def reserve(crm: Crm, asked: ContactRequest, tx: Tx) -> str | None:
    """Takes the place of a contact at its instant; its slot.

    Raises:
        NotPermitted: with the policy's reason.
    """
    if not has_policy(crm):
        return None
    decision: ContactDecision
    (decision,) = crm.service(POLICY).reserve([asked], taken_by=f"work {asked.agent}", tx=tx)
    decision.check()
    return decision.slot


def confirm(crm: Crm, asked: ContactRequest, tx: Tx) -> None:
    """Asks again when a contact has been made, and counts it.

    Raises:
        NotPermitted: with the policy's reason.
    """
    if not has_policy(crm):
        return
    policy = crm.service(POLICY)
    if asked.slot is None:
        (decision,) = policy.reserve([asked], taken_by=f"work {asked.agent}", tx=tx)
        decision.check()
        policy.made([decision.slot], tx=tx)
    else:
        (decision,) = policy.confirm([asked], tx=tx)
        decision.check()
