"""What daily work keeps: tasks, tags and visits; notes are interactions of core's."""

from __future__ import annotations

from crmkit import resource_json
from crmkit.declarations import RecordType

SOURCE = "crmkit"
TASK, TAG, VISIT = "work.task", "work.tag", "work.visit"
NOTE, VISITED = "core.note", "core.visit"
OPEN, DONE, PLANNED, CANCELLED = "open", "done", "planned", "cancelled"


def record_types() -> list[RecordType]:
    """The three record types of the plugin."""
    return [
        RecordType(
            name=TASK, schema=resource_json(__package__, "schemas/task.json"),
            title="Task", title_zh="任务",
        ),
        RecordType(
            name=TAG, schema=resource_json(__package__, "schemas/tag.json"),
            title="Tag", title_zh="标签",
        ),
        RecordType(
            name=VISIT, schema=resource_json(__package__, "schemas/visit.json"),
            title="Visit", title_zh="拜访",
        ),
    ]  # fmt: skip
