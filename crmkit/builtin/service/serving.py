"""Cases that rules ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crmkit.declarations import CUSTOMER, Firing, Served

from .cases import Cases, NewCase
from .records import CASE

if TYPE_CHECKING:
    from crmkit.store.store import Store, Tx


def open_cases(firings: Sequence[Firing], store: Store, tx: Tx) -> list[Served]:
    """Opens a case for each firing with action ``open_case``.

    The rule's target is the topic, or ``<case kind>:<topic>``. A rule that fires again while the
    case that it opened is still open opens no other one.
    """
    mine = [i for i, f in enumerate(firings) if f.action == "open_case"]
    owners = _customers(store, tx, [firings[i] for i in mine])
    new, places = [], []
    open_now = {
        (source, ref.rpartition("@")[0]): f"{source}:{ref}"
        for source, ref in store.records.read(
            CASE, ("source", "ref"), where={"is_open": True},
            among={"source": {f"rule.{firings[i].rule}" for i in mine}}, tx=tx,
        )
    }  # fmt: skip
    served = []
    for place in mine:
        fired = firings[place]
        owner = owners.get((fired.subject_type, fired.subject_id))
        if owner is None:
            continue  # a record without a customer: nobody to open a case for
        source, about = f"rule.{fired.rule}", str(fired.subject_id)
        if (source, about) in open_now:
            served.append(
                Served(firing=place, result=f"case {open_now[source, about]}, open before")
            )
            continue
        kind, _, topic = fired.target.rpartition(":")
        subject = None if fired.subject_type == CUSTOMER else fired.subject_type
        values = {
            "topic": topic,
            "headline": fired.message,
            "subject_type": subject,
            "channel": "system",
        }
        new.append(
            NewCase(
                customer_id=owner, kind=kind or "service.complaint", values=values, source=source,
                ref=f"{about}@{fired.as_of:%Y-%m-%dT%H:%M:%SZ}", by_customer=False,
            )
        )  # fmt: skip
        places.append(place)
    keys = Cases(store).open(new, tx=tx) if new else []
    served += [
        Served(firing=place, result=f"case {one.source}:{key}")
        for place, one, key in zip(places, new, keys, strict=True)
    ]
    return served


def _customers(store: Store, tx: Tx, firings: Sequence[Firing]) -> dict[tuple[str, int], int]:
    """The customer of each subject: itself, or the owner of the record."""
    found = {(CUSTOMER, f.subject_id): f.subject_id for f in firings if f.subject_type == CUSTOMER}
    for type_ in sorted({f.subject_type for f in firings if f.subject_type != CUSTOMER}):
        chain, owner = type_, store.catalog.record_types[type_].owner
        ids = {f.subject_id: f.subject_id for f in firings if f.subject_type == type_}
        while owner is not None:
            rows = store.records.read(chain, ("id", "owner_id"), among={"id": ids.values()}, tx=tx)
            above = {row[0]: row[1] for row in rows}
            ids = {subject: above[at] for subject, at in ids.items() if above.get(at) is not None}
            if owner == CUSTOMER:
                found.update({(type_, subject): customer for subject, customer in ids.items()})
                break
            chain, owner = owner, store.catalog.record_types[owner].owner
    return found
