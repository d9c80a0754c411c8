"""``crmkit waybill``: statuses, promises, and scans that a person makes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from crmkit.columns import CUSTOMER, amount, count, flag, instant, text
from crmkit.declarations import Answer, Command, Parameter
from crmkit.entities import FieldType
from crmkit.errors import UsageError

from .. import prices
from ..data import ANOMALY, SCAN, WAYBILL
from ..promise import PromiseEngine, make_promises
from ..status import check_ordered
from ..tables import statuses
from ..tracking import recompute, standing, void

if TYPE_CHECKING:
    from crmkit.workspace import Crm

T = FieldType
SOURCE = "crmkit"


def run_recompute(crm: Crm, full: bool) -> Answer:
    """Statuses from scans."""
    done = recompute(crm, full=full)
    return Answer(
        rows=[
            {
                "waybills": done.waybills, "scans": done.scans, "changed": done.changed,
                "anomalies": done.anomalies,
            }
        ]
    )  # fmt: skip


def run_promise(crm: Crm) -> Answer:
    """Promises for who has none."""
    made, lacking = make_promises(crm)
    said = (
        [f"{lacking} waybills have no product, no instant, or no rule; see docs."]
        if lacking
        else []
    )
    return Answer(rows=[{"made": made, "lacking": lacking}], remarks=said)


def run_quote(
    crm: Crm, product: str, at: datetime, scope: str | None, origin: str | None,
    destination: str | None, depot: str | None,
) -> Answer:  # fmt: skip
    """What would be promised."""
    found = PromiseEngine(crm).promise(product, scope, at, origin, destination, depot)
    if found is None:
        raise UsageError(f"no rule holds for {product}.", hint="Add a delivery.promise_rule.")
    return Answer(
        rows=[
            {
                "product": product, "promise_at": found.promise_at,
                "late_after_at": found.late_after_at, "rule": found.rule,
            }
        ]
    )  # fmt: skip


def run_show(crm: Crm, waybill: str) -> Answer:
    """Where a shipment is."""
    record = crm.store.records.find(WAYBILL, waybill)
    wrong = dict(
        crm.store.records.read(ANOMALY, ("scan_id", "kind"), where={"owner_id": record.id})
    )
    scans = crm.store.records.read(
        SCAN, ("id", "event_at", "status", "code", "place", "sequence", "ref"),
        where={"owner_id": record.id},
    )  # fmt: skip
    ordered = sorted(scans, key=lambda s: (s[1], s[5] or 0, s[0]))
    return Answer(
        rows=[
            {
                "waybill": record.ref, "customer_id": record.owner_id, "scan": ref, "event_at": at,
                "status": status, "code": code, "place": place,
                "anomaly": None if wrong.get(one) in (None, "none") else wrong[one],
            }
            for one, at, status, code, place, _, ref in ordered
        ]
    )  # fmt: skip


def run_scan(
    crm: Crm, waybill: str, status: str, at: datetime | None, place: str | None, reason: str | None,
    action: str | None, proof: str | None, relation: str | None,
) -> Answer:  # fmt: skip
    """A scan by a person, refused where it cannot follow the status at its instant."""
    record = crm.store.records.find(WAYBILL, waybill)
    event_at = at or crm.clock()
    if status in ("attempt_failed", "held") and not (reason and action):
        raise UsageError(
            f"{status} needs a reason and the action taken (UPU EMSEVT V3, EMH).",
            hint="Give --reason and --action.",
        )
    if status == "delivered" and proof in (None, "none") and _needs_proof(crm, record.values):
        raise UsageError(
            f"{record.ref}: a delivery of {record.values['product']} needs its proof.",
            hint="Give --proof signature, photo or code.",
        )
    with crm.store.begin("waybill scan") as tx:
        then = standing(crm, record.id, event_at, tx)
        check_ordered(then.status, status, then.came_from)
        ref = f"{record.ref}-{status}-{event_at:%Y%m%d%H%M%S}"
        again = crm.store.records.read(SCAN, ("ref",), where={"owner_id": record.id}, tx=tx)
        same = sum(known == ref or known.startswith(f"{ref}-") for (known,) in again)
        made = crm.store.records.set(
            SCAN, source=SOURCE, ref=f"{ref}-{same + 1}" if same else ref, owner_id=record.id,
            effective=event_at, tx=tx,
            values={
                "event_at": event_at, "recorded_at": tx.at, "status": status, "place": place,
                "reason": reason, "action": action, "pod_proof": proof, "pod_relation": relation,
                "operator": crm.actor,
            },
        )  # fmt: skip
    recompute(crm)
    return Answer(
        rows=[
            {
                "waybill": record.ref, "customer_id": record.owner_id, "scan": made.ref,
                "event_at": event_at, "status": status, "place": place, "code": None,
                "anomaly": None,
            }
        ]
    )  # fmt: skip


def run_void(crm: Crm, scan: str, reason: str) -> Answer:
    """A scan that counts no longer; the answer is the waybill's scans."""
    voided = void(crm, scan, reason)
    return run_show(crm, crm.store.records.get(WAYBILL, voided.owner_id).ref)


