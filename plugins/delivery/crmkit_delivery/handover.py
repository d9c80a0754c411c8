"""The hand-over of a round: everything in one transaction, so that it happens whole or not at all (D-R13).

Subscribers belong to the company: no courier owns them, a courier is assigned to them. When one leaves,
all of theirs pass to another, each gets a letter, the assignments are dated, and the leaver's rights to
see and export anything end with the same commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from attrs import frozen

from crmkit.entities import ContactRequest, NewInteraction
from crmkit.errors import CrmkitError, NotFound, NotPermitted, UsageError

from .data import ASSIGNMENT, COURIER, ROUND, SUBSCRIPTION, SUBSCRIPTION_LETTER

if TYPE_CHECKING:
    from crmkit.workspace import Crm

SOURCE = "crmkit"
# Known where the plugin contact is enabled.
POLICY = "contact.policy"
READ = ("id", "source", "ref", "owner_id", "round", "previous_courier", "passes_on", "ended_on")
# What a hand-over writes.
PASSED = ("courier", "previous_courier", "handed_over_on", "called_at", "passes_on")
# Days within which each subscriber is called after a hand-over (the brief, D-R13).
CALL_WITHIN_DAYS = 14


@frozen(kw_only=True)
class HandedOver:
    """What a hand-over did: one for each round.

    Attributes:
        last_day: the last day of the one who hands over; the other begins on the next.
        access_ended: whether the access of a leaver has ended by now.
        access_ends_at: when it ends or ended; None for who stays.
    """

    round: str
    from_courier: str
    to_courier: str
    last_day: date
    subscribers: int
    letters: int
    access_ended: bool
    access_ends_at: datetime | None


def hand_over(
    crm: Crm, from_courier: str, to_courier: str, *, round_: str | None = None,
    last_day: date | None = None, leaving: bool = False,
) -> list[HandedOver]:  # fmt: skip
    """Passes the subscribers of a courier to another, in one transaction.

    Args:
        round_: only this round; None is every round of the courier, which leaving needs.
        last_day: the courier's last day on the round; None is today, and then access ends at once.
        leaving: whether the courier leaves the company: access and exports end with the last day.

    Raises:
        NotFound: for a courier or round that does not exist, or a courier without subscribers.
        NotPermitted: if the one who takes over has left or is going to.
        UsageError: if both are one, one leaves but keeps a round or serves somebody after the last
            day, or the courier only takes over later and on or before the last day.
    """
    if from_courier == to_courier:
        raise UsageError(f"{from_courier} cannot hand over to {to_courier}.")
    if leaving and round_ is not None:
        raise UsageError("who leaves hands over every round.", hint="Leave out --round.")
    store = crm.store
    today = local_today(crm)
    day = last_day or today
    first_day = day + timedelta(days=1)
    with store.begin("round handover") as tx:
        leaver = store.records.find(COURIER, from_courier, tx=tx)
        taker = store.records.find(COURIER, to_courier, tx=tx)
        gone = taker.values.get("left_on")
        if gone is not None:
            word = "left" if gone < today else "leaves"
            raise NotPermitted(f"courier {to_courier} {word} on {gone} and gets no round.")
        where: dict[str, Any] = {"courier": from_courier}
        if round_ is not None:
            store.records.find(ROUND, round_, tx=tx)
            where["round"] = round_
        # Who has an end after the last day needs a courier until then.
        rows = [
            row for row in store.records.read(SUBSCRIPTION, READ, where=where, tx=tx)
            if row[7] is None or row[7] > day
        ]  # fmt: skip
        if not rows:
            raise _nobody(crm, from_courier, today, tx)
        passing = {
            row[0]: _passed(row, from_courier, to_courier, day, today, last_day) for row in rows
        }
        for source in sorted({row[1] for row in rows}):
            mine = [row for row in rows if row[1] == source]
            store.records.put(
                SUBSCRIPTION, source=source, refs=[row[2] for row in mine],
                owners=[row[3] for row in mine], tx=tx,
                values={name: [passing[row[0]][name] for row in mine] for name in PASSED},
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
        _count_letters(crm, rows, tx)
        rounds = sorted({row[4] for row in rows})
        for name in rounds:
            _assign(crm, tx, name, from_courier, to_courier, day)
        ends_at = None
        if leaving:
            _check_served(crm, from_courier, first_day, tx)
            ends_at = tx.at if last_day is None else access_end(crm, day, tx.at)
            store.records.set(
                COURIER, source=leaver.source, ref=leaver.ref, tx=tx,
                values={"left_on": day, "access_ended_at": ends_at},
            )  # fmt: skip
            # Known to the whole program as away from then on: nothing is shown or exported.
            away_from = today if ends_at <= tx.at else first_day
            if from_courier not in crm.ownership.rows.left(away_from, tx=tx):
                crm.ownership.rows.change_agent(
                    from_courier, "left", away_from, f"round handover to {to_courier}", tx=tx
                )
    return [
        HandedOver(
            round=name, from_courier=from_courier, to_courier=to_courier, last_day=day,
            subscribers=sum(row[4] == name for row in rows),
            letters=sum(row[4] == name for row in rows),
            access_ended=ends_at is not None and ends_at <= tx.at, access_ends_at=ends_at,
        )
        for name in rounds
    ]  # fmt: skip


def _passed(
    row: tuple[Any, ...], leaver: str, taker: str, day: date, today: date, last_day: date | None
) -> dict[str, Any]:
    """What a hand-over makes of a subscriber.

    Raises:
        UsageError: if the leaver takes over in time for serving until the last day: between three
            couriers a subscriber passes in two steps.
    """
    _, _, ref, _, _, before, passes_on, _ = row
    if passes_on is None or passes_on <= today:
        first = None if last_day is None else day + timedelta(days=1)
        return dict(zip(PASSED, (taker, leaver, day, None, first), strict=True))
    if passes_on <= day:
        raise UsageError(
            f"subscriber {ref} passes from {before} to {leaver} on {passes_on}, and serves until {day} "
            "after that.",
            hint=f"Hand over from {leaver} once that day has come, or name a last day before it.",
        )
    # The taker steps in for who has not begun; back to who serves, the hand-over is off.
    if taker == before:
        return dict(zip(PASSED, (taker, None, None, None, None), strict=True))
    ended = passes_on - timedelta(days=1)
    return dict(zip(PASSED, (taker, before, ended, None, passes_on), strict=True))


def _check_served(crm: Crm, leaver: str, first_day: date, tx: Any) -> None:
    """Refuses to let go a courier who serves, after the last day, up to an earlier hand-over."""
    rows = crm.store.records.read(
        SUBSCRIPTION, ("passes_on", "ref"), where={"previous_courier": leaver}, tx=tx
    )
    later = max((row for row in rows if row[0] is not None and row[0] > first_day), default=None)
    if later is not None:
        last = later[0] - timedelta(days=1)
        raise UsageError(
            f"{leaver} serves subscriber {later[1]} until {last}, by an earlier hand-over.",
            hint=f"Give --last-day {last} or a later one.",
        )


def _nobody(crm: Crm, courier: str, today: date, tx: Any) -> CrmkitError:
    """Why a courier has nobody to hand over."""
    rows = crm.store.records.read(
        SUBSCRIPTION, ("courier", "passes_on"), where={"previous_courier": courier}, tx=tx
    )
    later = sorted((on, taker) for taker, on in rows if on is not None and on > today)
    if not later:
        return NotFound("subscriber of courier", courier)
    on, taker = later[0]
    return UsageError(
        f"the subscribers of {courier} pass to {taker} on {on} already.",
        hint=f"To name another who takes over: crmkit round handover {taker} --to COURIER.",
    )


def _count_letters(crm: Crm, rows: Sequence[tuple[Any, ...]], tx: Any) -> None:
    """Tells the contact policy of the letters: a notice that nothing stops, and that counts."""
    if POLICY in crm.catalog.services:
        requests = [
            ContactRequest(customer_id=row[3], channel="letter", purpose="notice", at=tx.at)
            for row in rows
            if row[3] is not None
        ]
        crm.service(POLICY).log(requests, taken_by="round handover", tx=tx)


def access_end(crm: Crm, day: date, now: datetime) -> datetime:
    """The end of a last day in the workspace's time zone, or now if that is past."""
    zone = ZoneInfo(crm.settings.time_zone)
    end = datetime.combine(day + timedelta(days=1), time(0), zone).astimezone(UTC)
    return max(end, now)


