"""``crmkit preparation``: what is prepared for arrivals, by whom, and whether it was done (H3, H-R2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from attrs import evolve

from crmkit.columns import CUSTOMER, count, flag, instant, integer, text
from crmkit.declarations import Answer, Command, Parameter
from crmkit.entities import FieldType
from crmkit.errors import MoveRefused, NotFound, UsageError

from .data import PREPARATION, RESERVATION
from .preference.learning import learn
from .privacy import CARE, SENSITIVE, may_read
from .reports.arrivals import DEPARTMENTS

if TYPE_CHECKING:
    from crmkit.entities.asof import AsOf
    from crmkit.workspace import Crm

T = FieldType
SOURCE = "crmkit"
# Bookings for which a room is prepared.
EXPECTED = ("confirmed", "in_house")
LOST, CANCELLED = ("cancelled", "no_show"), "cancelled"
# The business date ends with the night audit, which is over by 06:00.
NIGHT = timedelta(hours=6)
RESULTS = ("met", "partly", "not_met", "refused", "unavailable")
# Who did not do it says why.
NEEDS_REASON = ("partly", "not_met", "refused", "unavailable")
LINE = ("code", "value", "department", "origin", "result", "required", "substitute")


def build(crm: Crm, as_of: AsOf, days: int) -> Answer:
    """Files a line for each department for all that arriving guests expect; built again adds new ones."""
    _close(crm)
    first = business_date(crm, as_of) + timedelta(days=1)
    new = _file(crm, as_of, {"date": first.isoformat(), "days": str(days)})
    return Answer(
        rows=[
            {"department": name, "new": sum(r["department"] == name for r in new),
             "unavailable": sum(r["department"] == name and r["can_be_met"] is False for r in new)}
            for name in DEPARTMENTS
        ]
    )  # fmt: skip


def _close(crm: Crm) -> None:
    """Closes the open lines of bookings that were cancelled or not kept: nobody prepares them."""
    lost = crm.store.records.read(RESERVATION, ["id"], among={"status": LOST})
    lines = crm.store.records.read(
        PREPARATION, ["source", "ref", "owner_id"],
        among={"owner_id": [row[0] for row in lost], "result": ("open", "unavailable")},
    )  # fmt: skip
    for source in sorted({row[0] for row in lines}):
        rows = [row for row in lines if row[0] == source]
        crm.store.records.put(
            PREPARATION, source=source, refs=[row[1] for row in rows],
            owners=[row[2] for row in rows], values={"result": [CANCELLED] * len(rows)},
        )  # fmt: skip


def _file(
    crm: Crm, as_of: AsOf, asked: dict[str, str], reservation: int | None = None
) -> list[dict[str, Any]]:
    """Files the lines that are new, and again those of a booking that was moved or is no longer cancelled.

    Args:
        asked: which arrivals, by parameters of ``hotel.expectation``.
        reservation: only its lines; None is all of these arrivals.

    Returns:
        The lines that were filed.
    """

    def expected(department: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = crm.reports.run(
            "hotel.expectation", {**asked, "department": department}, as_of, shown=False
        ).table.to_pylist()
        return [row for row in rows if reservation in (None, row["reservation_id"])]

    found = expected("all")
    # Sensitive values are given to the department that acts on them alone, so it is asked for its own.
    acting = {row["department"] for row in found if row["code"] in SENSITIVE}
    found = [row for row in found if row["department"] not in acting]
    found += [row for department in sorted(acting) for row in expected(department)]
    lines = {_ref(row): row for row in found if row["origin"] not in ("arrival", "ask")}
    known = {
        row[0]: row[1]
        for row in crm.store.records.read(
            PREPARATION, ["ref", "arrival_on", "result"], among={"ref": lines}
        )
        if row[2] != CANCELLED
    }
    new = {ref: row for ref, row in lines.items() if known.get(ref) != row["arrival_on"]}
    if new:
        rows = list(new.values())
        # For a day that is over the lines hold from its last moment on.
        past = as_of.on < crm.as_of().on
        since = as_of.instant - timedelta(microseconds=1)
        crm.store.records.put(
            PREPARATION, source=SOURCE, refs=list(new),
            effective=[since] * len(rows) if past else None,
            owners=[row["reservation_id"] for row in rows],
            values={
                "code": [row["code"] for row in rows], "value": [row["val"] for row in rows],
                "arrival_on": [row["arrival_on"] for row in rows],
                "department": [row["department"] for row in rows],
                "origin": [row["origin"] for row in rows],
                "confidence": [row["confidence"] for row in rows],
                "due_at": [_due(crm, row["arrival_on"], row["eta"]) for row in rows],
                "result": ["unavailable" if row["can_be_met"] is False else "open" for row in rows],
                "substitute": [row["stand_in"] for row in rows],
                "reason": ["sold out" if row["can_be_met"] is False else None for row in rows],
                "required": [row["required"] for row in rows],
                "sensitive": [row["code"] in SENSITIVE for row in rows],
                "done_by": [None] * len(rows), "done_at": [None] * len(rows),
            },
        )  # fmt: skip
    return list(new.values())


def _ref(row: dict[str, Any]) -> str:
    return f"{row['reservation_id']}:{row['code']}:{row['origin']}:{row['val'] or ''}"[:120]


def business_date(crm: Crm, as_of: AsOf) -> date:
    """The hotel's day: it ends with the night audit, so 01:30 belongs to the day before."""
    local = as_of.instant.astimezone(ZoneInfo(crm.settings.time_zone))
    return (local - NIGHT).date()