def run_price(crm: Crm, waybill: str) -> Answer:
    """What is billed, and why."""
    return Answer(rows=prices.lines_of(crm, waybill))


def run_explain(crm: Crm, waybill: str, note: str | None) -> Answer:
    """A price that was explained."""
    return Answer(rows=prices.explain(crm, waybill, note))


def _needs_proof(crm: Crm, waybill: dict[str, Any]) -> bool:
    """Whether the rule of the waybill's product asks for a proof of delivery."""
    at = waybill.get("pickup_from") or waybill.get("ordered_at")
    if waybill.get("product") is None or at is None:
        return False
    engine = PromiseEngine(crm)
    on = at.astimezone(engine.place(waybill.get("origin_zone")).zone).date()
    rule = engine.rule_for(waybill["product"], waybill.get("scope"), on)
    return rule is not None and rule.proof_required


def _text(name: str, title: str, title_zh: str, **more: Any) -> Parameter:
    return Parameter(name=name, type=T.TEXT, title=title, title_zh=title_zh, **more)


WAYBILL_NO = _text("waybill", "Its key", "运单号", positional=True, required=True)
SHOWN = (
    text("waybill", "Waybill", "运单号"),
    CUSTOMER,
    text("scan", "Scan", "扫描编号"),
    instant("event_at", "Happened", "发生时间"),
    text("status", "Status", "状态"),
    text("code", "Code", "代码"),
    text("place", "Place", "地点"),
    text("anomaly", "Anomaly", "异常"),
)


LINES = (
    text("waybill", "Waybill", "运单号"), CUSTOMER, text("line", "Line", "账单行"),
    amount("quoted", "Quoted", "报价"), amount("billed", "Billed", "账单金额"),
    flag("unclear", "Unclear", "价格不清"), flag("held", "Held", "暂扣"),
    instant("explained_at", "Explained", "解释时间"), text("words", "In words", "说明"),
)  # fmt: skip


