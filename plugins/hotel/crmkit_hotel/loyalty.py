"""Points and tiers: what a stay earns, missing stays, referrals, and the tiers of the club (H5).

Balances are kept by the built-in ``ledger``: a balance is the sum of its entries. Earning rules are
H-R11 and H-R13 of the hotel brief; the rates and thresholds are the house's to set, these are the
usual ones of large chains.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from crmkit.columns import CUSTOMER, integer, text
from crmkit.declarations import Answer, Command, Ledger, Parameter, Tier, TierScheme
from crmkit.entities import FieldType
from crmkit.errors import NotFound, UsageError

from .data import RESERVATION, STAY

if TYPE_CHECKING:
    from crmkit.entities.asof import AsOf
    from crmkit.workspace import Crm

T = FieldType
POINTS, CLUB = "hotel.points", "hotel.club"
CLAIM, REFERRAL = "hotel.claim", "hotel.referral"
PER_NIGHT = 500
MOST_ROOMS = 3
CLAIM_DAYS = 60
REFERRER_POINTS = 2000
BRIEF = "Hotel brief, section 7, rules H-R11 to H-R13"

LEDGER = Ledger(
    name=POINTS, unit="point", idle_months=24, title="Club points", title_zh="会员积分",
    source=f"{BRIEF}: 24 months without activity",
)  # fmt: skip
SCHEME = TierScheme(
    name=CLUB,
    title="Club",
    title_zh="会员俱乐部",
    tiers=(
        Tier(name="member", title="Member", title_zh="普通会员"),
        Tier(
            name="silver", title="Silver", title_zh="银卡",
            enter="hotel_nights_365d >= 10 OR hotel_stays_365d >= 5",
            keep="hotel_nights_365d >= 8 OR hotel_stays_365d >= 4",
            benefits=("check-out two hours later",),
        ),
        Tier(
            name="gold", title="Gold", title_zh="金卡", enter="hotel_nights_365d >= 25",
            keep="hotel_nights_365d >= 20",
            benefits=("check-out two hours later", "welcome amenity", "upgrade if one is free"),
        ),
        Tier(
            name="platinum", title="Platinum", title_zh="白金卡", enter="hotel_nights_365d >= 50",
            keep="hotel_nights_365d >= 40",
            benefits=(
                "check-out two hours later", "welcome amenity", "upgrade if one is free",
                "greeted by the manager",
            ),
        ),
    ),
    grace_days=90, soft_landing=True, rest_days=365,
    source=f"{BRIEF}: up at once, down after grace, one level a year",
)  # fmt: skip


def post_stays(crm: Crm, as_of: AsOf) -> Answer:
    """Posts what every stay earns, and the difference where a stay was corrected since (H-R11)."""
    past = as_of.on < crm.as_of().on
    # For a day that is over the entries are of its last moment, and later stays are left as they are.
    at = as_of.instant - timedelta(microseconds=1) if past else None
    due = [
        _posting(crm, stay, "stay", at)
        for stay in _stays(crm, as_of.on)
        if stay["points"] or not past
    ]
    posted, refused = crm.service("ledger.accounts").settle(POINTS, due)
    new = [p for p in posted if p.new]
    return Answer(
        rows=[{"stays": len(new), "points": sum(p.amount for p in new)}],
        remarks=[f"{r.posting.reference} is not posted: {r.why}" for r in refused],
    )


def _stays(crm: Crm, on: date, refs: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Stays with their guest, their reference in the ledger and what they have earned by a day.

    Args:
        refs: only those of these keys, of whatever system; None is all.
    """
    names = (
        "id",
        "source",
        "ref",
        "owner_id",
        "nights",
        "checked_in_on",
        "checked_out_on",
        "property",
    )
    among = {} if refs is None else {"ref": refs}
    rows = crm.store.records.read(STAY, names, among=among, sort=["id"])
    booked = {
        row[0]: row[1:]
        for row in crm.store.records.read(
            RESERVATION, ["id", "owner_id", "rooms"], among={"id": {row[3] for row in rows}}
        )
    }
    keys, out = set[str](), []
    for row in rows:
        stay = dict(zip(names, row, strict=True))
        stay["guest"], rooms = booked[stay["owner_id"]]
        # Two systems may count from 1: the stay that was here first has the plain key.
        key = stay["ref"] if stay["ref"] not in keys else f"{stay['source']}:{stay['ref']}"
        keys.add(key)
        stay["reference"], left = f"stay-{key}", stay["checked_out_on"]
        stay["points"] = 0
        if left is not None and left <= on:
            stay["points"] = PER_NIGHT * _nights(stay) * min(rooms or 1, MOST_ROOMS)
        out.append(stay)
    return out