def _due(crm: Crm, arrival: date, eta: str | None) -> datetime:
    """An hour before the guest is expected, else at noon; who comes after midnight comes a day later."""
    at = datetime.combine(arrival, time.fromisoformat(eta) if eta else time(13))
    if at - NIGHT < datetime.combine(arrival, time()):
        at += timedelta(days=1)
    return at.replace(tzinfo=ZoneInfo(crm.settings.time_zone)) - timedelta(hours=1)


def mark(
    crm: Crm, reservation: str, code: str, result: str, reason: str | None, value: str | None
) -> Answer:
    """Says of a line what became of it."""
    booked, wanted = crm.store.records.find(RESERVATION, reservation), code.upper()
    if result in NEEDS_REASON and not reason:
        raise UsageError(f"{result} needs --reason: why it was not done as the guest expects.")
    rows = crm.store.records.read(
        PREPARATION, ["source", "ref", "value"], where={"code": wanted, **({"value": value} if value else {})},
        among={"owner_id": [booked.id]},
    )  # fmt: skip
    if not rows or not may_read(crm, wanted):
        raise NotFound("preparation line", f"{reservation} {wanted}", _codes(crm, booked.id))
    if len(rows) > 1:
        said = ", ".join(sorted(str(row[2]) for row in rows))
        raise UsageError(f"{wanted} stands there for {said}.", hint="Give --value.")
    crm.store.records.set(
        PREPARATION, source=rows[0][0], ref=rows[0][1], owner_id=booked.id,
        values={"result": result, "reason": reason, "done_by": crm.actor, "done_at": crm.clock()},
    )  # fmt: skip
    return Answer(rows=_lines(crm, [booked.id]))


def finish(crm: Crm, reservation: str) -> Answer:
    """Declares the room prepared, unless an allergy or a need for access is open (H-R5).

    What the guest has said since the lines were built counts: it is learnt and filed first.
    """
    booked = crm.store.records.find(RESERVATION, reservation)
    if booked.values["status"] not in EXPECTED:
        raise MoveRefused(
            f"{reservation} is not prepared: its status is {booked.values['status']}, not "
            f"{' or '.join(EXPECTED)}."
        )
    learn(crm, [booked.owner_id or 0])
    arrival = booked.values["arrival_on"].isoformat()
    now = crm.as_of()
    # An as-of is exclusive: this one has what was learnt at this moment.
    seen = evolve(now, instant=now.instant + timedelta(microseconds=1))
    _file(crm, seen, {"date": arrival, "days": "1"}, booked.id)
    needed = crm.store.records.read(
        PREPARATION, ["code", "department", "result"], where={"required": True},
        among={"owner_id": [booked.id]}, sort=["code"],
    )  # fmt: skip
    # Who may not read what it is learns whom to ask.
    missing = {
        code if may_read(crm, code) else f"a line of {department}"
        for code, department, result in needed
        if result != "met"
    }
    if missing:
        raise MoveRefused(
            f"{reservation} is not prepared: {', '.join(sorted(missing))} is required and not met.",
            hint="See to it, then: crmkit preparation mark RESERVATION CODE --result met",
        )
    crm.store.records.set(
        RESERVATION, source=booked.source, ref=booked.ref, values={"prepared_at": crm.clock()}
    )
    return Answer(rows=_lines(crm, [booked.id]))


