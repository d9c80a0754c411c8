"""Prices: invoice lines held while they are unclear, and explained in words (W2, D-R5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from crmkit.declarations import Served
from crmkit.entities import Money, NewInteraction
from crmkit.errors import UsageError

from .data import INVOICE_LINE, WAYBILL

if TYPE_CHECKING:
    from crmkit.declarations import Firing
    from crmkit.workspace import Crm

RULE = "delivery.price-unclear"
# The rule's own limit: billed against quoted, in per cent.
WITHIN_PERCENT = 1
NAMES = (
    "source", "ref", "owner_id", "quoted", "billed", "surcharges", "surcharge_reason", "discount",
    "weight_basis", "zone_basis", "held", "explained_at",
)  # fmt: skip


def is_unclear(line: dict[str, Any]) -> bool:
    """Whether a line is off its quote or has a surcharge without a reason, and was not explained."""
    if line["explained_at"] is not None:
        return False
    quoted, billed, surcharges = line["quoted"], line["billed"], line["surcharges"]
    off = (
        quoted is not None and billed is not None and quoted.minor != 0
        and abs(billed.minor - quoted.minor) * 100 > WITHIN_PERCENT * quoted.minor
    )  # fmt: skip
    return off or (surcharges is not None and surcharges.minor > 0 and not line["surcharge_reason"])


def in_words(line: dict[str, Any]) -> str:
    """What makes up the price of a line, for the customer."""
    said = []
    quoted, billed = line["quoted"], line["billed"]
    if billed is not None:
        said.append(f"{billed} {billed.currency} billed")
    if quoted is not None:
        said.append(f"{quoted} quoted")
    if quoted is not None and billed is not None and billed != quoted:
        more = billed.minor - quoted.minor
        apart = Money(abs(more), billed.currency)
        said.append(f"{apart} {'more' if more > 0 else 'less'}")
    said.append(f"weight: {line['weight_basis'] or 'not stated'}")
    said.append(f"zone: {line['zone_basis'] or 'not stated'}")
    if line["surcharges"] is not None and line["surcharges"].minor:
        said.append(
            f"surcharge: {line['surcharges']} for {line['surcharge_reason'] or 'no reason'}"
        )
    if line["discount"] is not None and line["discount"].minor:
        said.append(f"discount: {line['discount']}")
    return "; ".join(said)


def lines_of(crm: Crm, waybill: str) -> list[dict[str, Any]]:
    """The invoice lines of a waybill, each with its price in words."""
    record = crm.store.records.find(WAYBILL, waybill)
    return [
        {
            **line, "line": line["ref"], "waybill": record.ref, "customer_id": record.owner_id,
            "unclear": is_unclear(line), "words": in_words(line),
        }
        for line in _read(crm.store, [record.id])
    ]  # fmt: skip


def explain(crm: Crm, waybill: str, note: str | None) -> list[dict[str, Any]]:
    """Files that the price was explained to the customer: held lines are let go.

    Raises:
        UsageError: if no line of the waybill is unclear or held.
    """
    record = crm.store.records.find(WAYBILL, waybill)
    with crm.store.begin("waybill explain") as tx:
        lines = _read(crm.store, [record.id], tx=tx)
        wanted = [one for one in lines if is_unclear(one) or one["held"]]
        if not wanted:
            raise UsageError(f"no invoice line of waybill {record.ref} waits for an explanation.")
        _set(crm.store, wanted, {"explained_at": tx.at, "held": False}, tx)
        crm.store.interactions.log(
            [
                NewInteraction(
                    kind="delivery.service_recovery", occurred_at=tx.at, channel="phone",
                    customer_id=record.owner_id, subject_id=record.id, direction="out",
                    payload={"topic": "price", "text": note or "; ".join(map(in_words, wanted))},
                )
            ],
            tx=tx,
        )  # fmt: skip
    return lines_of(crm, waybill)


def hold(firings: Sequence[Firing], store: Any, tx: Any) -> list[Served]:
    """Holds the unclear lines of the waybills on which the rule D-R5 fired."""
    mine = {f.subject_id: i for i, f in enumerate(firings) if f.rule == RULE}
    wanted = [
        line for line in (_read(store, mine, tx=tx) if mine else ())
        if is_unclear(line) and not line["held"]
    ]  # fmt: skip
    _set(store, wanted, {"held": True}, tx)
    held: dict[int, int] = {}
    for line in wanted:
        held[line["owner_id"]] = held.get(line["owner_id"], 0) + 1
    return [
        Served(firing=place, result=f"{held.get(waybill, 0)} invoice lines held")
        for waybill, place in mine.items()
    ]


def _read(store: Any, waybills: Iterable[int], tx: Any = None) -> list[dict[str, Any]]:
    rows = store.records.read(INVOICE_LINE, NAMES, among={"owner_id": list(waybills)}, tx=tx)
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


def _set(store: Any, lines: Sequence[dict[str, Any]], values: dict[str, Any], tx: Any) -> None:
    for source in sorted({line["source"] for line in lines}):
        part = [line for line in lines if line["source"] == source]
        store.records.put(
            INVOICE_LINE, source=source, refs=[line["ref"] for line in part], tx=tx,
            owners=[line["owner_id"] for line in part],
            values={name: [value] * len(part) for name, value in values.items()},
        )  # fmt: skip
