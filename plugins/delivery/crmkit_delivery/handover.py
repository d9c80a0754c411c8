"""The hand-over of a round: everything in one transaction, so that it happens whole or not at all (D-R13).

Subscribers belong to the company: no courier owns them, a courier is assigned to them. When one leaves,
all of theirs pass to another, each gets a letter, the assignments are dated, and the leaver's rights to
see and export anything end with the same commit.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from attrs import frozen

from crmkit.entities import NewInteraction
from crmkit.errors import NotFound, NotPermitted, UsageError

from .data import ASSIGNMENT, COURIER, ROUND, SUBSCRIPTION, SUBSCRIPTION_LETTER

if TYPE_CHECKING:
    from crmkit.workspace import Crm

SOURCE = "crmkit"
# Days within which each subscriber is called after a hand-over (the brief, D-R13).
CALL_WITHIN_DAYS = 14


@frozen(kw_only=True)
class HandedOver:
    """What a hand-over did: one for each round."""

    round: str
    from_courier: str
    to_courier: str
    subscribers: int
    letters: int
    access_ended: bool


def hand_over(
    crm: Crm, from_courier: str, to_courier: str, *, round_: str | None = None,
    last_day: date | None = None, leaving: bool = False,
) -> list[HandedOver]:  # fmt: skip
    """Passes the subscribers of a courier to another, in one transaction.

    Args:
        round_: only this round; None is every round of the courier, which leaving needs.
        last_day: the courier's last day on the round; None is today.
        leaving: whether the courier leaves the company: access and exports end with the commit.

    Raises:
        NotFound: for a courier or round that does not exist, or a courier without subscribers.
        NotPermitted: if the one who takes over has left.
        UsageError: if both are one, or one leaves but keeps a round.
    """
    if from_courier == to_courier:
        raise UsageError(f"{from_courier} cannot hand over to {to_courier}.")
    if leaving and round_ is not None:
        raise UsageError("who leaves hands over every round.", hint="Leave out --round.")
    store = crm.store
    today = crm.as_of().on
    day = last_day or today
    with store.begin("round handover") as tx:
        leaver = store.records.find(COURIER, from_courier, tx=tx)
        taker = store.records.find(COURIER, to_courier, tx=tx)
        gone = taker.values.get("left_on")
        if gone is not None and gone <= today:
            raise NotPermitted(f"courier {to_courier} left on {gone} and gets no round.")
        where: dict[str, Any] = {"courier": from_courier, "ended_on": None}
        if round_ is not None:
            store.records.find(ROUND, round_, tx=tx)
            where["round"] = round_
        rows = store.records.read(
            SUBSCRIPTION, ("id", "source", "ref", "owner_id", "round"), where=where, tx=tx
        )
        if not rows:
            raise NotFound("subscriber of courier", from_courier)
        for source in sorted({row[1] for row in rows}):
            mine = [row for row in rows if row[1] == source]
            size = len(mine)
            store.records.put(
                SUBSCRIPTION, source=source, refs=[row[2] for row in mine],
                owners=[row[3] for row in mine], tx=tx,
                values={
                    "courier": [to_courier] * size, "previous_courier": [from_courier] * size,
                    "handed_over_on": [day] * size, "called_at": [None] * size,
                },
            )  # fmt: skip
        store.interactions.log(
            [
                NewInteraction(
                    kind=SUBSCRIPTION_LETTER, occurred_at=tx.at, customer_id=row[3],
                    subject_id=row[0], channel="letter", direction="out",
                    payload={"round": row[4], "from_courier": from_courier, "courier": to_courier},
                )
                for row in rows
            ],
            tx=tx,
        )  # fmt: skip
        rounds = sorted({row[4] for row in rows})
        for name in rounds:
            _assign(crm, tx, name, from_courier, to_courier, day)
        if leaving:
            store.records.set(
                COURIER, source=leaver.source, ref=leaver.ref, tx=tx,
                values={"left_on": day, "access_ended_at": tx.at},
            )  # fmt: skip
            # Known to the whole program as away from today on: nothing is shown or exported.
            if from_courier not in crm.ownership.rows.left(today, tx=tx):
                crm.ownership.rows.change_agent(
                    from_courier, "left", today, f"round handover to {to_courier}", tx=tx
                )
    return [
        HandedOver(
            round=name, from_courier=from_courier, to_courier=to_courier,
            subscribers=sum(row[4] == name for row in rows),
            letters=sum(row[4] == name for row in rows), access_ended=leaving,
        )
        for name in rounds
    ]  # fmt: skip


def _assign(crm: Crm, tx: Any, name: str, leaver: str, taker: str, day: date) -> None:
    """Dates the assignments: one ends with the day, the other begins on the next."""
    found = crm.store.records.list(
        ASSIGNMENT, where={"round": name, "courier": leaver, "ends_on": None}, tx=tx
    )
    rate = None
    for record in found:
        rate = record.values.get("commission_rate")
        crm.store.records.set(
            ASSIGNMENT, source=record.source, ref=record.ref, values={"ends_on": day}, tx=tx
        )
    first = day + timedelta(days=1)
    crm.store.records.set(
        ASSIGNMENT, source=SOURCE, ref=f"{name}-{taker}-{first}", tx=tx,
        values={"round": name, "courier": taker, "starts_on": first, "ends_on": None,
                "commission_rate": rate},
    )  # fmt: skip