def _nights(stay: Mapping[str, Any]) -> int:
    if stay["nights"] is not None or stay["checked_in_on"] is None:
        return stay["nights"] or 0
    return int((stay["checked_out_on"] - stay["checked_in_on"]).days)


def _posting(crm: Crm, stay: Mapping[str, Any], reason: str, at: datetime | None = None) -> Any:
    """Own room nights only, of at most three rooms."""
    return crm.service("ledger.accounts").posting(
        customer_id=stay["guest"],
        amount=stay["points"],
        reference=stay["reference"],
        reason=reason,
        at=at,
    )


def claim(crm: Crm, customer: str, reservation: str) -> Answer:
    """A stay that is missing on the guest's account: granted or refused with the reason."""
    store, today = crm.store, crm.as_of().on
    guest = store.customers.find(customer).id
    stay, why = _claimed(crm, guest, reservation, today)
    points = 0
    if why == "granted" and stay is not None:
        posted, refused = crm.service("ledger.accounts").settle(
            POINTS, [_posting(crm, stay, "claim")]
        )
        if refused:
            raise UsageError(f"{reservation} is not posted: {refused[0].why}")
        points = max(posted[0].amount, 0)
        why = "granted" if points else "already_posted"
    store.records.set(
        CLAIM, source="crmkit", ref=f"{guest}:{reservation}", owner_id=guest,
        values={
            "reservation": reservation, "filed_on": today, "points": points, "reason": why,
            "state": "granted" if why == "granted" else "refused",
            "stayed_on": stay and stay["checked_out_on"], "property": stay and stay["property"],
        },
    )  # fmt: skip
    return Answer(rows=[{"customer_id": guest, "reason": why, "points": points}])


def _claimed(
    crm: Crm, guest: int, reservation: str, today: date
) -> tuple[dict[str, Any] | None, str]:
    try:
        booked = crm.store.records.find(RESERVATION, reservation)
    except NotFound:
        return None, "not_found"
    refs = [
        ref for (ref,) in crm.store.records.read(STAY, ["ref"], among={"owner_id": [booked.id]})
    ]
    stay = next((s for s in _stays(crm, today, refs) if s["owner_id"] == booked.id), None)
    if stay is None or stay["checked_out_on"] is None:
        return None, "not_found"
    if crm.store.customers.survivors([booked.owner_id or 0]).get(booked.owner_id or 0) != guest:
        return stay, "not_own_stay"
    late = today > stay["checked_out_on"] + timedelta(days=CLAIM_DAYS)
    return stay, "late" if late else "granted"


def refer(crm: Crm, referrer: str, friend: str) -> Answer:
    """Notes who told a friend of the house; refers to oneself are refused at once (H-R13)."""
    store = crm.store
    teller, new = store.customers.find(referrer), store.customers.find(friend)
    why = _same(crm, teller, new)
    store.records.set(
        REFERRAL, source="crmkit", ref=str(new.id), owner_id=new.id,
        values={
            "referrer": str(teller.id), "registered_on": crm.as_of().on, "points": 0,
            "state": "refused" if why else "open", "refused_because": why,
        },
    )  # fmt: skip
    if why:
        raise UsageError(f"{friend} cannot be referred by {referrer}: {why.replace('_', ' ')}.", code="E_SELF_REFERRAL")  # fmt: skip
    return Answer(rows=[{"customer_id": teller.id, "state": "open", "points": 0}])