def local_today(crm: Crm) -> date:
    """The day that it is in the workspace's time zone, from its first instant on."""
    return crm.clock().astimezone(crm.store.time_zone).date()


def served_by(row: Mapping[str, Any], on: date) -> str | None:
    """Who serves a subscriber on a day: up to the last day of the one who handed over, that one."""
    passes_on = row["passes_on"]
    served: str | None = row["courier"]
    if passes_on is not None and on < passes_on:
        served = row["previous_courier"]
    return served


def _assign(crm: Crm, tx: Any, name: str, leaver: str, taker: str, day: date) -> None:
    """Dates the assignments: one ends with the day, the other begins on the next."""
    found = crm.store.records.list(ASSIGNMENT, where={"round": name, "courier": leaver}, tx=tx)
    rate = None
    for record in found:
        ends, starts = record.values.get("ends_on"), record.values["starts_on"]
        if ends is not None and ends <= day:
            continue
        rate = record.values.get("commission_rate")
        # One that has not begun passes whole.
        changed = {"courier": taker} if starts > day else {"ends_on": day}
        crm.store.records.set(
            ASSIGNMENT, source=record.source, ref=record.ref, values=changed, tx=tx
        )
        if starts > day:
            return
    first = day + timedelta(days=1)
    crm.store.records.set(
        ASSIGNMENT, source=SOURCE, ref=f"{name}-{taker}-{first}", tx=tx,
        values={"round": name, "courier": taker, "starts_on": first, "ends_on": None,
                "commission_rate": rate},
    )  # fmt: skip
