"""The verbs of ``crmkit value``."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from crmkit.columns import text
from crmkit.declarations import Answer, Command, CostDriver, Parameter
from crmkit.entities import FieldType
from crmkit.errors import NotFound, UsageError

from .data import COST

if TYPE_CHECKING:
    from crmkit.workspace import Crm

T = FieldType
SOURCE = "crmkit"
# As many places as the costs that plugins declare.
PLACES = 6


COLUMNS = [
    text("driver", "Cost driver", "成本动因"),
    text("title", "Title", "名称"),
    text("kind", "Interaction kind", "互动类型"),
    text("channel", "Channel", "渠道"),
    text("per", "Per", "计量"),
    text("declared", "Declared cost", "默认成本"),
    text("cost", "Cost in this workspace", "当前成本"),
]


def _row(driver: CostDriver, own: float | None) -> dict[str, str | None]:
    return {
        "driver": driver.name, "title": driver.title, "kind": driver.kind,
        "channel": driver.channel, "per": driver.field or driver.per, "declared": driver.cost,
        "cost": driver.cost if own is None else f"{own:.{PLACES}f}".rstrip("0").rstrip("."),
    }  # fmt: skip


def list_costs(crm: Crm) -> Answer:
    """Every driver that plugins declare or the operator has set, and what it costs here."""
    own = {row[0]: row[1] for row in crm.store.records.read(COST, ["driver", "cost"])}
    added = {n: d for n, d in crm.catalog.cost_drivers_of_kinds.items() if n in own}
    drivers = {**crm.catalog.cost_drivers, **added}
    rows = [_row(driver, own.get(name)) for name, driver in sorted(drivers.items())]
    unknown = [str(row["driver"]) for row in rows if row["cost"] is None]
    said = [f"without a cost, so counted as nothing: {', '.join(unknown)}."] if unknown else []
    return Answer(rows=rows, remarks=said)


def set_cost(crm: Crm, driver: str, cost: str) -> Answer:
    """The operator's own cost of a driver, or of each interaction of a kind that has none."""
    known = {**crm.catalog.cost_drivers, **crm.catalog.cost_drivers_of_kinds}
    declared = known.get(driver)
    if declared is None:
        raise NotFound("cost driver", driver, known)
    amount = _cost(declared, cost)
    with crm.store.begin("value set-cost") as tx:
        crm.store.records.set(
            COST, source=SOURCE, ref=driver, values={"driver": driver, "cost": amount}, tx=tx
        )
    return Answer(rows=[_row(declared, amount)])


def _cost(driver: CostDriver, text: str) -> float:
    """What was given as a number.

    Raises:
        UsageError: for anything but a decimal of 0 or more, and a share above 1 (``E_COST``).
    """
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    most = 1 if driver.per == "amount" else 999_999_999
    if not amount.is_finite() or not 0 <= amount <= most or round(amount, PLACES) != amount:
        raise UsageError(
            f"cost {text!r} of {driver.name} is not a decimal from 0 to {most} with at most "
            f"{PLACES} places, such as 0.35.",
            code="E_COST",
        )
    return float(amount)


def commands() -> list[Command]:
    """The commands of value."""
    return [
        Command(
            name="value costs", run=list_costs,
            help="List what interactions cost, by cost driver.",
            example="crmkit value costs", columns=COLUMNS,
        ),
        Command(
            name="value set-cost", run=set_cost, writes=True, single=True,
            help="Set what a cost driver costs in this workspace.\n\nAn interaction kind without drivers is a driver itself: name it, as core.note. The cost is of one interaction or one unit, in the workspace's currency; of a driver per amount, the share of it. It counts in analyses as of now and later.",
            example="crmkit value set-cost value.call_minute 0.35",
            parameters=[
                Parameter(name="driver", type=T.TEXT, positional=True, required=True, title="Cost driver", title_zh="成本动因"),
                Parameter(name="cost", type=T.TEXT, positional=True, required=True, title="Cost", title_zh="成本"),
            ],
            columns=COLUMNS,
        ),
    ]  # fmt: skip