def listed(crm: Crm, department: str | None, arrival: date | None, every: bool) -> Answer:
    """Lines by the time at which they are due."""
    asked: dict[str, Any] = {"where": {"arrival_on": arrival}} if arrival else {}
    if not every:
        asked["among"] = {"status": EXPECTED}
    bookings = [row[0] for row in crm.store.records.read(RESERVATION, ["id"], **asked)]
    where = {} if every else {"result": "open"}
    where |= {"department": department} if department else {}
    hidden = crm.store.privacy.hidden_subjects()
    rows = _lines(crm, [b for b in bookings if b not in hidden], department, where)
    return Answer(rows=sorted(rows, key=lambda row: row["due_at"]))


def _lines(
    crm: Crm, reservations: Collection[int], department: str | None = None,
    where: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Lines of some bookings by code, due as those are booked now: they may have been moved since."""
    bookings = {
        row[0]: row[1:]
        for row in crm.store.records.read(
            RESERVATION, ["id", "owner_id", "arrival_on", "eta"], among={"id": reservations}
        )
    }
    rows = []
    for reservation, *values in crm.store.records.read(
        PREPARATION, ["owner_id", *LINE], where=where, among={"owner_id": reservations},
        sort=["code"],
    ):  # fmt: skip
        line = dict(zip(LINE, values, strict=True))
        if may_read(crm, line["code"]):
            guest, arrival, eta = bookings[reservation]
            line["due_at"] = _due(crm, arrival, eta)
            # A required line is an allergy or a need: its value is for the department that acts on it.
            if line["required"] and department != line["department"]:
                line["value"] = f"see {line['department']}"
            rows.append({"customer_id": guest, "reservation_id": reservation, **line})
    return rows


def _codes(crm: Crm, reservation: int) -> list[str]:
    rows = crm.store.records.read(PREPARATION, ["code"], among={"owner_id": [reservation]})
    return [code for (code,) in rows if may_read(crm, code)]


def commands() -> list[Command]:
    """The verbs of ``preparation``."""
    lines = (
        CUSTOMER, integer("reservation_id", "Reservation", "预订", None), text("code", "Code", "代码"),
        text("value", "Value", "取值"), text("department", "Department", "部门"),
        text("origin", "Comes from", "来源"), text("result", "Result", "结果"),
        flag("required", "Required", "必须"), text("substitute", "Substitute", "替代"),
        instant("due_at", "Due", "截止"),
    )  # fmt: skip
    which = Parameter(
        name="reservation",
        type=T.TEXT,
        positional=True,
        required=True,
        title="Reservation, by its key",
    )
    return [
        Command(
            name="preparation build", run=build, as_of=True, writes=True, daily=True,
            help="File what the guests of the next days expect, a line for each department.\n\nThe daily run does it too. Run it 48 and 24 hours before arrivals: it adds what is new, leaves what was marked, opens those of a booking that was moved to another day again, and closes those of one that was cancelled. What is sold out is filed as unavailable, with its substitute.",
            example="crmkit preparation build --days 2",
            parameters=[Parameter(name="days", type=T.INTEGER, default=2, unit="day", title="Days of arrival ahead")],
            columns=[text("department", "Department", "部门"), count("new", "New", "新增", "line"), count("unavailable", "Sold out", "不可用", "line")],
        ),
        Command(
            name="preparation list", run=listed, columns=lines,
            help=f"List what is to be prepared, the line that is due first at the top.\n\nSensitive lines are listed for those with the right {CARE.name}.",
            example="crmkit preparation list --department housekeeping",
            parameters=[
                Parameter(name="department", type=T.TEXT, choices=DEPARTMENTS, title="Only of this department; sensitive values are shown to it alone"),
                Parameter(name="arrival", type=T.DATE, title="Only of this day of arrival"),
                Parameter(name="every", type=T.BOOLEAN, default=False, title="Also what is done"),
            ],
        ),
        Command(
            name="preparation mark", run=mark, columns=lines, writes=True,
            help="Mark a line as met, partly met or not, with the reason.",
            example="crmkit preparation mark R-7001 PIL_TYPE --result partly --reason 'one of two'",
            parameters=[
                which,
                Parameter(name="code", type=T.TEXT, positional=True, required=True, title="Code"),
                Parameter(name="result", type=T.TEXT, required=True, choices=RESULTS, title="What became of it"),
                Parameter(name="reason", type=T.TEXT, title="Why it was not done as expected"),
                Parameter(name="value", type=T.TEXT, title="Which, where the code stands there twice"),
            ],
        ),
        Command(
            name="preparation finish", run=finish, columns=lines, writes=True,
            help="Declare a reservation prepared; refused while an allergy or a need for access is open (H-R5).",
            example="crmkit preparation finish R-7001", parameters=[which],
        ),
    ]  # fmt: skip
