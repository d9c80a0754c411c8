"""Keeps what is held of guests: reads facts from the store and files beliefs as records.

A belief is computed state (design, advice 1 of the brief): learning anew from the facts gives the
very records that learning after each fact gave.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from ..data import EVIDENCE, PREFERENCE, REFUSAL, RESERVATION, STATEMENT
from .beliefs import ANY, AVOID, CHAIN, STALE_DAYS, Belief, Evidence, Refusal, believe
from .catalogue import catalogue

if TYPE_CHECKING:
    from crmkit.entities.asof import AsOf
    from crmkit.workspace import Crm

SOURCE = "crmkit"
KINDS = tuple(f"hotel.{kind}" for kind in EVIDENCE)
# Guests whose facts are read and filed at once; some dozen facts each.
BATCH = 5_000
STAYED = ("in_house", "checked_out")


def learn(
    crm: Crm, customers: Iterable[int] | None = None, *, as_of: AsOf | None = None, tx: Any = None
) -> int:
    """Files what is held of guests on a day; how many records are new or changed.

    Args:
        customers: these; None is everybody. Facts of merged customers count for who remains.
        as_of: the day, from whose end on the records hold; None is now.
    """
    if customers is None:
        everybody = crm.store.records.read(RESERVATION, ["owner_id"], tx=tx)
        everybody += crm.store.records.read(PREFERENCE, ["owner_id"], tx=tx)
        customers = {row[0] for row in everybody}
    wanted = sorted(set(crm.store.customers.survivors(customers, tx=tx).values()))
    at, changed = as_of or crm.as_of(), 0
    for start in range(0, len(wanted), BATCH):
        changed += _learn(crm, wanted[start : start + BATCH], at, tx)
    return changed


def beliefs_of(
    crm: Crm, customers: Sequence[int], on: date, *, tx: Any = None
) -> dict[int, list[Belief]]:
    """What is held of some guests on a day, from the facts; by guest."""
    stays, evidence, refusals = facts_of(crm, customers, tx=tx)
    return {
        guest: believe(
            evidence[guest],
            [(arrived, stay, purpose) for arrived, _, stay, purpose in stays[guest]],
            refusals[guest],
            on,
        )
        for guest in customers
    }


def facts_of(
    crm: Crm, customers: Sequence[int], *, tx: Any = None
) -> tuple[dict[int, list[tuple[Any, ...]]], dict[int, list[Evidence]], dict[int, list[Refusal]]]:
    """Stays, evidence and refusals of some guests, each by guest.

    A stay is (arrival, departure, reservation, purpose).
    """
    members = crm.store.customers.members(customers, tx=tx)
    stays = _stays(crm, members, tx)
    evidence, refusals = _facts(crm, members, stays, tx)
    return stays, evidence, refusals


def _stays(crm: Crm, members: dict[int, int], tx: Any) -> dict[int, list[tuple[Any, ...]]]:
    """(arrival, departure, reservation, purpose) of each stay that took place, by guest."""
    out: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    names = ["owner_id", "arrival_on", "departure_on", "id", "purpose", "status"]
    for owner, arrived, left, stay, purpose, status in crm.store.records.read(
        RESERVATION, names, among={"owner_id": members}, tx=tx
    ):
        if status in STAYED:
            out[members[owner]].append((arrived, left, stay, purpose or "unknown"))
    return out


def _facts(
    crm: Crm, members: dict[int, int], stays: dict[int, list[tuple[Any, ...]]], tx: Any
) -> tuple[dict[int, list[Evidence]], dict[int, list[Refusal]]]:
    evidence: dict[int, list[Evidence]] = defaultdict(list)
    refusals: dict[int, list[Refusal]] = defaultdict(list)
    names = ["customer_id", "kind", "occurred_on", "id", "subject_id", "actor", "payload"]
    found = crm.store.interactions.read(names, customers=members, kinds=(*KINDS, REFUSAL), tx=tx)
    for customer, kind, on, number, subject, actor, said in found:
        guest, code = members[customer], said.get("code")
        if not code:
            continue
        if kind == REFUSAL:
            refusals[guest].append(Refusal(code=code, on=on, number=number))
            continue
        # What a companion likes is theirs (H-R14).
        if said.get("companion") or (said.get("value") is None and not said.get("text")):
            continue
        stay, purpose = _stay(stays[guest], subject, on)
        # What is logged as a statement is the guest's word unless it says otherwise.
        mode = said.get("mode") or ("declared" if kind == STATEMENT else "observed")
        evidence[guest].append(
            Evidence(
                code=code, value=said.get("value") or _label(said["text"]), on=on, stay=stay, number=number,
                mode=mode, holds=said.get("holds") is not False,
                purpose=_purpose(said.get("purpose"), purpose, mode),
                property=said.get("property") or CHAIN, touchpoint=kind.partition(".")[2],
                staff=actor or "", strength=said.get("strength") or "", share=said.get("share"),
                note=said.get("text"),
            )
        )  # fmt: skip
    return evidence, refusals


def _label(words: str) -> str:
    """By which words are told apart where they must not stand: the same for the same words."""
    plain = " ".join(words.casefold().split())
    return f"in words {hashlib.blake2b(plain.encode(), digest_size=3).hexdigest()}"


def _purpose(said: str | None, of_stay: str, mode: str) -> str:
    """What is said holds for every trip unless it names one; what is seen holds for such trips."""
    purpose = said or (ANY if mode == "declared" else of_stay)
    return ANY if purpose == "unknown" else purpose


def _stay(stays: Sequence[tuple[Any, ...]], subject: int | None, on: date) -> tuple[int | str, str]:
    for arrived, left, stay, purpose in stays:
        if stay == subject or (
            subject is None and arrived and arrived <= on and (left is None or on <= left)
        ):
            return stay, purpose
    return (subject if subject is not None else str(on)), "unknown"


def _learn(crm: Crm, customers: Sequence[int], at: AsOf, tx: Any) -> int:
    on = at.on
    held = beliefs_of(crm, customers, on, tx=tx)
    rows = [(guest, belief) for guest in customers for belief in held[guest]]
    refs = [_ref(guest, belief) for guest, belief in rows]
    gone = [
        row[:3]
        for row in crm.store.records.read(
            PREFERENCE, ["ref", "owner_id", "code", "source", "status"],
            among={"owner_id": customers}, tx=tx,
        )
        if row[3] == SOURCE and row[0] not in set(refs) and row[4] != "refused"
    ]  # fmt: skip
    values = [_values(belief, on) for _, belief in rows]
    # What a refusal has deleted: the row stays, so that nothing learns it again, and says nothing.
    nothing = {**dict.fromkeys(FIELDS), "mode": "observed", "status": "refused"}
    values += [{**nothing, "code": code} for _, _, code in gone]
    if not values:
        return 0
    # For a day that is over they hold from its last moment on.
    since = at.instant - timedelta(microseconds=1) if at.on < crm.as_of().on else None
    written = crm.store.records.put(
        PREFERENCE, source=SOURCE, refs=[*refs, *(ref for ref, _, _ in gone)],
        owners=[*(guest for guest, _ in rows), *(owner for _, owner, _ in gone)],
        values={name: [row[name] for row in values] for name in FIELDS}, tx=tx,
        effective=[since] * len(values) if since else None,
    )  # fmt: skip
    return sum(bool(outcome) for outcome in written.outcomes)


FIELDS = (
    "code", "value", "note", "strength", "mode", "status", "scope", "purpose", "touchpoint", "staff",
    "observed_on", "last_confirmed_on", "fresh_until", "n_for", "n_against", "weight_for",
    "weight_against", "weighed_on", "confidence", "fades", "contradicted", "sensitive", "share",
)  # fmt: skip


def _values(belief: Belief, on: date) -> dict[str, Any]:
    code = catalogue()[belief.code]
    fades = code.fades and belief.strength != AVOID
    last = belief.last_confirmed_on
    return {
        "code": belief.code, "value": belief.value, "note": belief.note,
        "strength": belief.strength, "mode": belief.mode, "status": belief.status,
        "scope": belief.scope, "purpose": belief.purpose,
        "touchpoint": belief.touchpoint or None, "staff": belief.staff or None,
        "observed_on": belief.observed_on, "last_confirmed_on": last,
        "fresh_until": last + timedelta(days=STALE_DAYS) if last and fades else None,
        "n_for": belief.n_for, "n_against": belief.n_against, "weight_for": belief.weight_for,
        "weight_against": belief.weight_against, "weighed_on": on,
        "confidence": belief.confidence, "fades": fades, "contradicted": belief.contradicted,
        "sensitive": code.sensitive, "share": belief.share,
    }  # fmt: skip


def _ref(guest: int, belief: Belief) -> str:
    """A key that tells beliefs apart and says nothing: it stays when the value is deleted."""
    parts = "\0".join((belief.code, belief.value or "", belief.purpose, belief.scope))
    return f"{guest}:{hashlib.blake2b(parts.encode(), digest_size=8).hexdigest()}"
