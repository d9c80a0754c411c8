"""Rounds: subscribers paused and resumed, credits for missed drops, and what couriers are paid (W6)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from crmkit.entities import ContactRequest, Money, NewInteraction
from crmkit.errors import UsageError

from .claims import LEDGER
from .data import SUBSCRIPTION
from .handover import POLICY
from .posting import Settlement

if TYPE_CHECKING:
    from crmkit.workspace import Crm

# We call a subscriber; everything else is said to us.
CALL = "round_call"
# From the third missed drop in 30 days on, credit is given without being asked (D-R16).
MISSED_DROPS, WINDOW_DAYS = 3, 30
MISSED = "SELECT subject_id, id FROM delivery_drop WHERE result = 'missed' AND days_before < 30"


def pause(
    crm: Crm, subscription: str, start: date, until: date | None, reason: str | None
) -> dict[str, Any]:
    """Pauses a subscription, or extends the pause that runs; a pause is no loss (D-R15).

    Raises:
        UsageError: if it ends before it begins, or the subscription has ended.
    """
    if until is not None and until <= start:
        raise UsageError(f"a pause from {start} ends after it begins, not on {until}.")
    found = crm.store.records.find(SUBSCRIPTION, subscription)
    values = found.values
    if values.get("ended_on") is not None:
        raise UsageError(f"subscription {found.ref} ended on {values['ended_on']}.")
    running = values.get("paused_from") is not None and (
        values.get("paused_to") is None or values["paused_to"] >= start
    )
    changed: dict[str, Any] = {"paused_to": until, "pause_reason": reason}
    if running:
        changed["pause_extensions"] = (values.get("pause_extensions") or 0) + 1
    else:
        changed |= {"paused_from": start, "pause_extensions": 0}
    return _change(crm, found, changed, "pause", reason)


def resume(crm: Crm, subscription: str, on: date) -> dict[str, Any]:
    """Ends a pause: from that day on it is brought again.

    Raises:
        UsageError: if it is not paused.
    """
    found = crm.store.records.find(SUBSCRIPTION, subscription)
    if found.values.get("paused_from") is None:
        raise UsageError(f"subscription {found.ref} is not paused.")
    changed = {
        "paused_from": None, "paused_to": None, "pause_reason": None, "pause_extensions": None,
    }  # fmt: skip
    return _change(crm, found, changed, "resume", f"from {on}")


def called(crm: Crm, subscription: str, note: str | None) -> dict[str, Any]:
    """Files that a subscriber was called after a hand-over.

    Raises:
        NotPermitted: if the contact policy does not allow a call for service now.
    """
    found = crm.store.records.find(SUBSCRIPTION, subscription)
    return _change(crm, found, {"called_at": crm.clock()}, CALL, note, channel="phone")


def _change(
    crm: Crm, found: Any, changed: dict[str, Any], kind: str, note: str | None,
    channel: str = "phone",
) -> dict[str, Any]:  # fmt: skip
    with crm.store.begin(f"round {kind}") as tx:
        if kind == CALL and found.owner_id is not None and POLICY in crm.catalog.services:
            asked = ContactRequest(
                customer_id=found.owner_id, channel=channel, purpose="service", at=tx.at
            )
            policy = crm.service(POLICY)
            (decision,) = policy.reserve([asked], taken_by="round called", tx=tx)
            decision.check()
            policy.made([decision.slot], tx=tx)
        record = crm.store.records.set(
            SUBSCRIPTION, source=found.source, ref=found.ref, values=changed, version=found.version,
            tx=tx,
        )  # fmt: skip
        payload = {
            "reason": note, "round": record.values["round"], "courier": record.values.get("courier"),
        }  # fmt: skip
        crm.store.interactions.log(
            [
                NewInteraction(
                    kind=f"delivery.{kind}", occurred_at=tx.at, customer_id=record.owner_id,
                    subject_id=record.id, channel=channel,
                    direction="out" if kind == CALL else "in",
                    payload={k: v for k, v in payload.items() if v is not None},
                )
            ],
            tx=tx,
        )  # fmt: skip
    return {**record.values, "subscription": record.ref, "customer_id": record.owner_id}


def credit_missed(crm: Crm, on: date) -> list[dict[str, Any]]:
    """Credits the drops of who missed the third in 30 days, each once, without being asked (D-R16).

    Args:
        on: the day up to which 30 days are looked back on.
    """
    first = on - timedelta(days=WINDOW_DAYS - 1)
    table = crm.query(
        MISSED,
        crm.as_of(on.isoformat()), SUBSCRIPTION,
    )  # fmt: skip
    missed: dict[int, list[int]] = {}
    for row in table.to_pylist():
        missed.setdefault(row["subject_id"], []).append(row["id"])
    wanted = {who: drops for who, drops in missed.items() if len(drops) >= MISSED_DROPS}
    rows = crm.store.records.read(
        SUBSCRIPTION, ("id", "ref", "owner_id", "price", "quantity"), among={"id": wanted}
    )
    out, postings = [], []
    for one, ref, owner, price, quantity in rows:
        if price is None:
            continue
        each = price.minor * (quantity or 1)
        for drop in sorted(wanted[one]):
            postings.append(
                Settlement(
                    customer_id=owner, amount=each, kind="earn", reference=f"drop:{drop}",
                    reason="missed drop",
                )
            )  # fmt: skip
        total = Money(each * len(wanted[one]), price.currency)
        out.append(
            {"subscription": ref, "customer_id": owner, "missed": len(wanted[one]),
             "since": first, "credit": total}
        )  # fmt: skip
    if postings:
        crm.service("ledger.accounts").post(LEDGER, postings)
    return out
