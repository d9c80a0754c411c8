"""``crmkit desk``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from crmkit.columns import CUSTOMER, text
from crmkit.declarations import Answer, Command, Parameter, ReportColumn
from crmkit.entities import FieldType
from crmkit.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit.entities import Customer
    from crmkit.workspace import Crm

T = FieldType
# More than fit on a screen are no help to somebody who has a customer waiting.
MOST = 20
# The same words whatever was asked for, so that they tell nothing of who is on file.
NOBODY = "nobody was found."


def desk(crm: Crm, who: str) -> Answer:
    """One customer with every panel, or everybody who may be meant."""
    found = _found(crm, who)
    if not found:
        return Answer(remarks=[NOBODY])
    if len(found) > 1:
        more = f"; there are more than {MOST}" if len(found) > MOST else ""
        rows = [
            {"customer_id": c.id, "panel": "match", "title": c.kind, "text": c.region}
            for c in found[:MOST]
        ]
        return Answer(rows=rows, remarks=[f"several match{more}: ask again by the ref."])
    zh = crm.settings.language == "zh"
    rows, said = [], []
    for shown in crm.panels.show([found[0].id]):
        panel = shown.panel
        title = (zh and panel.title_zh) or panel.title or panel.name
        if shown.fault is not None:
            said.append(f"the panel {panel.name} is left out: {shown.fault}")
        rows += [
            {"customer_id": row["customer_id"], "panel": panel.name, "title": title,
             "text": _line(panel.columns, row, zh)}
            for row in shown.rows
        ]  # fmt: skip
    return Answer(rows=rows, remarks=said)


def _found(crm: Crm, who: str) -> Sequence[Customer]:
    """The customer with that key; else those with a name, key or contact point that holds it."""
    try:
        return [crm.store.customers.find(who)]
    except NotFound:
        return crm.store.customers.search(who, limit=MOST + 1)


def _line(columns: Sequence[ReportColumn], row: Mapping[str, Any], zh: bool) -> str:
    known = [c for c in columns if row[c.name] is not None]
    return "; ".join(
        f"{(zh and c.title_zh) or c.title or c.name}: {_text(row[c.name])}" for c in known
    )


def _text(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M}Z" if isinstance(value, datetime) else str(value)


def commands() -> list[Command]:
    """The one command of the desk."""
    return [
        Command(
            name="desk", run=desk,
            help="Show a customer to whoever has them on the line.\n\nWHO is a key, or a piece of a name, key, phone number or other contact point; where several match they are listed. Reads the store and no snapshot.",
            example="crmkit desk 13800",
            parameters=[
                Parameter(name="who", type=T.TEXT, positional=True, required=True, title="Piece of a number or name, or a key", title_zh="电话、姓名或编号"),
            ],
            columns=[
                CUSTOMER,
                text("panel", "Panel", "栏目编号"),
                text("title", "About", "栏目"),
                text("text", "What", "内容"),
            ],
        )
    ]  # fmt: skip
