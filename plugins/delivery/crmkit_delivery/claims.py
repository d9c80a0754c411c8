"""Claims: how much is owed, until when it may be filed, and how far a claim has come (W4, D-R9)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from attrs import frozen

from crmkit.declarations import CaseClock, CaseKind, Ledger, Lifecycle
from crmkit.entities import Money, Stage
from crmkit.errors import UsageError

from .data import COMPENSATION_RULE
from .posting import LEDGER
from .tables import compensation_rows

if TYPE_CHECKING:
    from crmkit.workspace import Crm

KIND = "delivery.claim"
# What happened to the goods: together such claims cannot come to more than the goods are worth.
OF_GOODS = ("loss", "damage", "part_loss", "wrong_delivery")
# A shipment is lost as long as nothing but these is known of it.
MISSING, ARRIVED = ("lost", "disputed", "disposed"), ("delivered", "returned")
NEEDED = ("proof_of_value", "photos", "packaging_kept")
FINAL = ("closed", "withdrawn")
# Kinds of which photos and the packaging tell nothing.
PAPER_KINDS = ("delay", "overcharge", "cod_not_remitted", "loss", "wrong_delivery")

STATES = (
    Stage("draft", "open", "Draft", "草稿"),
    Stage("submitted", "open", "Submitted", "已提交"),
    Stage("acknowledged", "open", "Acknowledged", "已受理"),
    Stage("investigating", "open", "Investigating", "调查中"),
    Stage("info_needed", "waiting", "Information needed", "待补材料"),
    Stage("approved", "open", "Approved", "已批准"),
    Stage("partly_approved", "open", "Partly approved", "部分批准"),
    Stage("rejected", "waiting", "Rejected", "已拒绝"),
    Stage("appealed", "open", "Appealed", "申诉中"),
    Stage("paid", "open", "Paid", "已支付"),
    Stage("closed", "done", "Closed", "已结案"),
    Stage("withdrawn", "failed", "Withdrawn", "已撤回"),
)
NEXT = {
    "draft": ("submitted", "withdrawn"),
    "submitted": ("acknowledged", "withdrawn"),
    "acknowledged": ("investigating", "withdrawn"),
    "investigating": ("info_needed", "approved", "partly_approved", "rejected", "withdrawn"),
    "info_needed": ("investigating", "withdrawn"),
    "approved": ("paid",),
    "partly_approved": ("paid", "appealed"),
    "rejected": ("appealed", "closed"),
    "appealed": ("investigating",),
    "paid": ("closed",),
}
LIFECYCLE = Lifecycle(
    name=KIND,
    subject="service.case",
    title="Claim",
    title_zh="理赔",
    stages=STATES,
    moves=[(here, there) for here, allowed in NEXT.items() for there in allowed],
)
DECIDED = ("approved", "partly_approved", "rejected")
# Of severity S2 are claims within a country, of S3 those abroad.
CASE_KIND = CaseKind(
    name=KIND,
    title="Claim",
    title_zh="理赔",
    lifecycle=KIND,
    severities=("S2", "S3"),
    severity="S2",
    severe=("S2",),
    implied=("submitted", "acknowledged"),
    clocks=(
        CaseClock(
            name="acknowledge", title="Acknowledge", title_zh="受理时限", targets={"": "24 h"},
            starts=("draft", "submitted"), stops=("acknowledged", "investigating", *DECIDED),
            cancels=("withdrawn",),
        ),
        CaseClock(
            name="decide", title="Decide", title_zh="决定时限",
            targets={"S2": "7 days", "S3": "30 days"}, starts=("draft", "submitted", "appealed"),
            stops=DECIDED, pauses=("info_needed",), cancels=("withdrawn",),
        ),
        CaseClock(
            name="pay", title="Pay", title_zh="支付时限", targets={"": "7 days"},
            starts=("approved", "partly_approved"), stops=("paid",), cancels=("withdrawn", "appealed"),
        ),
    ),
    verbs={
        "acknowledge": ("acknowledged",), "start": ("investigating",), "wait": ("info_needed",),
        "answer": (), "resolve": (), "close": ("closed",), "discard": ("withdrawn",),
    },
    opened_by=("delivery.damage_report", "delivery.claim_filed"),
    compensation_limit="500",
)  # fmt: skip
# The currency is the workspace's, which a declaration does not know.
SETTLEMENT = Ledger(
    name=LEDGER,
    unit="minor unit",
    title="Settlements of claims, and credits for missed drops",
    title_zh="理赔与补偿",
    source="Delivery brief, section 2.",
)


@frozen(kw_only=True)
class CompensationRule:
    """What a contract owes where nothing was insured, and until when it is asked for.

    Attributes:
        cap_per_kg: whole units of the currency for each kilogram charged; None has no such cap.
        currency: of the cap per kilogram; None is that of the claim.
        freight_multiple: times the freight; None has no such cap. Of both the higher holds.
        file_within_days: after the delivery, or of a loss after the promise.
    """

    tier: str
    kind: str
    cap_per_kg: Decimal | None
    freight_multiple: Decimal | None
    file_within_days: int
    currency: str | None = None

    @property
    def name(self) -> str:
        """As it is kept with a claim."""
        return f"{self.tier or 'standard'}/{self.kind or 'any'}"


@frozen(kw_only=True)
class Owed:
    """What a claim comes to.

    Attributes:
        amount: of the loss and the freight together. rule: which limit decided, in words.
    """

    amount: Money
    loss: Money
    freight: Money
    rule: str


def claim_amount(
    *, proven_loss: Money, declared: Money | None, insured: Money | None, share_damaged: float,
    freight: Money | None, freight_refund: bool, weight_kg: float | None, rule: CompensationRule,
    settled: Money | None = None,
) -> Owed:  # fmt: skip
    """min(proven loss, declared or insured value) x share damaged + freight refund.

    What is not insured is capped by the contract: by weight or a multiple of the freight, whichever
    is higher, after the share.

    Args:
        share_damaged: from 0 to 1; of a loss it is 1.
        freight_refund: whether the freight is given back.
        settled: what other claims on the same goods were approved for, without freight. The value
            and the cap hold for all of them together.

    Raises:
        UsageError: if amounts, or the cap per kilogram, are in different currencies.
    """
    currency = proven_loss.currency
    given = [m for m in (declared, insured, freight, settled) if m is not None]
    if any(m.currency != currency for m in given):
        raise UsageError("a claim and its waybill are in one currency.")
    value = insured or declared
    base = proven_loss if value is None or proven_loss.minor < value.minor else value
    words = "proven loss"
    if value is not None and value.minor < proven_loss.minor:
        words = "insured value" if insured else "declared value"
    loss = base.times(share_damaged, ROUND_HALF_UP)
    cap = _cap(rule, currency, weight_kg, freight) if insured is None else None
    if cap is not None and cap.minor < loss.minor:
        loss, words = cap, f"cap of {rule.name}"
    limits = [limit.minor for limit in (value, cap) if limit is not None]
    if settled is not None and limits and min(limits) - settled.minor < loss.minor:
        loss = Money(max(0, min(limits) - settled.minor), currency)
        words = "rest that other claims left"
    refund = freight if freight_refund and freight is not None else Money(0, currency)
    return Owed(amount=loss + refund, loss=loss, freight=refund, rule=words)


def _cap(
    rule: CompensationRule, currency: str, weight_kg: float | None, freight: Money | None
) -> Money | None:
    caps = []
    if rule.cap_per_kg is not None and weight_kg is not None:
        if rule.currency not in (None, currency):
            raise UsageError(
                f"the cap per kg of rule {rule.name} is in {rule.currency} and the claim in {currency}.",
                hint=f"Add a rule of compensation with a cap in {currency}.",
            )
        units = rule.cap_per_kg * Decimal(str(weight_kg))
        caps.append(Money.parse("1", currency).times(units, ROUND_HALF_UP))
    if rule.freight_multiple is not None and freight is not None:
        caps.append(freight.times(rule.freight_multiple, ROUND_HALF_UP))
    return max(caps, key=lambda cap: cap.minor, default=None)


def rule_for(crm: Crm, tier: str | None, kind: str, currency: str) -> CompensationRule:
    """The rule of a price tier and a kind of claim: the operator's own before those shipped.

    Of two that fit alike, the one with a cap in the currency of the claim holds.
    """
    names = ("tier", "kind", "cap_per_kg", "freight_multiple", "file_within_days")
    own = [
        CompensationRule(
            tier=row[0] or "", kind=row[1] or "",
            cap_per_kg=None if row[2] is None else row[2].decimal,
            currency=None if row[2] is None else row[2].currency,
            freight_multiple=None if row[3] is None else Decimal(str(row[3])),
            file_within_days=row[4],
        )
        for row in crm.store.records.read(COMPENSATION_RULE, names)
    ]  # fmt: skip
    shipped = [
        CompensationRule(
            tier=row["tier"], kind=row["kind"], cap_per_kg=_decimal(row["cap_per_kg"]),
            freight_multiple=_decimal(row["freight_multiple"]),
            file_within_days=int(row["file_within_days"]),
        )
        for row in compensation_rows()
    ]  # fmt: skip
    for rules in (own, shipped):
        fitting = [r for r in rules if r.tier in ("", tier) and r.kind in ("", kind)]
        if fitting:
            return max(
                fitting, key=lambda r: (r.tier != "", r.kind != "", r.currency in (None, currency))
            )
    raise UsageError(f"no compensation rule holds for a claim of {kind}.")


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def time_bar(
    rule: CompensationRule, filed: date, delivered: date | None, promised: date | None
) -> str | None:
    """Why a claim comes too late, or None: days count from the delivery, else from the promise."""
    start = delivered or promised
    if start is None:
        return None
    last = start + timedelta(days=rule.file_within_days)
    if filed <= last:
        return None
    return f"claims by {rule.name} are filed within {rule.file_within_days} days: by {last}"


def evidence_missing(kind: str, evidence: Any) -> list[str]:
    """What a claim still lacks: the proof of value, and of damage the photos and the packaging."""
    needed: tuple[str, ...] = NEEDED[:1] if kind in PAPER_KINDS else NEEDED
    if kind in ("delay", "overcharge", "cod_not_remitted"):
        needed = ()
    return [one for one in needed if one not in (evidence or ())]


def local_day(crm: Crm, at: datetime | None) -> date | None:
    """The local day of an instant."""
    return None if at is None else at.astimezone(crm.store.time_zone).date()
