"""``crmkit round``: subscribers of rounds, which belong to the company and not to the courier."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import attrs

from crmkit.columns import CUSTOMER, amount, count, day, flag, instant, integer, text
from crmkit.declarations import Answer, Command, Parameter
from crmkit.entities import FieldType
from crmkit.errors import NotPermitted

from .. import rounds
from ..data import COURIER, REFUSAL, ROUND, SUBSCRIPTION
from ..handover import hand_over, local_today, served_by

if TYPE_CHECKING:
    from crmkit.workspace import Crm

T = FieldType
BOOK = (
    "ref", "owner_id", "round", "courier", "sequence_no", "product", "quantity", "address",
    "paused_from", "paused_to", "handed_over_on",
)  # fmt: skip


def check_courier(crm: Crm, what: str) -> None:
    """Refuses a courier whose access has ended, and files it.

    Raises:
        NotPermitted: naming the instant at which it ended.
    """
    found = crm.store.records.list(COURIER, where={"code": crm.actor})
    ended = found[0].values.get("access_ended_at") if found else None
    now = crm.clock()
    if ended is None or ended > now:
        return
    with crm.store.begin("round refused") as tx:
        crm.store.records.set(
            REFUSAL, source="crmkit", ref=f"{crm.actor}-{tx.id}", tx=tx,
            values={"who": crm.actor, "what": what, "refused_at": now,
                    "why": f"access ended at {ended:%Y-%m-%dT%H:%M:%SZ}"},
        )  # fmt: skip
    raise NotPermitted(
        f"{crm.actor} has no access since {ended:%Y-%m-%dT%H:%M:%SZ}: {what} is refused, and this "
        "was filed.",
        code="E_AGENT_LEFT",
    )


def run_handover(
    crm: Crm, from_courier: str, to: str, round: str | None, last_day: date | None, leaving: bool
) -> Answer:
    """Everything of a courier, or one round."""
    check_courier(crm, "round handover")
    done = hand_over(crm, from_courier, to, round_=round, last_day=last_day, leaving=leaving)
    total = sum(one.subscribers for one in done)
    said = [f"call each of the {total} subscribers within 14 days: list round-calls."]
    if leaving:
        ends_at = done[0].access_ends_at
        since = "now" if done[0].access_ended else f"{ends_at:%Y-%m-%dT%H:%M:%SZ}"
        said.append(f"{from_courier} is shown and exported nothing from {since} on.")
    return Answer(rows=[attrs.asdict(one) for one in done], remarks=said)


def run_book(crm: Crm, round: str | None, courier: str | None, on: date | None) -> Answer:
    """The book of a round on a day."""
    check_courier(crm, "round book")
    read = crm.store.records
    for type_, named in ((ROUND, round), (COURIER, courier)):
        if named is not None:
            read.find(type_, named)
    names = (*BOOK, "previous_courier", "passes_on", "started_on", "ended_on", "days")
    where = {} if round is None else {"round": round}
    day = on or local_today(crm)
    rows = []
    for one in read.read(SUBSCRIPTION, names, where=where, sort=("round", "sequence_no")):
        row = dict(zip(names, one, strict=True))
        row |= {"subscription": row["ref"], "customer_id": row["owner_id"]}
        row["courier"] = served_by(row, day)
        if courier in (None, row["courier"]) and rounds.is_brought(row, day):
            rows.append(row)
    return Answer(rows=rows)


def run_pause(
    crm: Crm, subscription: str, start: date | None, until: date | None, reason: str | None
) -> Answer:
    """A pause."""
    return Answer(rows=[rounds.pause(crm, subscription, start, until, reason)])


def run_resume(crm: Crm, subscription: str, on: date | None) -> Answer:
    """The end of a pause."""
    return Answer(rows=[rounds.resume(crm, subscription, on or local_today(crm))])


def run_called(crm: Crm, subscription: str, note: str | None) -> Answer:
    """A call."""
    return Answer(rows=[rounds.called(crm, subscription, note)])


def run_credit(crm: Crm, on: date | None) -> Answer:
    """Credits."""
    found, refused = rounds.credit_missed(crm, on or local_today(crm))
    rows = [
        {**row, "credit": str(row["credit"]), "posted": str(row["posted"]),
         "currency": row["credit"].currency}
        for row in found
    ]  # fmt: skip
    return Answer(rows=rows, remarks=refused)


def _text(name: str, title: str, title_zh: str, **more: Any) -> Parameter:
    return Parameter(name=name, type=T.TEXT, title=title, title_zh=title_zh, **more)


def _day(name: str, title: str, title_zh: str) -> Parameter:
    return Parameter(name=name, type=T.DATE, title=title, title_zh=title_zh)


SUBSCRIBER = _text("subscription", "Its key", "订户编号", positional=True, required=True)
STANDS = (
    text("subscription", "Subscription", "订户编号"), CUSTOMER, text("round", "Round", "路线"),
    text("courier", "Served by", "快递员"), day("paused_from", "Paused from", "暂停起"),
    day("paused_to", "Paused until", "暂停止"), integer("pause_extensions", "Extensions", "延期次数"),
    instant("called_at", "Called", "回访时间"),
)  # fmt: skip
LISTED = (
    text("subscription", "Subscription", "订户编号"), CUSTOMER, text("round", "Round", "路线"),
    text("courier", "Served by", "快递员"), integer("sequence_no", "Place", "序号"),
    text("product", "Product", "产品"), count("quantity", "Quantity", "数量", "piece"),
    text("address", "Address", "地址"), day("paused_from", "Paused from", "暂停起"),
    day("paused_to", "Paused until", "暂停止"), day("handed_over_on", "Handed over", "交接日期"),
)  # fmt: skip


def commands() -> list[Command]:
    """The verbs of round."""
    return [
        Command(
            name="round handover", run=run_handover, writes=True,
            help="Pass the subscribers of a courier to another, all in one step.\n\nEach gets a letter, "
            "and the assignments are dated: until --last-day the round stays with who hands it over. "
            "With --leaving the courier's access and exports end with that day, or at once without "
            "--last-day. A kill in between changes nothing.",
            example="crmkit round handover C07 --to C12 --leaving --last-day 2026-03-31",
            parameters=[
                Parameter(name="from_courier", type=T.TEXT, positional=True, required=True,
                          title="Who hands over", title_zh="原快递员"),
                _text("to", "Who takes over", "接替快递员", required=True),
                _text("round", "Only this round; else every round of the courier", "路线"),
                _day("last_day", "Last day on the round; today", "最后一天"),
                Parameter(name="leaving", type=T.BOOLEAN, default=False, title="Leaves the company",
                          title_zh="离职"),
            ],
            columns=[text("round", "Round", "路线"), text("from_courier", "From", "原快递员"),
                     text("to_courier", "To", "接替快递员"), day("last_day", "Last day", "最后一天"), count("subscribers", "Subscribers", "订户", "subscriber"),
                     count("letters", "Letters", "通知", "letter"), flag("access_ended", "Access ended", "权限终止"), instant("access_ends_at", "Access ends", "权限终止时间")],
        ),
        Command(
            name="round book", run=run_book, columns=LISTED,
            help="Write the book of a round on a day: who gets what, in order of the round.\n\nLeft out "
            "are subscriptions that are paused, have ended or are not brought on that day of the week. "
            "Refused, and filed, to a courier whose access has ended.",
            example="crmkit round book --round R01 --on 2026-04-01",
            parameters=[_text("round", "Only this round", "路线"), _text("courier", "Only of this courier", "快递员"),
                        _day("on", "The day; today", "日期")],
        ),
        Command(
            name="round pause", run=run_pause, writes=True, single=True, columns=STANDS,
            help="Pause a subscription, or extend its pause.\n\nA subscription has one pause at a time, "
            "running or planned: days that touch it extend it, others are refused.", example="crmkit round pause S0007 --until 2026-05-01",
            parameters=[SUBSCRIBER, _day("start", "First day; that of the pause it extends, else today", "起"), _day("until", "First day on which it is brought again", "止"),
                        _text("reason", "Why", "原因")],
        ),
        Command(
            name="round resume", run=run_resume, writes=True, single=True, columns=STANDS,
            help="End the pause of a subscription.\n\nWith a later day it stays paused until then.", example="crmkit round resume S0007",
            parameters=[SUBSCRIBER, _day("on", "First day on which it is brought again; today", "恢复日")],
        ),
        Command(
            name="round called", run=run_called, writes=True, single=True, columns=STANDS,
            help="File that a subscriber was called after a hand-over.", example="crmkit round called S0007",
            parameters=[SUBSCRIBER, _text("note", "What was said", "备注")],
        ),
        Command(
            name="round credit", run=run_credit, writes=True,
            help="Credit the drops of everybody who missed a third one in 30 days, without being asked."
            "\n\nBy the ledger delivery.settlement; a drop is credited once, at the price and quantity of "
            "its day, and a drop of a day of a pause is not. A subscription that cannot be credited is named "
            "and stops no other.",
            example="crmkit round credit",
            parameters=[_day("on", "Day up to which 30 days are looked back on; today", "截止日")],
            columns=[text("subscription", "Subscription", "订户编号"), CUSTOMER,
                     count("missed", "Missed drops", "漏送", "drop"), day("since", "Since", "起"),
                     amount("credit", "Credit", "补偿金额"), amount("posted", "Posted now", "本次入账"), text("currency", "Currency", "币种")],
        ),
    ]  # fmt: skip
