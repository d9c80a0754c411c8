"""Open tasks and tags of the customer on the line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crmkit.columns import instant, text
from crmkit.declarations import Panel

from .data import OPEN, TAG, TASK

if TYPE_CHECKING:
    from crmkit.workspace import Crm

TASK_COLUMNS = ("title", "due_at", "assignee")


def panels() -> list[Panel]:
    """The two panels of daily work."""
    return [
        Panel(
            name="work.tasks", title="Open tasks", title_zh="未完成任务", order=40, rows=_tasks,
            columns=(
                text("title", "Task", "任务"),
                instant("due_at", "Due", "到期"),
                text("assignee", "For", "负责人"),
            ),
            pii={"title": "direct", "assignee": "quasi"},
        ),
        Panel(
            name="work.tags", title="Tags", title_zh="标签", order=60, rows=_tags,
            columns=(text("tag", "Tag", "标签"),),
        ),
    ]  # fmt: skip


def _tasks(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    found = crm.store.records.read(
        TASK, ("owner_id", *TASK_COLUMNS), where={"state": OPEN}, among={"owner_id": customers},
        sort=("due_at",),
    )  # fmt: skip
    return (dict(zip(("customer_id", *TASK_COLUMNS), row, strict=True)) for row in found)


def _tags(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    found = crm.store.records.read(
        TAG, ("owner_id", "tag"), where={"removed_at": None}, among={"owner_id": customers},
        sort=("tag",),
    )  # fmt: skip
    return ({"customer_id": owner, "tag": tag} for owner, tag in found)