def commands() -> list[Command]:
    """The verbs of waybill."""
    return [
        Command(
            name="waybill recompute", run=run_recompute, writes=True, single=True, daily=True,
            help="Compute the statuses of waybills from their scans.\n\nThe daily run does it too. Reads the scans of waybills "
            "that got one since the last pass, or of all with --full, and writes statuses, stages and "
            "anomalies that differ. Both come to the same.",
            example="crmkit waybill recompute",
            parameters=[Parameter(name="full", type=T.BOOLEAN, default=False,
                                  title="Every waybill, not only those with new scans", title_zh="全量")],
            columns=[count("waybills", "Waybills", "运单", "waybill"), count("scans", "Scans", "扫描", "scan"),
                     count("changed", "Changed", "变更", "waybill"),
                     count("anomalies", "Anomalies changed", "异常变更", "scan")],
        ),
        Command(
            name="waybill promise", run=run_promise, writes=True, single=True, daily=True,
            help="Give a promise to every waybill that has none.\n\nThe daily run does it too, before it "
            "computes statuses. By product, scope, cut-off and the "
            "calendars of origin and destination; a promise that was made keeps its rule and version.",
            example="crmkit waybill promise",
            columns=[count("made", "Promises made", "承诺数", "waybill"),
                     count("lacking", "Without a rule", "无规则", "waybill")],
        ),
        Command(
            name="waybill quote", run=run_quote, single=True,
            help="Say what would be promised for something collected at an instant.",
            example="crmkit waybill quote next_day 2026-03-30T16:30:00Z --destination NORTH",
            parameters=[
                _text("product", "Product", "产品", positional=True, required=True),
                Parameter(name="at", type=T.INSTANT, positional=True, required=True,
                          title="When it is collected", title_zh="取件时间"),
                _text("scope", "Scope", "范围"), _text("origin", "Zone of origin", "始发区"),
                _text("destination", "Zone of destination", "目的区"), _text("depot", "Depot of origin", "始发网点"),
            ],
            columns=[text("product", "Product", "产品"), instant("promise_at", "Promised", "承诺时间"),
                     instant("late_after_at", "Late after", "计晚时间"), text("rule", "Rule", "规则")],
        ),
        Command(
            name="waybill track", run=run_show, help="Show every scan of a waybill, in order of event time.",
            example="crmkit waybill track W0000017", parameters=[WAYBILL_NO], columns=SHOWN,
        ),
        Command(
            name="waybill price", run=run_price, columns=LINES,
            help="Say in words what a waybill's invoice lines consist of: weight, zone, surcharge, "
            "discount.\n\nAn unclear line is off its quote by more than 1 % or has a surcharge without "
            "a reason; rule D-R5 holds it until it is explained.",
            example="crmkit waybill price W0000017", parameters=[WAYBILL_NO],
        ),
        Command(
            name="waybill explain", run=run_explain, writes=True, columns=LINES,
            help="File that the price was explained to the customer, and let held lines go.\n\nIt stands "
            "on the timeline with the words or the note.",
            example="crmkit waybill explain W0000017 --note \"volumetric weight, 6.2 kg\"",
            parameters=[WAYBILL_NO, _text("note", "What was said", "备注")],
        ),
        Command(
            name="waybill scan", run=run_scan, writes=True, single=True,
            help="File a scan by hand.\n\nRefused, with what is allowed, if it cannot follow the status "
            "at that instant, lies in the future, or is a delivery without the proof that the product "
            "requires. Scans from files that cannot follow are taken and flagged.",
            example="crmkit waybill scan W0000017 delivered --proof signature --relation addressee",
            parameters=[
                WAYBILL_NO,
                _text("status", "Status", "状态", positional=True, required=True,
                      choices=tuple(s.name for s in statuses())),
                Parameter(name="at", type=T.INSTANT, title="When it happened; now", title_zh="发生时间"),
                _text("place", "Depot or hub", "地点"), _text("reason", "Reason code", "原因"),
                _text("action", "Action taken", "措施"), _text("proof", "Proof of delivery", "凭证"),
                _text("relation", "Who received it", "签收人身份"),
            ],
            columns=SHOWN,
        ),
        Command(
            name="waybill void", run=run_void, writes=True, columns=SHOWN,
            help="Void a scan that should not have been made.\n\nIt is kept and shown as voided, and no "
            "longer counts for the status. Reports as of an earlier instant do not change.",
            example="crmkit waybill void W0000017-delivered-20260330141500 --reason \"wrong parcel\"",
            parameters=[
                _text("scan", "Its key, as waybill track shows it", "扫描编号", positional=True, required=True),
                _text("reason", "Why", "原因", required=True),
            ],
        ),
    ]  # fmt: skip
