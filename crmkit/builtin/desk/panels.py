"""The desk's own panels: what the store knows of every customer whatever the business."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crmkit.columns import amount, day, instant, text
from crmkit.declarations import Panel

if TYPE_CHECKING:
    from crmkit.workspace import Crm

# Nobody reads further back while somebody waits on the line.
LAST_CONTACTS = 5
EXPIRES_WITHIN = timedelta(days=90)
# What a rule asks for, most urgent first.
ACTIONS = ("alert", "open_case", "list", "propose_stage", "tag")


def panels() -> list[Panel]:
    """Four panels."""
    return [
        Panel(
            name="desk.who", title="Who", title_zh="客户", order=0, rows=_who,
            columns=(
                text("kind", "Kind", "类型"),
                text("contact", "Contact", "联系方式"),
                text("region", "Region", "地区"),
                text("owner", "Owner", "负责人"),
                instant("since", "Filed", "建档"),
            ),
            pii={"contact": "direct", "owner": "quasi"},
        ),
        Panel(
            name="desk.next", title="What to do next", title_zh="下一步", order=25, rows=_next,
            columns=(
                text("what", "What", "事项"),
                text("why", "Why", "原因"),
            ),
            pii={"why": "quasi"},
        ),
        Panel(
            name="desk.documents", title="Documents that end", title_zh="即将到期文件", order=45,
            rows=_documents,
            columns=(
                text("type", "Document", "文件"),
                day("expires_on", "Last day", "截止日"),
            ),
        ),
        Panel(
            name="desk.timeline", title="Last contacts", title_zh="最近联系", order=90, rows=_timeline,
            columns=(
                instant("at", "At", "时间"),
                text("what", "What", "事项"),
                text("channel", "Channel", "渠道"),
                amount("amount", "Amount", "金额"),
            ),
        ),
    ]  # fmt: skip


def _titled(crm: Crm, declared: Any, name: str) -> str:
    zh = crm.settings.language == "zh"
    return (declared and ((zh and declared.title_zh) or declared.title)) or name


def _who(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    for customer in map(crm.store.customers.get, customers):
        if customer.merged_into is None:
            points = ", ".join(point.value for point in customer.contact_points)
            yield {
                "customer_id": customer.id, "kind": customer.kind, "contact": points or None,
                "region": customer.region, "owner": customer.owner, "since": customer.created_at,
            }  # fmt: skip


def _next(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    fired = []
    for customer in customers:
        for outcome in crm.store.outcomes.for_subject(customer):
            rule = crm.catalog.rules.get(outcome.name)
            if outcome.kind == "rule" and rule is not None:
                fired.append((ACTIONS.index(rule.action), rule.name, customer, outcome.reasons))
    for _, name, customer, reasons in sorted(fired):
        rule = crm.catalog.rules[name]
        yield {
            "customer_id": customer, "what": _titled(crm, rule, name),
            "why": "; ".join(reasons) or None,
        }  # fmt: skip


def _documents(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    until = crm.as_of().on + EXPIRES_WITHIN
    for customer in set(crm.store.customers.survivors(customers).values()):
        for found in crm.documents.list(customer_id=customer, expires_by=until):
            yield {"customer_id": customer, "type": found.type, "expires_on": found.expires_on}


def _timeline(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    for customer in set(crm.store.customers.survivors(customers).values()):
        for fact in crm.store.interactions.list_for(customer, limit=LAST_CONTACTS):
            kind = crm.catalog.interaction_kinds.get(fact.kind)
            yield {
                "customer_id": customer, "at": fact.occurred_at, "channel": fact.channel,
                "what": _titled(crm, kind, fact.kind), "amount": fact.amount,
            }  # fmt: skip