def _same(crm: Crm, one: Any, other: Any) -> str | None:
    if one.id == other.id:
        return "same_guest"
    places = [
        {p.value.strip().casefold() for p in who.contact_points if p.kind == "address"}
        for who in (one, other)
    ]
    if places[0] & places[1]:
        return "same_address"
    cards = [
        crm.store.customers.fields(who.id).get("hotel", {}).get("card_fingerprint")
        for who in (one, other)
    ]
    return "same_card" if cards[0] and cards[0] == cards[1] else None


def settle(crm: Crm) -> Answer:
    """Pays referrers whose friend has completed a first stay, not before (H-R13)."""
    store = crm.store
    waiting = store.records.read(
        REFERRAL, ["source", "ref", "owner_id", "referrer"], where={"state": "open"}
    )
    stayed = _completed(crm, [row[2] for row in waiting])
    accounts, rows, remarks = crm.service("ledger.accounts"), [], []
    for source, ref, friend, referrer in waiting:
        if friend not in stayed:
            continue
        own = source == "crmkit"
        try:
            # An imported referral has the referrer's key, one of ours the id.
            teller = int(referrer) if own else store.customers.find(referrer or "").id
        except UsageError as error:
            remarks.append(f"referral {source}:{ref} is not paid: {error}")
            continue
        posting = accounts.posting(
            customer_id=teller, amount=REFERRER_POINTS, reason="referral",
            reference=f"referral-{ref}" if own else f"referral-{source}:{ref}",
        )  # fmt: skip
        accounts.settle(POINTS, [posting])
        store.records.set(
            REFERRAL, source=source, ref=ref, values={"state": "paid", "points": REFERRER_POINTS}
        )
        rows.append({"customer_id": teller, "state": "paid", "points": REFERRER_POINTS})
    return Answer(rows=rows, remarks=remarks)


def _completed(crm: Crm, guests: Sequence[int]) -> set[int]:
    booked = dict(
        crm.store.records.read(RESERVATION, ["id", "owner_id"], among={"owner_id": guests})
    )
    rows = crm.store.records.read(STAY, ["owner_id", "checked_out_on"], among={"owner_id": booked})
    today = crm.as_of().on
    return {booked[stay] for stay, out in rows if out is not None and out <= today}


def commands() -> list[Command]:
    """The verbs of ``loyalty``."""
    points = integer("points", "Points", "积分", "point")
    who = Parameter(name="customer", type=T.TEXT, positional=True, required=True, title="Guest")
    return [
        Command(
            name="loyalty post", run=post_stays, single=True, writes=True, as_of=True, daily=True,
            help=f"Post the points of every stay that has ended, {PER_NIGHT} a night for at most {MOST_ROOMS} rooms; each stay once.\n\nWhere a stay was corrected since, the difference is posted. A stay that cannot be posted is named, and the others are. The daily run does it too.",
            example="crmkit loyalty post",
            columns=[integer("stays", "Stays", "入住", "stay"), points],
        ),
        Command(
            name="loyalty claim", run=claim, single=True, writes=True,
            help=f"Claim the points of a stay that is missing, up to {CLAIM_DAYS} days after it.\n\nIt is granted or refused with the reason: late, not_found, not_own_stay, already_posted.",
            example="crmkit loyalty claim G-1042 R-7001",
            parameters=[who, Parameter(name="reservation", type=T.TEXT, positional=True, required=True, title="Reservation, by its key")],
            columns=[CUSTOMER, text("reason", "Outcome", "结果"), points],
        ),
        Command(
            name="loyalty refer", run=refer, single=True, writes=True,
            help="Note that a guest told a friend of the house.\n\nPoints come after the friend's first completed stay; a referral of oneself, by guest, address or card, is refused.",
            example="crmkit loyalty refer G-1042 G-2001",
            parameters=[
                Parameter(name="referrer", type=T.TEXT, positional=True, required=True, title="Who told"),
                Parameter(name="friend", type=T.TEXT, positional=True, required=True, title="The new guest"),
            ],
            columns=[CUSTOMER, text("state", "State", "状态"), points],
        ),
        Command(
            name="loyalty settle", run=settle, writes=True,
            help=f"Pay {REFERRER_POINTS} points to referrers whose friend has completed a first stay.",
            example="crmkit loyalty settle",
            columns=[CUSTOMER, text("state", "State", "状态"), points],
        ),
    ]  # fmt: skip
