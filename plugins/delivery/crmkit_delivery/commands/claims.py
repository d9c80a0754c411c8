"""``crmkit claim``: from the complaint to the settlement, on one thread of the customer's timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import define, field

from crmkit.columns import CUSTOMER, amount, instant, items, text
from crmkit.declarations import Answer, Command, Parameter
from crmkit.entities import FieldType, Money, NewInteraction
from crmkit.errors import NotPermitted, UsageError

from ..claims import (
    ARRIVED,
    KIND,
    MISSING,
    OF_GOODS,
    claim_amount,
    evidence_missing,
    local_day,
    rule_for,
    time_bar,
)
from ..data import CLAIM, SHIPPER, TRACKING, WAYBILL
from ..posting import LEDGER, ClaimCase, Settlement
from ..tracking import standing

if TYPE_CHECKING:
    from crmkit.workspace import Crm

T = FieldType
SOURCE = "crmkit"
# Cases that the rule delivery.open-claim has opened, and the kinds of claims that these may become.
OPENED_BY_RULE = "rule.delivery.open-claim"
OF_DAMAGE = ("damage", "part_loss")
ENDED = ("rejected", "paid", "closed", "withdrawn")
GRANTED = ("approved", "partly_approved", "paid", "closed")
KINDS = (
    "loss", "damage", "part_loss", "delay", "wrong_delivery", "overcharge", "cod_not_remitted",
)  # fmt: skip


@define
class _Open:
    """A claim inside one write: its record, its waybill, its case, and what goes with them."""

    crm: Crm
    tx: Any
    claim: Any
    waybill: Any
    change: Any
    case: Any
    values: dict[str, Any] = field(factory=dict)

    def move(self, state: str, what: str, note: str = "") -> None:
        """Moves the case with its clocks; the record follows."""
        self.change.move(self.case, (state,), what=what, note=note)
        self.values["state"] = state

    def say(self, kind: str, direction: str, text: str, **payload: Any) -> None:
        """Shows it on the timeline of customer and waybill."""
        said = {"claim": self.claim.ref, "kind": self.claim.values["kind"], "text": text, **payload}
        self.crm.store.interactions.log(
            [
                NewInteraction(
                    kind=f"delivery.{kind}", occurred_at=self.tx.at,
                    customer_id=self.waybill.owner_id, subject_id=self.waybill.id,
                    direction=direction, channel=None if direction == "none" else "letter",
                    payload={k: v for k, v in said.items() if v is not None},
                )
            ],
            tx=self.tx,
        )  # fmt: skip

    def pay(self, minor: int) -> None:
        """Posts that an amount was paid out."""
        posting = Settlement(
            customer_id=self.waybill.owner_id, amount=-minor, kind="burn",
            reference=f"{self.claim.ref}:paid", reason="paid out",
        )  # fmt: skip
        self.crm.service("ledger.accounts").post(LEDGER, [posting], tx=self.tx)

    def grant(self, minor: int, reason: str) -> None:
        """Posts what a decision grants beyond what earlier decisions on the claim have granted.

        Raises:
            UsageError: if the balance does not cover what is taken off again.
        """
        due = Settlement(
            customer_id=self.waybill.owner_id, amount=minor, kind="earn",
            reference=f"{self.claim.ref}:approved", reason=reason,
        )  # fmt: skip
        _, refused = self.crm.service("ledger.accounts").settle(LEDGER, [due], tx=self.tx)
        if refused:
            raise UsageError(f"claim {self.claim.ref}: {refused[0].why}", code="E_BALANCE")

    def check_missing(self) -> None:
        """Refuses to settle as lost what has arrived, or was seen since the claim was filed.

        Raises:
            UsageError: naming where it was seen last.
        """
        if self.claim.values["kind"] != "loss":
            return
        now = standing(self.crm, self.waybill.id, self.tx.at, self.tx)
        seen = now.seen_at is not None and now.seen_at > self.claim.values["filed_at"]
        if now.status in MISSING or not (seen or now.status in ARRIVED):
            return
        raise UsageError(
            f"claim {self.claim.ref} is of a loss, and waybill {self.waybill.ref} is {now.status} "
            f"since it was scanned at {now.seen_at:%Y-%m-%dT%H:%M:%SZ}.",
            hint=f"Withdraw it (crmkit claim withdraw {self.claim.ref}) or, if the shipment is missing, "
            f"file that: crmkit waybill scan {self.waybill.ref} "
            f"{'disputed' if now.status == 'delivered' else 'lost'}.",
        )


@contextmanager
def _opened(crm: Crm, claim: str, what: str) -> Iterator[_Open]:
    """A claim to be changed, all in one transaction."""
    found = crm.store.records.find(CLAIM, claim)
    with crm.store.begin(f"claim {what}") as tx:
        waybill = crm.store.records.get(WAYBILL, found.owner_id or 0, tx=tx)
        with crm.service("service.cases").change([found.values["case"]], what, tx=tx) as change:
            case = change.find(found.values["case"])
            opened = _Open(crm, tx, found, waybill, change, case)
            yield opened
        crm.store.records.set(
            CLAIM, source=found.source, ref=found.ref, values=opened.values, version=found.version,
            tx=tx,
        )  # fmt: skip


def file_claim(
    crm: Crm, waybill: str, kind: str, loss: Money, share: float | None, evidence: tuple[str, ...],
    accept_late: bool, party: str | None,
) -> Answer:  # fmt: skip
    """Files a claim and opens its case."""
    record = crm.store.records.find(WAYBILL, waybill)
    customer = record.owner_id or 0  # waybills have an owner, always
    now = crm.clock()
    tracked = crm.store.records.list(TRACKING, where={"owner_id": record.id})
    delivered = tracked[0].values.get("delivered_at") if tracked else None
    rule = rule_for(crm, _tier(crm, record.owner_id), kind, loss.currency)
    late = time_bar(
        rule, local_day(crm, now) or now.date(), local_day(crm, delivered),
        record.values.get("promise_on"),
    )  # fmt: skip
    if late is not None and not accept_late:
        raise UsageError(f"waybill {record.ref}: {late}.", hint="Take it with --accept-late.")
    earlier = crm.store.records.read(CLAIM, ("ref", "kind", "state"), where={"owner_id": record.id})
    for other, of, state in earlier:
        if state in ENDED:
            continue
        if of == kind:
            raise UsageError(
                f"waybill {record.ref} has the claim {other} of {kind} already.",
                hint=f"Add to it: crmkit claim add {other}.",
            )
        if "loss" in (of, kind) and {of, kind} <= set(OF_GOODS):
            raise UsageError(
                f"waybill {record.ref} has the claim {other} of {of}: a shipment cannot be lost and "
                "have arrived.",
                hint=f"Decide that claim first, or withdraw it: crmkit claim withdraw {other}.",
            )
    number = 1 + len(earlier)
    ref = f"{record.ref}-{number}"
    missing = evidence_missing(kind, evidence)
    abroad = record.values.get("scope") == "international"
    about = {
        "topic": kind, "subject_type": WAYBILL, "subject_ref": record.ref,
        "headline": f"{kind} of {record.ref}",
    }  # fmt: skip
    with crm.store.begin("claim file") as tx:
        cases = crm.service("service.cases")
        key = _waiting(crm, record.id, kind, tx)
        if key is None:
            case = ClaimCase(
                customer_id=customer, kind=KIND, source=SOURCE, ref=f"claim-{ref}",
                values={**about, "severity": "S3" if abroad else "S2", "channel": "phone"},
            )  # fmt: skip
            (key,) = cases.open([case], tx=tx)
        with cases.change([key], "claim file", tx=tx) as change:
            found = change.find(key)
            found.values.update(about)
            change.move(found, ("submitted",), what="submit")
        crm.store.records.set(
            CLAIM, source=SOURCE, ref=ref, owner_id=record.id, tx=tx,
            values={
                "kind": kind, "state": "submitted", "claimed": loss, "proven_loss": loss,
                "share_damaged": 1.0 if share is None else share, "evidence": list(evidence),
                "filed_at": tx.at, "case": key, "cap_rule": rule.name,
                "liability_party": party or _responsible(crm, record.id),
            },
        )  # fmt: skip
        crm.store.interactions.log(
            [
                NewInteraction(
                    kind="delivery.claim_filed", occurred_at=tx.at, customer_id=customer,
                    subject_id=record.id, direction="in",
                    payload={"claim": ref, "kind": kind},
                )
            ],
            tx=tx,
        )  # fmt: skip
    said = [f"still needed: {', '.join(missing)}."] if missing else []
    return Answer(rows=[_row(crm, ref)], remarks=said)


def _waiting(crm: Crm, waybill_id: int, kind: str, tx: Any) -> str | None:
    """The case that rule D-R3 has opened for the customer, if the claim is of that damage.

    Its clocks have run since then, and it is not opened a second time.
    """
    if kind not in OF_DAMAGE:
        return None
    opened = crm.store.records.read(
        "service.case", ("ref",), where={"source": OPENED_BY_RULE, "is_open": True, "state": "draft"},
        sort=("opened_at",), tx=tx,
    )  # fmt: skip
    # The rule's cases are named by the waybill and the as-of at which it fired.
    mine = [ref for (ref,) in opened if ref.partition("@")[0] == str(waybill_id)]
    return f"{OPENED_BY_RULE}:{mine[0]}" if mine else None


def decide_claim(
    crm: Crm, claim: str, share: float | None, refund: bool, reject: str | None
) -> Answer:
    """Works the claim out and approves or rejects it; above the limit a second person decides."""
    said = []
    with _opened(crm, claim, "decide") as c:
        _begin(c)
        values = c.claim.values
        if reject is not None:
            c.values.update(
                decided_at=c.tx.at, decided_by=c.tx.actor, approved=None, freight_refund=None
            )
            c.move("rejected", "reject", reject)
            c.grant(0, "approval reversed")
            c.say("claim_decision", "out", reject, decision="rejected")
        else:
            missing = evidence_missing(values["kind"], values.get("evidence"))
            if missing:
                raise UsageError(
                    f"claim {c.claim.ref} lacks {', '.join(missing)}.",
                    hint="Ask for it: crmkit claim ask; add it: crmkit claim add.",
                )
            c.check_missing()
            owed = _owed(crm, c, share, refund)
            if owed.amount.minor == 0:
                raise UsageError(
                    f"nothing is owed for claim {c.claim.ref}: {owed.rule}.",
                    hint="Reject it: crmkit claim decide --reject REASON.",
                )
            c.values.update(
                approved=owed.amount, freight_refund=owed.freight, cap_rule=owed.rule,
                proposed_by=c.tx.actor,
                share_damaged=values.get("share_damaged") if share is None else share,
            )  # fmt: skip
            limit = c.change.rules.compensation_limit(c.case.clocks.kind)
            if owed.amount.minor > limit.minor:
                said.append(f"{owed.amount} is above {limit}: a second person approves it.")
                c.change.log(c.case, "propose", owed.rule, amount=owed.amount)
            else:
                _approve(c, owed.amount)
    return Answer(rows=[_row(crm, claim)], remarks=said)


def approve_claim(crm: Crm, claim: str) -> Answer:
    """Approves what another proposed."""
    with _opened(crm, claim, "approve") as c:
        values = c.claim.values
        if values["state"] != "investigating" or values.get("approved") is None:
            raise UsageError(f"claim {c.claim.ref} has no amount that waits for a second person.")
        if values["proposed_by"] == c.tx.actor:
            raise NotPermitted(
                f"claim {c.claim.ref}: a second person decides what {c.tx.actor} proposed."
            )
        c.check_missing()
        _approve(c, values["approved"])
    return Answer(rows=[_row(crm, claim)])


def pay_claim(crm: Crm, claim: str) -> Answer:
    """Pays what was approved."""
    with _opened(crm, claim, "pay") as c:
        money = c.claim.values.get("approved")
        c.move("paid", "pay")
        c.check_missing()
        c.values.update(paid=money, paid_at=c.tx.at)
        c.pay(money.minor)
        c.say("claim_decision", "out", f"{money} {money.currency} were paid", decision="paid")
    return Answer(rows=[_row(crm, claim)])


def _simple(state: str, what: str, words: str) -> Callable[..., Answer]:
    def run(crm: Crm, claim: str, note: str | None = None) -> Answer:
        with _opened(crm, claim, what) as c:
            if state == "info_needed":
                _begin(c)
            c.move(state, what, note or "")
            if state == "withdrawn":
                c.grant(0, "approval reversed")
            c.say("claim_decision", "out" if state == "info_needed" else "none", note or words,
                  decision=state)  # fmt: skip
        return Answer(rows=[_row(crm, claim)])

    return run


def add_evidence(crm: Crm, claim: str, evidence: tuple[str, ...]) -> Answer:
    """Files what was sent in."""
    with _opened(crm, claim, "add") as c:
        known = c.claim.values.get("evidence") or []
        c.values["evidence"] = [*known, *(one for one in evidence if one not in known)]
        if c.claim.values["state"] == "info_needed":
            c.move("investigating", "add", ", ".join(evidence))
    return Answer(rows=[_row(crm, claim)])


def _begin(c: _Open) -> None:
    state = c.claim.values["state"]
    for step in ("acknowledged", "investigating"):
        if state == "investigating":
            break
        if c.change.way(c.case, (step,)) is not None:
            c.move(step, "investigate")
            state = step


def _approve(c: _Open, money: Money) -> None:
    claimed = c.claim.values.get("claimed")
    whole = claimed is None or money.minor >= claimed.minor
    c.values.update(approved=money, decided_at=c.tx.at, decided_by=c.tx.actor)
    c.move("approved" if whole else "partly_approved", "approve")
    c.case.values.update(compensation=money, compensation_kind="payment")
    c.grant(money.minor, "claim approved")
    c.say("claim_decision", "out", f"{money} {money.currency} are approved", decision="approved")


def _owed(crm: Crm, c: _Open, share: float | None, refund: bool) -> Any:
    values, waybill = c.claim.values, c.waybill.values
    others = [
        approved.minor - (freight.minor if freight else 0)
        for ref, kind, state, approved, freight in crm.store.records.read(
            CLAIM, ("ref", "kind", "state", "approved", "freight_refund"),
            where={"owner_id": c.waybill.id}, tx=c.tx,
        )
        if {kind, values["kind"]} <= set(OF_GOODS) and ref != c.claim.ref and state in GRANTED
        and approved is not None
    ]  # fmt: skip
    return claim_amount(
        proven_loss=values["proven_loss"], declared=waybill.get("declared_value"),
        insured=waybill.get("insured_value"),
        share_damaged=values.get("share_damaged") or 1.0 if share is None else share,
        freight=waybill.get("price_quoted"), freight_refund=refund,
        settled=Money(sum(others), values["proven_loss"].currency) if others else None,
        weight_kg=waybill.get("weight_charged") or waybill.get("weight_actual"),
        rule=rule_for(
            crm, _tier(crm, c.waybill.owner_id), values["kind"], values["proven_loss"].currency
        ),
    )  # fmt: skip


def _tier(crm: Crm, customer_id: int | None) -> str | None:
    rows = crm.store.records.read(SHIPPER, ("price_tier",), where={"owner_id": customer_id})
    return rows[0][0] if rows else None


def _responsible(crm: Crm, waybill_id: int) -> str:
    """Who answers for it: the party of the latest incident, else the carrier (the brief, section 9)."""
    rows = crm.store.records.read(
        "delivery.incident", ("opened_at", "responsible"), where={"owner_id": waybill_id}
    )
    named = sorted((at, party) for at, party in rows if at and party)
    return named[-1][1] if named else "carrier"


def _row(crm: Crm, claim: str) -> dict[str, Any]:
    record = crm.store.records.find(CLAIM, claim)
    waybill = crm.store.records.get(WAYBILL, record.owner_id or 0)
    return {
        **record.values,
        "claim": record.ref,
        "waybill": waybill.ref,
        "customer_id": waybill.owner_id,
    }


COLUMNS = (
    text("claim", "Claim", "理赔单"), text("waybill", "Waybill", "运单号"), CUSTOMER,
    text("kind", "Kind", "类别"), text("state", "State", "状态"), amount("claimed", "Claimed", "索赔金额"),
    amount("approved", "Approved", "批准金额"), amount("paid", "Paid", "已付金额"),
    text("cap_rule", "Decided by the", "限额规则"), text("liability_party", "Borne by", "责任方"),
    items("evidence", "Evidence", "证据"), text("proposed_by", "Proposed by", "提出人"),
    text("decided_by", "Decided by", "决定人"), instant("decided_at", "Decided", "决定时间"),
    text("case", "Case", "工单"),
)  # fmt: skip
CLAIM_NO = Parameter(
    name="claim", type=T.TEXT, positional=True, required=True, title="Its key", title_zh="理赔单"
)
NOTE = Parameter(name="note", type=T.TEXT, title="What is said", title_zh="备注")
SHARE = Parameter(
    name="share", type=T.NUMBER, title="Share that is damaged, from 0 to 1", title_zh="损坏比例"
)
EVIDENCE = Parameter(
    name="evidence", type=T.TEXT, multiple=True, title="What was sent in", title_zh="证据",
    choices=("proof_of_value", "photos", "packaging_kept"),
)  # fmt: skip


def commands() -> list[Command]:
    """The verbs of claim."""
    steps = (
        ("acknowledge", "acknowledged", "acknowledged", "Acknowledge a claim."),
        ("ask", "info_needed", "more is needed", "Ask the customer for what is missing; the decision's clock stands."),
        ("appeal", "appealed", "appealed", "File an appeal, which is investigated anew."),
        ("withdraw", "withdrawn", "withdrawn", "Withdraw a claim."),
        ("close", "closed", "closed", "Close a claim that is paid or rejected."),
    )  # fmt: skip
    return [
        Command(
            name="claim file", run=file_claim, writes=True, single=True, columns=COLUMNS,
            help="File a claim on a waybill.\n\nOpens a case of the kind delivery.claim with its clocks. "
            "Refused after the time bar of the contract, unless it is accepted.",
            example="crmkit claim file W0000017 --kind damage --loss 80.00 --evidence photos",
            parameters=[
                Parameter(name="waybill", type=T.TEXT, positional=True, required=True, title="Its key", title_zh="运单号"),
                Parameter(name="kind", type=T.TEXT, required=True, choices=KINDS, title="What happened", title_zh="类别"),
                Parameter(name="loss", type=T.MONEY, required=True, title="Loss that is claimed", title_zh="损失"),
                SHARE, EVIDENCE,
                Parameter(name="accept_late", type=T.BOOLEAN, default=False, title="Take it after the time bar", title_zh="逾期受理"),
                Parameter(name="party", type=T.TEXT, title="Who bears it; else by the latest incident", title_zh="责任方",
                          choices=("carrier", "shipper", "consignee", "customs", "weather", "other")),
            ],
        ),
        Command(
            name="claim decide", run=decide_claim, writes=True, single=True, columns=COLUMNS,
            help="Work out what a claim is owed, and approve or reject it.\n\nmin(proven loss, declared or "
            "insured value) x share damaged + freight refund, capped by the contract where nothing is "
            "insured. Above the limit of delivery.claim in service.policy a second person approves.",
            example="crmkit claim decide W0000017-1 --share 0.5",
            parameters=[
                CLAIM_NO, SHARE,
                Parameter(name="refund", type=T.BOOLEAN, default=False, title="Give the freight back", title_zh="退运费"),
                Parameter(name="reject", type=T.TEXT, title="Reject it, with the reason in words", title_zh="拒绝理由"),
            ],
        ),
        Command(
            name="claim approve", run=approve_claim, writes=True, single=True, columns=COLUMNS,
            help="Approve, as a second person, what another proposed.",
            example="crmkit claim approve W0000017-1", parameters=[CLAIM_NO],
        ),
        Command(
            name="claim pay", run=pay_claim, writes=True, single=True, columns=COLUMNS,
            help="Pay an approved claim, by the ledger delivery.settlement.",
            example="crmkit claim pay W0000017-1", parameters=[CLAIM_NO],
        ),
        Command(
            name="claim add", run=add_evidence, writes=True, single=True, columns=COLUMNS,
            help="Add evidence to a claim; one that waited for it is investigated again.",
            example="crmkit claim add W0000017-1 --evidence photos", parameters=[CLAIM_NO, EVIDENCE],
        ),
        *(
            Command(
                name=f"claim {verb}", run=_simple(state, verb, words), writes=True, single=True,
                columns=COLUMNS, help=text_, example=f"crmkit claim {verb} W0000017-1",
                parameters=[CLAIM_NO, NOTE],
            )
            for verb, state, words, text_ in steps
        ),
    ]  # fmt: skip


__all__ = ["commands"]
