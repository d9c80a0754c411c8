"""The verbs of ``crmkit ledger`` and ``crmkit tier``."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from crmkit.columns import CUSTOMER, day, instant, integer, text
from crmkit.declarations import Answer, Command, Parameter
from crmkit.entities import FieldType
from crmkit.entities.asof import AsOf

from .accounts import Posting
from .records import KINDS

if TYPE_CHECKING:
    from crmkit.workspace import Crm

    from .accounts import Accounts
    from .tiers import Tiers

T = FieldType
LEDGER = Parameter(
    name="ledger", type=T.TEXT, positional=True, required=True, title="Ledger", title_zh="账本"
)
WHOSE = Parameter(
    name="customer", type=T.TEXT, positional=True, required=True, title="Customer", title_zh="客户"
)
SCHEME = Parameter(
    name="scheme", type=T.TEXT, positional=True, required=True, title="Scheme", title_zh="等级方案"
)


AMOUNT = integer("amount", "Amount", "数额")
BALANCE = integer("balance", "Balance", "余额")


def _accounts(crm: Crm) -> Accounts:
    found: Accounts = crm.service("ledger.accounts")
    return found


def _tiers(crm: Crm) -> Tiers:
    found: Tiers = crm.service("ledger.tiers")
    return found


def list_ledgers(crm: Crm) -> Answer:
    """Every ledger that is declared."""
    return Answer(
        rows=[
            {
                "ledger": ledger.name, "title": ledger.title, "unit": ledger.unit,
                "expires_after_months": ledger.expires_after_months,
                "idle_months": ledger.idle_months,
            }
            for ledger in crm.catalog.ledgers.values()
        ]
    )  # fmt: skip


def post(
    crm: Crm, ledger: str, customer: str, amount: int, kind: str, reference: str | None,
    reason: str | None, expires_on: date | None,
) -> Answer:  # fmt: skip
    """One posting."""
    posting = Posting(
        customer_id=crm.store.customers.find(customer).id, amount=amount, kind=kind,
        reference=reference, reason=reason, expires_on=expires_on,
    )  # fmt: skip
    (posted,) = _accounts(crm).post(ledger, [posting])
    said = [] if posted.new else [f"{reference} was posted before; nothing was changed."]
    return Answer(rows=[_posted(posted)], remarks=said)


def transfer(
    crm: Crm, ledger: str, giver: str, taker: str, amount: int, reference: str | None
) -> Answer:
    """From one customer to another."""
    find = crm.store.customers.find
    both = _accounts(crm).transfer(
        ledger, find(giver).id, find(taker).id, amount, reference=reference
    )
    return Answer(rows=[_posted(posted) for posted in both])


def _posted(posted: Any) -> dict[str, Any]:
    return {
        "customer_id": posted.customer_id, "amount": posted.amount, "balance": posted.balance,
    }  # fmt: skip


def show(crm: Crm, ledger: str, customer: str) -> Answer:
    """A customer's entries."""
    return Answer(rows=_accounts(crm).statement(ledger, crm.store.customers.find(customer).id))


def expire(crm: Crm, ledger: str, on: date | None) -> Answer:
    """What can no longer be spent."""
    day = on or crm.as_of().on
    return Answer(rows=[_posted(posted) for posted in _accounts(crm).expire(ledger, day)])


def verify(crm: Crm, ledger: str) -> Answer:
    """Accounts that do not agree with their entries."""
    rows = _accounts(crm).unbalanced(ledger)
    return Answer(rows=rows, remarks=[] if rows else ["every balance is the sum of its entries."])


def review(crm: Crm, as_of: AsOf, scheme: str) -> Answer:
    """Everybody's tier."""
    return Answer(rows=_tiers(crm).review(scheme, as_of))


def list_standings(crm: Crm, scheme: str, tier: str | None) -> Answer:
    """Who stands where."""
    declared = _tiers(crm).scheme(scheme)
    names = [t.name for t in declared.tiers]
    rows = [
        {
            "customer_id": customer, "tier": names[found.rank], "since_on": found.since_on,
            "grace_until": found.grace_until, "lowered_on": found.lowered_on,
        }
        for customer, found in _tiers(crm).standings(scheme).items()
        if tier in (None, names[found.rank])
    ]  # fmt: skip
    return Answer(rows=rows)


