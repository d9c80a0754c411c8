"""Tags of customers: since when, by whom, put on by people and by rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import frozen

from crmkit.declarations import CUSTOMER, Firing, Served

from .data import SOURCE, TAG

if TYPE_CHECKING:
    from crmkit.store.store import Store, Tx

READ = ("owner_id", "tag", "since", "added_by")


@frozen(kw_only=True)
class Tag:
    """A tag that a customer has, with when and by whom it was first put on."""

    customer_id: int
    tag: str
    since: datetime
    added_by: str | None


def add_tags(
    store: Store, wanted: Iterable[tuple[int, str, str]], tx: Tx, *, renew: bool = False
) -> int:
    """Tags customers; who has the tag keeps it with its since and by whom.

    Args:
        wanted: (customer id, tag, who tags); of several for one customer and tag the first counts.
        renew: True notes on tags that are there already that there is reason for them again now.

    Returns:
        How many tags are new.
    """
    first: dict[tuple[int, str], str] = {}
    for person, tag, by in wanted:
        first.setdefault((person, tag), by)
    held = {(t.customer_id, t.tag) for t in read_tags(store, {p for p, _ in first}, tx)}
    fresh = [(person, tag, by) for (person, tag), by in first.items() if (person, tag) not in held]
    if fresh:
        values: dict[str, Sequence[Any]] = {
            "tag": [tag for _, tag, _ in fresh], "since": [tx.at] * len(fresh),
            "added_by": [by for _, _, by in fresh],
            **dict.fromkeys(("renewed_at", "removed_at", "removed_by"), [None] * len(fresh)),
        }  # fmt: skip
        store.records.put(
            TAG, source=SOURCE, refs=[f"{person}:{tag}" for person, tag, _ in fresh],
            owners=[person for person, _, _ in fresh], values=values, tx=tx,
        )  # fmt: skip
    if renew:
        _renew(store, first.keys() & held, tx)
    return len(fresh)


def _renew(store: Store, held: Collection[tuple[int, str]], tx: Tx) -> None:
    members = store.customers.members({person for person, _ in held}, tx=tx)
    rows = store.records.read(
        TAG, ("ref", "owner_id", "tag"), where={"removed_at": None}, among={"owner_id": members},
        tx=tx,
    )  # fmt: skip
    again = [(ref, owner) for ref, owner, tag in rows if (members[owner], tag) in held]
    if again:
        store.records.put(
            TAG, source=SOURCE, refs=[ref for ref, _ in again], owners=[o for _, o in again],
            values={"renewed_at": [tx.at] * len(again)}, tx=tx,
        )  # fmt: skip


def remove_tag(store: Store, customer_id: int, tag: str, tx: Tx) -> bool:
    """Takes a tag off a customer and those merged into it; whether it had it."""
    members = store.customers.members([customer_id], tx=tx)
    rows = store.records.read(
        TAG, ("ref", "owner_id"), where={"tag": tag, "removed_at": None},
        among={"owner_id": members}, tx=tx,
    )  # fmt: skip
    if rows:
        gone = len(rows)
        store.records.put(
            TAG, source=SOURCE, refs=[r for r, _ in rows], owners=[o for _, o in rows],
            values={"removed_at": [tx.at] * gone, "removed_by": [tx.actor] * gone}, tx=tx,
        )  # fmt: skip
    return bool(rows)


def read_tags(store: Store, customers: Iterable[int], tx: Tx | None = None) -> list[Tag]:
    """The tags that customers have now, those of customers merged into them included."""
    members = store.customers.members(set(customers), tx=tx)
    rows = store.records.read(
        TAG, READ, where={"removed_at": None}, among={"owner_id": members}, sort=["since"], tx=tx
    )
    found: dict[tuple[int, str], Tag] = {}
    for owner, tag, since, by in rows:
        person = members[owner]
        found.setdefault((person, tag), Tag(customer_id=person, tag=tag, since=since, added_by=by))
    return list(found.values())


def serve_tags(firings: Sequence[Firing], store: Store, tx: Tx) -> list[Served]:
    """Tags the customers on whom a rule with the action ``tag`` fired."""
    mine = [(i, f) for i, f in enumerate(firings) if f.action == "tag"]
    if not mine:
        return []
    owners = _customers(store, [f for _, f in mine], tx)
    people = [owners.get((f.subject_type, f.subject_id)) for _, f in mine]
    wanted = [
        (person, firing.target, firing.rule)
        for (_, firing), person in zip(mine, people, strict=True)
        if person is not None
    ]
    add_tags(store, wanted, tx, renew=True)
    return [
        Served(firing=i, result=firing.target)
        for (i, firing), person in zip(mine, people, strict=True)
        if person is not None
    ]


def _customers(store: Store, firings: Sequence[Firing], tx: Tx) -> Mapping[tuple[str, int], int]:
    """The customer of each subject: itself, or whose record it is; for whom there is one."""
    by_type: defaultdict[str, set[int]] = defaultdict(set)
    for firing in firings:
        by_type[firing.subject_type].add(firing.subject_id)
    owners: dict[tuple[str, int], int] = {}
    for kind, ids in by_type.items():
        if kind == CUSTOMER:
            owners |= {(kind, i): i for i in ids}
        elif store.entity(kind).owner == CUSTOMER:
            rows = store.records.read(kind, ("id", "owner_id"), among={"id": ids}, tx=tx)
            owners |= {(kind, i): owner for i, owner in rows if owner is not None}
    survivors = store.customers.survivors(owners.values(), tx=tx)
    return {subject: survivors[person] for subject, person in owners.items() if person in survivors}
