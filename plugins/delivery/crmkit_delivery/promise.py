"""The promise engine: by when a shipment is to be delivered, and by which rule (D-R6).

promise = f(instant of collection, cut-off of the origin, calendars of origin and destination). What is
collected after the cut-off, or on a day that the origin does not work, counts as of the origin's next
working day; from there the rule's working days of the destination are counted, and the promise is the
rule's time of day at the destination. A promise, once made, keeps its rule and version: a new version
of the rule changes nothing that was promised before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from attrs import field, frozen

from .data import ANOMALY, CALENDAR, CALENDAR_DAY, DEPOT, PROMISE_RULE, SCAN, WAYBILL, ZONE
from .tables import promise_rows

if TYPE_CHECKING:
    from crmkit.workspace import Crm

BATCH = 10_000
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Where a zone names no calendar. Most couriers work six days; a calendar of one's own says otherwise.
DEFAULT_WORKDAYS = WEEK[:6]
# A calendar without any working day would be searched for ever.
LONGEST_SEARCH = 400
ASKED = (
    "id", "source", "ref", "owner_id", "valid_from", "product", "scope", "origin_zone", "dest_zone",
    "origin_depot", "pickup_from", "ordered_at",
)  # fmt: skip


@frozen(kw_only=True)
class PromiseRule:
    """When a product is delivered.

    Attributes:
        scope: empty is any.
        cut_off: local time at the origin; None never ends a day.
        working_days: of the destination, after the day that counts as that of collection.
        due: local time at the destination.
        starts_on, ends_on: days of collection for which it is applied, both included; None is open.
        proof_required: whether a delivery needs a signature, photo or code.
    """

    product: str
    scope: str
    version: int
    cut_off: time | None
    working_days: int
    due: time
    grace_seconds: int = 0
    starts_on: date | None = None
    ends_on: date | None = None
    proof_required: bool = False
    origin: str = "default"

    @property
    def name(self) -> str:
        """As it is kept with the promise: ``next_day v2``."""
        scope = f" {self.scope}" if self.scope else ""
        word = " (default)" if self.origin == "default" else ""
        return f"{self.product}{scope} v{self.version}{word}"

    def holds(self, product: str, scope: str | None, on: date) -> bool:
        """Whether it is applied to a product and scope collected on a day."""
        return (
            self.product == product
            and self.scope in ("", scope)
            and (self.starts_on is None or self.starts_on <= on)
            and (self.ends_on is None or on <= self.ends_on)
        )


@frozen(kw_only=True)
class Workdays:
    """Which days are worked: days of the week, and single days that are otherwise."""

    week: frozenset[str] = frozenset(DEFAULT_WORKDAYS)
    days: Mapping[date, bool] = field(factory=dict)

    def works(self, day: date) -> bool:
        """Whether a day is worked."""
        return self.days.get(day, WEEK[day.weekday()] in self.week)

    def on_or_after(self, day: date) -> date:
        """The day, or the next one that is worked; itself if none is within a year."""
        for ahead in range(LONGEST_SEARCH):
            if self.works(day + timedelta(days=ahead)):
                return day + timedelta(days=ahead)
        return day

    def add(self, day: date, count: int) -> date:
        """So many working days later; 0 is the day itself, or the next that is worked."""
        here = self.on_or_after(day) if count == 0 else day
        for _ in range(count):
            here = self.on_or_after(here + timedelta(days=1))
        return here


@frozen(kw_only=True)
class Place:
    """Where something is collected or delivered."""

    zone: ZoneInfo
    workdays: Workdays = Workdays()


@frozen(kw_only=True)
class Promise:
    """Instants in UTC, and the local day at the destination."""

    promise_at: datetime
    late_after_at: datetime
    promise_on: date
    rule: str


def promise(
    rule: PromiseRule, collected_at: datetime, origin: Place, destination: Place,
    cut_off: time | None = None,
) -> Promise:  # fmt: skip
    """By when something that is collected at an instant is to be delivered.

    Args:
        collected_at: aware.
        cut_off: of the depot of origin, before that of the rule; None takes the rule's.
    """
    local = collected_at.astimezone(origin.zone)
    limit = cut_off or rule.cut_off
    day = local.date()
    if limit is not None and local.time() > limit:
        day += timedelta(days=1)
    counted = origin.workdays.on_or_after(day)
    due_on = destination.workdays.add(counted, rule.working_days)
    at = datetime.combine(due_on, rule.due, destination.zone).astimezone(UTC)
    return Promise(
        promise_at=at, late_after_at=at + timedelta(seconds=rule.grace_seconds), promise_on=due_on,
        rule=rule.name,
    )  # fmt: skip


class PromiseEngine:
    """Promises by the rules, zones and calendars of a workspace.

    Args:
        crm: the workspace. Rules kept in it come before the defaults of ``tables/promises.csv``.
    """

    def __init__(self, crm: Crm) -> None:
        read = crm.store.records.read
        self._zone = ZoneInfo(crm.settings.time_zone)
        own = [
            PromiseRule(
                product=row[0], scope=row[1] or "", version=row[2], cut_off=_time(row[3]),
                working_days=row[4] or 0, due=_time(row[5]) or time(18), grace_seconds=row[6] or 0,
                starts_on=row[7], ends_on=row[8], proof_required=bool(row[9]), origin="own",
            )
            for row in read(
                PROMISE_RULE,
                ("product", "scope", "rule_version", "cut_off", "working_days", "due",
                 "grace_seconds", "starts_on", "ends_on", "proof_required"),
            )
        ]  # fmt: skip
        # The most special and newest first: the first that holds is taken.
        self.rules = sorted(
            [*own, *defaults()],
            key=lambda r: (r.origin != "own", r.scope == "", -r.version, r.starts_on or date.min),
        )
        self._places = self._read_places(read)
        self._cut_offs = {
            code: _time(cut_off) for code, cut_off in read(DEPOT, ("code", "cut_off")) if cut_off
        }
        self._known: dict[tuple[Any, ...], Promise] = {}

    def _read_places(self, read: Callable[..., list[tuple[Any, ...]]]) -> dict[str, Place]:
        days: dict[str, dict[date, bool]] = {}
        for calendar, day, working in read(CALENDAR_DAY, ("calendar", "day", "working")):
            days.setdefault(calendar, {})[day] = bool(working)
        week = {
            code: frozenset(listed or ()) for code, listed in read(CALENDAR, ("code", "workdays"))
        }
        return {
            code: Place(
                zone=ZoneInfo(name) if name else self._zone,
                workdays=Workdays(
                    week=week.get(calendar) or frozenset(DEFAULT_WORKDAYS),
                    days=days.get(calendar, {}),
                ),
            )
            for code, name, calendar in read(ZONE, ("code", "time_zone", "calendar"))
        }

    def place(self, zone: str | None) -> Place:
        """The place of a zone; one that is not known works six days in the workspace's time zone."""
        return self._places.get(zone or "", Place(zone=self._zone))

    def rule_for(self, product: str, scope: str | None, on: date) -> PromiseRule | None:
        """The rule of a product collected on a day at the origin, or None where none holds."""
        return next((r for r in self.rules if r.holds(product, scope, on)), None)

    def promise(
        self, product: str, scope: str | None, collected_at: datetime, origin_zone: str | None = None,
        dest_zone: str | None = None, depot: str | None = None,
    ) -> Promise | None:  # fmt: skip
        """The promise, or None where no rule holds for the product."""
        origin, destination = self.place(origin_zone), self.place(dest_zone)
        local = collected_at.astimezone(origin.zone)
        rule = self.rule_for(product, scope, local.date())
        if rule is None:
            return None
        cut_off = self._cut_offs.get(depot or "")
        limit = cut_off or rule.cut_off
        late = limit is not None and local.time() > limit
        # Within a day and on one side of the cut-off all promises are one.
        key = (rule, local.date(), late, origin_zone, dest_zone)
        if key not in self._known:
            self._known[key] = promise(rule, collected_at, origin, destination, cut_off)
        return self._known[key]


