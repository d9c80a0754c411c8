"""A person's or team's card of results for customers, from what is on file."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from .data import DONE, TASK, VISIT

if TYPE_CHECKING:
    from crmkit.workspace import Crm

# Known only where the plugins outreach and service are enabled.
LIST_ROW = "outreach.row"
CASE, CLOCK = "service.case", "service.clock"
# Of 0 to 10: who says so would recommend the house.
CONTENT = 9
ANSWERED = ("reached", "accepted", "declined", "call_again")


def results_card(
    crm: Crm, since: datetime, until: datetime, *, person: str | None, team: str | None
) -> list[dict[str, Any]]:
    """Figures of a period: what was due or planned in it, and how much of it was kept.

    Returns:
        Rows figure, count, out_of, share. A task is in time if it was done by its due time; one that
        is still open counts as not done. A figure that rests on nothing has no share.
    """
    return [
        *_tasks(crm, since, until, person, team),
        *_visits(crm, since, until, person, team),
        *(_contacts(crm, since, until, person) if person is not None else ()),
        *(_cases(crm, since, until, person) if person is not None else ()),
    ]


def _tasks(
    crm: Crm, since: datetime, until: datetime, person: str | None, team: str | None
) -> list[dict[str, Any]]:
    found = crm.store.records.read(
        TASK, ("state", "due_at", "done_at"), where=_where("assignee", person, team),
        between={"due_at": (since, until)},
    )  # fmt: skip
    in_time = sum(state == DONE and done_at <= due_at for state, due_at, done_at in found)
    done = sum(state == DONE for state, _, _ in found)
    return [
        _figure("tasks done in time", in_time, len(found)),
        _figure("tasks done", done, len(found)),
    ]


def _visits(
    crm: Crm, since: datetime, until: datetime, person: str | None, team: str | None
) -> list[dict[str, Any]]:
    found = crm.store.records.read(
        VISIT, ("state",), where=_where("visitor", person, team),
        between={"planned_at": (since, until)},
    )  # fmt: skip
    return [_figure("visits made", sum(state == DONE for (state,) in found), len(found))]


def _contacts(crm: Crm, since: datetime, until: datetime, person: str) -> list[dict[str, Any]]:
    if LIST_ROW not in crm.catalog.record_types:
        return []
    found = crm.store.records.read(
        LIST_ROW, ("outcome",), where={"done_by": person}, between={"done_at": (since, until)}
    )
    tried = [outcome for (outcome,) in found if outcome != "not_tried"]
    return [
        _figure("list contacts answered", sum(o in ANSWERED for o in tried), len(tried)),
        _figure("list contacts accepted", sum(o == "accepted" for o in tried), len(tried)),
    ]


def _cases(crm: Crm, since: datetime, until: datetime, person: str) -> list[dict[str, Any]]:
    if CASE not in crm.catalog.record_types:
        return []
    found = crm.store.records.read(
        CASE, ("id", "recovery_score"), where={"answered_by": person},
        between={"answered_at": (since, until)},
    )  # fmt: skip
    late = crm.store.records.read(
        CLOCK, ("late",), where={"clock": "answer", "state": "fulfilled"},
        among={"owner_id": [case for case, _ in found]},
    )  # fmt: skip
    scores = [score for _, score in found if score is not None]
    return [
        _figure("case answers in time", sum(not broken for (broken,) in late), len(late)),
        _figure("customers content (9 or 10)", sum(s >= CONTENT for s in scores), len(scores)),
    ]


def _where(who: str, person: str | None, team: str | None) -> dict[str, str]:
    asked = {who: person, "team": team}
    return {name: value for name, value in asked.items() if value is not None}


def _figure(figure: str, count: int, out_of: int) -> dict[str, Any]:
    share = count / out_of if out_of else None
    return {"figure": figure, "count": count, "out_of": out_of, "share": share}
