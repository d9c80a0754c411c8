"""What outreach keeps: lists, their rows, what channels cost, and the contacts on the timeline."""

from __future__ import annotations

from crmkit import resource_json
from crmkit.declarations import InteractionKind, RecordType

SOURCE = "crmkit"
LIST, ROW, CHANNEL, CONTACT = (
    "outreach.list", "outreach.row", "outreach.channel", "outreach.contact",
)  # fmt: skip
TODO, DONE, CONTROL, BLOCKED = "todo", "done", "control", "blocked"
# The customer spoke with us.
ANSWERED = ("reached", "accepted", "declined", "call_again")
ACCEPTED, NOT_TRIED = "accepted", "not_tried"
OUTCOMES = (*ANSWERED, "no_answer", "wrong_number", NOT_TRIED)


def record_types() -> list[RecordType]:
    """Lists, rows and channels."""
    return [
        RecordType(
            name=LIST, schema=resource_json(__package__, "schemas/list.json"), owner=None,
            title="Outreach list", title_zh="外呼名单",
        ),
        RecordType(
            name=ROW, schema=resource_json(__package__, "schemas/row.json"),
            title="Row of an outreach list", title_zh="名单行",
        ),
        RecordType(
            name=CHANNEL, schema=resource_json(__package__, "schemas/channel.json"), owner=None,
            title="Channel with its cost", title_zh="渠道费用",
        ),
    ]  # fmt: skip


def interaction_kinds() -> list[InteractionKind]:
    """A contact made from a list, with its outcome."""
    return [
        InteractionKind(
            name=CONTACT, schema=resource_json(__package__, "schemas/contact.json"),
            title="Contact from a list", title_zh="名单联系",
        )
    ]  # fmt: skip
