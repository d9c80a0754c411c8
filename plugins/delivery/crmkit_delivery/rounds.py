"""Rounds: subscribers paused and resumed, credits for missed drops, and what couriers are paid (W6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Any

from crmkit.entities import ContactRequest, Money, NewInteraction
from crmkit.errors import UsageError

from .data import SUBSCRIPTION
from .handover import POLICY, local_today
from .posting import LEDGER, Settlement
from .promise import WEEK

if TYPE_CHECKING:
    from crmkit.workspace import Crm

# We call a subscriber; everything else is said to us.
CALL = "round_call"
# From the third missed drop in 30 days on, credit is given without being asked (D-R16).
MISSED_DROPS, WINDOW_DAYS = 3, 30
MISSED = (
    "SELECT subject_id, id, occurred_at, occurred_on FROM delivery_drop "
    "WHERE result = 'missed' AND days_before < 30"
)


def pause(
    crm: Crm, subscription: str, start: date | None, until: date | None, reason: str | None
) -> dict[str, Any]:
    """Pauses a subscription, or extends the pause that runs or is planned; a pause is no loss (D-R15).

    Args:
        start: first day; None is that of the pause to be extended, else today.
        until: first day on which it is brought again; None leaves the end open.

    Raises:
        UsageError: if it ends before it begins, the subscription has ended by then, or another pause
            would be shortened or stands apart from this one.
    """
    found = crm.store.records.find(SUBSCRIPTION, subscription)
    values, today = found.values, local_today(crm)
    running = values.get("paused_from") is not None and not (
        values.get("paused_to") is not None and values["paused_to"] <= today
    )
    begins = start or (values["paused_from"] if running else today)
    if until is not None and until <= begins:
        raise UsageError(f"a pause from {begins} ends after it begins, not on {until}.")
    ended = values.get("ended_on")
    if ended is not None and ended < begins:
        raise UsageError(f"subscription {found.ref} ended on {ended}.")
    changed: dict[str, Any] = {"paused_from": begins, "paused_to": until, "pause_extensions": 0}
    if running:
        changed = _extended(found.ref, values, begins, until)
        reason = reason or values.get("pause_reason")
    return _change(crm, found, {**changed, "pause_reason": reason}, "pause", reason)


def _extended(
    ref: str, values: Mapping[str, Any], start: date, until: date | None
) -> dict[str, Any]:
    """The pause that two pauses come to which touch; one that stands apart is no extension."""
    begins, ends = values["paused_from"], values.get("paused_to")
    span = f"from {begins}" + (f" to {ends}" if ends else "")
    if (ends is not None and start > ends) or (until is not None and until < begins):
        raise UsageError(
            f"subscription {ref} is paused {span}, and has one pause at a time.",
            hint=f"Name days that touch that pause, or end it first: crmkit round resume {ref}.",
        )
    if ends is not None and until is not None and begins <= start and until < ends:
        raise UsageError(
            f"subscription {ref} is paused {span} already.",
            hint=f"To bring it again earlier: crmkit round resume {ref} --on {until}.",
        )
    last = until if ends is None or until is None else max(ends, until)
    longer = ends is not None and (last is None or last > ends)
    return {
        "paused_from": min(begins, start), "paused_to": last,
        "pause_extensions": (values.get("pause_extensions") or 0) + longer,
    }  # fmt: skip


def resume(crm: Crm, subscription: str, on: date) -> dict[str, Any]:
    """Ends a pause: from that day on it is brought again, and until then it stays paused.

    Raises:
        UsageError: if it is not paused, or is brought again before that day.
    """
    found = crm.store.records.find(SUBSCRIPTION, subscription)
    begins, ends = found.values.get("paused_from"), found.values.get("paused_to")
    today = local_today(crm)
    if begins is None or (ends is not None and ends <= today):
        raise UsageError(f"subscription {found.ref} is not paused.")
    if ends is not None and on > ends:
        raise UsageError(
            f"subscription {found.ref} is brought again from {ends} on, before {on}.",
            hint=f"To pause it longer: crmkit round pause {found.ref} --until {on}.",
        )
    changed: dict[str, Any] = {"paused_to": on}
    if on <= max(begins, today):
        changed = dict.fromkeys(("paused_from", "paused_to", "pause_reason", "pause_extensions"))
    return _change(crm, found, changed, "resume", f"from {on}")


def is_paused(values: Mapping[str, Any], on: date) -> bool:
    """Whether a subscription is paused on a day: from the first day up to the one before the last."""
    begins, ends = values.get("paused_from"), values.get("paused_to")
    return begins is not None and begins <= on and (ends is None or on < ends)


def is_brought(values: Mapping[str, Any], on: date) -> bool:
    """Whether a subscription is to be brought on a day.

    It has begun and not ended (the last day is one of its days), is not paused, and the day is one of
    its days of the week; without any, every day is.
    """
    begins, ends, days = (values.get(name) for name in ("started_on", "ended_on", "days"))
    return (
        (begins is None or begins <= on)
        and (ends is None or on <= ends)
        and (not days or WEEK[on.weekday()] in days)
        and not is_paused(values, on)
    )


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


def credit_missed(crm: Crm, on: date) -> tuple[list[dict[str, Any]], list[str]]:
    """Credits the drops of who missed the third in 30 days, each once, without being asked (D-R16).

    A drop is credited at the price and quantity of its day, whatever they are now; one on a day on
    which the subscription was paused is none. Of a drop that was credited at another amount the
    difference is posted. What cannot be credited stops no other.

    Args:
        on: the day up to which 30 days are looked back on.

    Returns:
        A row for each subscription, and what could not be credited, in words.
    """
    first = on - timedelta(days=WINDOW_DAYS - 1)
    missed: dict[int, list[dict[str, Any]]] = {}
    for row in crm.query(MISSED, crm.as_of(on.isoformat()), SUBSCRIPTION).to_pylist():
        missed.setdefault(row["subject_id"], []).append(row)
    often = [who for who, drops in missed.items() if len(drops) >= MISSED_DROPS]
    out, postings, refused = [], {}, []
    for one in sorted(often):
        now = crm.store.records.get(SUBSCRIPTION, one)
        drops = _owed(crm, now, missed[one])
        if len(drops) < MISSED_DROPS:
            continue
        try:
            due = _due(crm, now, drops)
        except UsageError as error:
            refused.append(f"{now.ref} is not credited: {error.message}")
            continue
        postings[now.ref] = due
        total = Money(sum(posting.amount for posting in due), crm.settings.currency)
        out.append(
            {"subscription": now.ref, "customer_id": now.owner_id, "missed": len(drops),
             "since": first, "credit": total}
        )  # fmt: skip
    posted, unposted = _settle(crm, postings)
    refused += [f"{ref} is not credited: {why}" for ref, why in unposted.items()]
    return [
        {**row, "posted": Money(posted[row["subscription"]], row["credit"].currency)} for row in out
    ], refused


def _settle(
    crm: Crm, postings: Mapping[str, Sequence[Settlement]]
) -> tuple[dict[str, int], dict[str, str]]:
    """What was posted for each subscription in minor units, and why something of it was not."""
    every = [posting for due in postings.values() for posting in due]
    done, refused = crm.service("ledger.accounts").settle(LEDGER, every)
    why = {one.posting.reference: one.why for one in refused}
    made = dict(zip((p.reference for p in every if p.reference not in why), done, strict=True))
    posted = {
        ref: sum(made[p.reference].amount for p in due if p.reference in made)
        for ref, due in postings.items()
    }
    said = {
        ref: why[p.reference] for ref, due in postings.items() for p in due if p.reference in why
    }
    return posted, said


def _owed(
    crm: Crm, now: Any, drops: Sequence[Mapping[str, Any]]
) -> dict[int, Mapping[str, Any]]:  # fmt: skip
    """The drops that were to be brought, each with the subscription as it stood at the drop."""
    found = {}
    for drop in drops:
        at = drop["occurred_at"].replace(tzinfo=UTC)
        then = crm.store.records.at(SUBSCRIPTION, now.id, at) or now
        # A pause may have been filed after the drop.
        if not any(is_paused(values, drop["occurred_on"]) for values in (then.values, now.values)):
            found[drop["id"]] = then.values
    return found


def _due(crm: Crm, now: Any, drops: Mapping[int, Mapping[str, Any]]) -> list[Settlement]:
    """What each drop comes to, by the price and quantity of its day.

    Raises:
        UsageError: if the subscription had no price, or one in another currency than the ledger.
    """
    due = []
    for drop, values in sorted(drops.items()):
        price, quantity = values.get("price"), values.get("quantity")
        if price is None or price.currency != crm.settings.currency:
            had = "no price" if price is None else f"a price in {price.currency}"
            raise UsageError(
                f"it had {had} on the day of drop {drop}; the ledger is in {crm.settings.currency}."
            )
        due.append(
            Settlement(
                customer_id=now.owner_id, amount=price.minor * (1 if quantity is None else quantity),
                kind="earn", reference=f"drop:{drop}", reason="missed drop",
            )
        )  # fmt: skip
    return due