def make_promises(crm: Crm) -> tuple[int, int]:
    """Gives a promise to every waybill without one; those that have one keep it.

    It counts from the collection where that was scanned, else from the planned pickup or the order.

    Returns:
        How many promises were made, and for how many waybills no rule holds.
    """
    engine = PromiseEngine(crm)
    found = crm.store.records.read(WAYBILL, ASKED, where={"promise_at": None})
    made = lacking = 0
    for first in range(0, len(found), BATCH):
        rows = found[first : first + BATCH]
        with crm.store.begin("waybill promise") as tx:
            collected = _collected(crm, [row[0] for row in rows], tx)
            promised = [_promised(engine, row, collected.get(row[0])) for row in rows]
            kept = [(row, one) for row, one in zip(rows, promised, strict=True) if one is not None]
            _write(crm, kept, tx)
        made += len(kept)
        lacking += len(rows) - len(kept)
    return made, lacking


def _collected(crm: Crm, ids: Sequence[int], tx: Any) -> dict[int, datetime]:
    """When waybills were collected, by their scans: statuses may not be computed yet."""
    read, among = crm.store.records.read, {"owner_id": ids}
    scans = read(
        SCAN, ("id", "owner_id", "event_at"), where={"status": "picked_up"}, among=among, tx=tx
    )
    voided = {
        one for (one,) in read(ANOMALY, ("scan_id",), where={"kind": "voided"}, among=among, tx=tx)
    }
    first: dict[int, datetime] = {}
    for scan, owner, at in scans:
        if scan in voided:
            continue
        if at is not None and (owner not in first or at < first[owner]):
            first[owner] = at
    return first


def _promised(
    engine: PromiseEngine, row: tuple[Any, ...], collected: datetime | None
) -> Promise | None:
    _, _, _, _, _, product, scope, origin, destination, depot, planned, ordered = row
    at = collected or planned or ordered
    if at is None or product is None:
        return None
    return engine.promise(product, scope, at, origin, destination, depot)


def _write(crm: Crm, kept: Sequence[tuple[tuple[Any, ...], Promise]], tx: Any) -> None:
    for source in sorted({row[1] for row, _ in kept}):
        mine = [(row, one) for row, one in kept if row[1] == source]
        crm.store.records.put(
            WAYBILL, source=source, refs=[row[2] for row, _ in mine],
            owners=[row[3] for row, _ in mine],
            # It was promised when the waybill was made, so it holds since then.
            effective=[row[4] for row, _ in mine],
            values={
                "promise_at": [one.promise_at for _, one in mine],
                "late_after_at": [one.late_after_at for _, one in mine],
                "promise_on": [one.promise_on for _, one in mine],
                "promise_rule": [one.rule for _, one in mine],
            },
            tx=tx,
        )  # fmt: skip


def defaults() -> list[PromiseRule]:
    """The rules that ship with the plugin, for products without a rule of the operator's own."""
    return [
        PromiseRule(
            product=row["product"], scope=row["scope"], version=int(row["version"]),
            cut_off=_time(row["cut_off"]), working_days=int(row["working_days"]),
            due=_time(row["due"]) or time(18), grace_seconds=int(row["grace_seconds"]),
            proof_required=row["proof_required"] == "yes",
        )
        for row in promise_rows()
    ]  # fmt: skip


def _time(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None
