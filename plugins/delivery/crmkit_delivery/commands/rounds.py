"""``crmkit round``: subscribers of rounds, which belong to the company and not to the courier."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import attrs

from crmkit.columns import CUSTOMER, amount, count, day, flag, instant, integer, text
from crmkit.declarations import Answer, Command, Parameter
from crmkit.entities import FieldType
from crmkit.errors import NotPermitted

from .. import rounds
from ..data import COURIER, REFUSAL, SUBSCRIPTION
from ..handover import hand_over, served_by

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


def run_book(crm: Crm, round: str | None, courier: str | None) -> Answer:
    """The book of a round."""
    check_courier(crm, "round book")
    where = {"ended_on": None} | ({} if round is None else {"round": round})
    names = (*BOOK, "previous_courier", "passes_on")
    found = crm.store.records.read(SUBSCRIPTION, names, where=where, sort=("round", "sequence_no"))
    today = crm.clock().astimezone(ZoneInfo(crm.settings.time_zone)).date()
    rows = []
    for one in found:
        row = dict(zip(names, one, strict=True))
        row |= {"subscription": row["ref"], "customer_id": row["owner_id"]}
        row["courier"] = served_by(row, today)
        if courier in (None, row["courier"]):
            rows.append(row)
    return Answer(rows=rows)


def run_pause(
    crm: Crm, subscription: str, start: date | None, until: date | None, reason: str | None
) -> Answer:
    """A pause."""
    return Answer(rows=[rounds.pause(crm, subscription, start or crm.as_of().on, until, reason)])


def run_resume(crm: Crm, subscription: str, on: date | None) -> Answer:
    """The end of a pause."""
    return Answer(rows=[rounds.resume(crm, subscription, on or crm.as_of().on)])


def run_called(crm: Crm, subscription: str, note: str | None) -> Answer:
    """A call."""
    return Answer(rows=[rounds.called(crm, subscription, note)])


def run_credit(crm: Crm, on: date | None) -> Answer:
    """Credits."""
    found = rounds.credit_missed(crm, on or crm.as_of().on)
    return Answer(
        rows=[
            {**row, "credit": str(row["credit"]), "currency": row["credit"].currency}
            for row in found
        ]
    )


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
            help="Write the book of a round: who gets what, in order of the round.\n\nRefused, and "
            "filed, to a courier whose access has ended.",
            example="crmkit round book --round R01",
            parameters=[_text("round", "Only this round", "路线"), _text("courier", "Only of this courier", "快递员")],
        ),
        Command(
            name="round pause", run=run_pause, writes=True, single=True, columns=STANDS,
            help="Pause a subscription, or extend its pause.", example="crmkit round pause S0007 --until 2026-05-01",
            parameters=[SUBSCRIBER, _day("start", "First day; today", "起"), _day("until", "First day on which it is brought again", "止"),
                        _text("reason", "Why", "原因")],
        ),
        Command(
            name="round resume", run=run_resume, writes=True, single=True, columns=STANDS,
            help="End the pause of a subscription.", example="crmkit round resume S0007",
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
            "\n\nBy the ledger delivery.settlement; a drop is credited once.",
            example="crmkit round credit",
            parameters=[_day("on", "Day up to which 30 days are looked back on; today", "截止日")],
            columns=[text("subscription", "Subscription", "订户编号"), CUSTOMER,
                     count("missed", "Missed drops", "漏送", "drop"), day("since", "Since", "起"),
                     amount("credit", "Credit", "补偿金额"), text("currency", "Currency", "币种")],
        ),
    ]  # fmt: skip