def commands() -> list[Command]:
    """The commands of the ledger."""
    return [
        Command(
            name="ledger list", run=list_ledgers, help="List the ledgers.",
            example="crmkit ledger list",
            columns=[
                text("ledger", "Ledger", "账本"),
                text("title", "Title", "名称"),
                text("unit", "Unit", "单位"),
                integer("expires_after_months", "Expires after", "有效期", "month"),
                integer("idle_months", "Expires when idle for", "闲置失效", "month"),
            ],
        ),
        Command(
            name="ledger post", run=post, writes=True, single=True,
            help="Add to a customer's balance or take from it.\n\nThe amount is in the ledger's unit, of money in whole minor units; a negative one takes away. The same posting under the same reference is made once.",
            example="crmkit ledger post ledger.points C-1 --amount 120 --reference stay-4711",
            parameters=[
                LEDGER, WHOSE,
                Parameter(name="amount", type=T.INTEGER, required=True, title="Signed amount", title_zh="数额"),
                Parameter(name="kind", type=T.TEXT, choices=KINDS, default="earn", title="What it is", title_zh="类型"),
                Parameter(name="reference", type=T.TEXT, title="What it is for, unique in the ledger", title_zh="凭证号"),
                Parameter(name="reason", type=T.TEXT, title="Why, in the business's own words", title_zh="原因"),
                Parameter(name="expires_on", type=T.DATE, title="Last day on which it can be spent", title_zh="失效日"),
            ],
            columns=[CUSTOMER, AMOUNT, BALANCE],
        ),
        Command(
            name="ledger transfer", run=transfer, writes=True,
            help="Move an amount from one customer to another.",
            example="crmkit ledger transfer ledger.points C-1 C-2 --amount 50",
            parameters=[
                LEDGER,
                Parameter(name="giver", type=T.TEXT, positional=True, required=True, title="Giver", title_zh="转出客户"),
                Parameter(name="taker", type=T.TEXT, positional=True, required=True, title="Taker", title_zh="转入客户"),
                Parameter(name="amount", type=T.INTEGER, required=True, title="Amount", title_zh="数额"),
                Parameter(name="reference", type=T.TEXT, title="What it is for, unique in the ledger", title_zh="凭证号"),
            ],
            columns=[CUSTOMER, AMOUNT, BALANCE],
        ),
        Command(
            name="ledger show", run=show, help="Show a customer's entries, oldest first.",
            example="crmkit ledger show ledger.points C-1",
            parameters=[LEDGER, WHOSE],
            columns=[
                instant("at", "At", "时间"),
                text("kind", "Kind", "类型"),
                AMOUNT, BALANCE,
                text("reference", "Reference", "凭证号"),
                text("reason", "Reason", "原因"),
                day("expires_on", "Expires", "失效日"),
            ],
        ),
        Command(
            name="ledger expire", run=expire, writes=True,
            help="Take away what can no longer be spent.\n\nRunning it again for the same day does nothing.",
            example="crmkit ledger expire ledger.points --on 2026-03-31",
            parameters=[
                LEDGER,
                Parameter(name="on", type=T.DATE, title="Last day that is over; today if left out", title_zh="截止日"),
            ],
            columns=[CUSTOMER, AMOUNT, BALANCE],
        ),
        Command(
            name="ledger verify", run=verify,
            help="List accounts whose balance is not the sum of their entries.",
            example="crmkit ledger verify ledger.points",
            parameters=[LEDGER],
            columns=[
                CUSTOMER, BALANCE,
                integer("entries", "Entries", "分录数"),
                integer("sum", "Sum of entries", "分录合计"),
                integer("count", "Entries found", "实有分录数"),
            ],
        ),
        Command(
            name="tier review", run=review, writes=True, as_of=True,
            help="Review everybody in a tier scheme and show who moves.\n\nUp at once; down after grace. A second review of the same day changes nothing.",
            example="crmkit tier review hotel.club --as-of 2026-03-31",
            parameters=[SCHEME],
            columns=[
                CUSTOMER,
                text("move", "Move", "变动"),
                text("from_tier", "From", "原等级"),
                text("to_tier", "To", "现等级"),
                day("grace_until", "Kept in grace until", "宽限期至"),
            ],
        ),
        Command(
            name="tier list", run=list_standings, help="List who stands in which tier.",
            example="crmkit tier list hotel.club --tier gold",
            parameters=[
                SCHEME,
                Parameter(name="tier", type=T.TEXT, title="Only this tier", title_zh="仅此等级"),
            ],
            columns=[
                CUSTOMER,
                text("tier", "Tier", "等级"),
                day("since_on", "Since", "起始日"),
                day("grace_until", "Kept in grace until", "宽限期至"),
                day("lowered_on", "Last step down", "最近降级日"),
            ],
        ),
    ]  # fmt: skip
