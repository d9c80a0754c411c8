"""What a rule would have fired on, day by day in the past, and what happened to those people.

The rule is asked at each date on what could be seen at it, in order of time, so that a cool-down
runs from the firings of the backtest itself. Only the outcome, which judges a firing and never
decides it, looks further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import define, field, frozen

from ..declarations import Rule
from ..entities.asof import AsOf
from ..errors import NotFound, PluginError, UsageError
from ..warehouse.engine import quoted_text
from ..warehouse.population import Population
from ..warehouse.session import Session
from .conditions import Condition, Conditions, Sight
from .rule_states import rule_version
from .scores import Scores
from .scores.dataset import MONTHS, recorded
from .wording import evidence

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..settings import Settings
    from ..store.store import Store
    from ..warehouse.warehouse import Warehouse
    from .features import Features

FIRED = pa.schema(
    [
        ("version", pa.string()),
        ("as_of_on", pa.date32()),
        ("subject_id", pa.int64()),
        ("outcome", pa.bool_()),
        ("evidence", pa.string()),
    ]
)
# Two months: about what a campaign is given to act. One we chose; --within says another.
WITHIN_DAYS = 60
NOT_FOUND = pa.array([], pa.int64())


@frozen(kw_only=True)
class Target:
    """What judges a firing.

    Attributes:
        name: as it was asked for.
        eligible: SELECT of ``subject_id`` of those who can have the outcome, or None for everyone.
        label: target SQL.
        days: by when after a date the outcome is known.
    """

    name: str
    eligible: str | None
    label: str
    days: int


@frozen(kw_only=True)
class Backtest:
    """What a backtest found.

    Attributes:
        summary: one dictionary a group of firings: ``group`` (a version; of two also ``both``,
            ``only <version>``), firings, subjects, judged (firings on who could have the outcome,
            at dates by which it is known), hits (judged firings that the outcome followed),
            precision (hits of judged), base_rate (what precision would be without a rule), lift,
            recall (of the subjects that had the outcome, the share that was fired on before it).
            What needs an outcome is None without one, or where nothing was judged.
        dates: one dictionary a date and version: as_of_on, version, held, fired, cooling, judged,
            hits, eligible, positives.
        firings: every firing: version, as_of_on, subject_id, outcome (None if not judged),
            evidence (JSON).
        remarks: what the reader should know, one sentence each.
    """

    summary: tuple[dict[str, Any], ...] = field(hash=False)
    dates: tuple[dict[str, Any], ...] = field(hash=False)
    firings: pa.Table = field(repr=False, hash=False)
    remarks: tuple[str, ...] = ()


class Backtests:
    """Backtests rules over the warehouse; keeps nothing."""

    def __init__(
        self,
        warehouse: Warehouse,
        features: Features,
        store: Store,
        catalog: Catalog,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        self._warehouse, self._catalog, self._settings = warehouse, catalog, settings
        self._clock = clock
        scores = Scores(warehouse, features, store, catalog, settings, clock)
        self._conditions = Conditions(warehouse, features, scores, catalog)

    def run(
        self, rule: Rule, first: date, last: date, *, every: int = 1, outcome: str | None = None,
        within_days: int = WITHIN_DAYS, other: Rule | None = None,
    ) -> Backtest:  # fmt: skip
        """What a rule would have fired on at each of some dates.

        Args:
            rule: as it stands.
            first, last: as-of days, both included.
            every: days from one run of the rule to the next.
            outcome: what judges the firings: the name of a score, whose target and population are
                taken; ``<lifecycle>:<stage>``, a stage that is entered; or target SQL.
            within_days: days after a date in which the outcome counts; a score has its own.
            other: another text of the rule, to compare with.

        Raises:
            UsageError: for dates that are none. NotFound: for an outcome that is none.
            PluginError: if a condition cannot be answered.
        """
        if first > last or every < 1:
            raise UsageError(f"there is no date from {first} to {last} every {every} days.")
        rules = [rule, *([other] if other else [])]
        if other is not None and rule_version(other) == rule_version(rule):
            raise UsageError("both texts of the rule are the same; change one with --when.")
        target = None if outcome is None else self._target(rule.subject, outcome, within_days)
        self._warehouse.refresh_if_stale()
        tellers = [_Teller(rule=one, version=rule_version(one)) for one in rules]
        totals = _Totals()
        with self._warehouse.session() as session:
            known = self._known_until(session)
            remarks = self._remarks(rules, target, last, known)
            for day in _days(first, last, every):
                as_of = AsOf.end_of(day, self._settings.time_zone)
                labels = None
                if target is not None and day + timedelta(days=target.days) <= known:
                    labels = self._labels(session, rule.subject, target, as_of)
                    totals.add(labels)
                for teller in tellers:
                    held = self._held(session, teller.rule, as_of)
                    teller.tell(day, held, labels)
        firings = pa.concat_tables([t for one in tellers for t in one.fired] or [FIRED.empty_table()])  # fmt: skip
        dates = sorted((row for one in tellers for row in one.dates), key=lambda row: row["as_of_on"])  # fmt: skip
        return Backtest(
            summary=tuple(_summary([one.version for one in tellers], firings, totals)),
            dates=tuple(dates), firings=firings, remarks=remarks,
        )  # fmt: skip

    # --- the rule ---------------------------------------------------------------------------------

    def _held(self, session: Session, rule: Rule, as_of: AsOf) -> pa.Table:
        condition = Condition(name=rule.name, text=rule.when, wanted=rule.evidence)
        sight = Sight(session=session, population=Population.at(as_of))
        answers = self._conditions.answer_in(sight, rule.subject, [condition], as_of)
        if rule.name in answers.faults:
            owner = self._catalog.owner(rule.name)
            raise PluginError(owner, f"rule {rule.name}", answers.faults[rule.name])
        return answers.found[rule.name]

    def _remarks(
        self, rules: Sequence[Rule], target: Target | None, last: date, known: date
    ) -> tuple[str, ...]:
        said = []
        for rule in rules:
            columns, _ = self._conditions.check(
                rule.subject, [Condition(name=rule.name, text=rule.when)]
            )
            for name in columns.get(rule.name, ()):
                if name.startswith(("score_", "band_")):
                    said.append(
                        f"{name} is that of the last kept run by each date, or missing: run the "
                        "score for past dates with a model that was trained before them."
                    )
        if target is not None and last + timedelta(days=target.days) > known:
            first = known - timedelta(days=target.days)
            said.append(
                f"events are recorded in full until {known}, so dates after {first} are not judged."
            )
        return tuple(dict.fromkeys(said))

    def _known_until(self, session: Session) -> date:
        now = AsOf.at(self._clock(), self._settings.time_zone)
        months = session.frame(Population.at(now)).query(MONTHS).to_pylist()
        _, last = recorded([(m["events"], m["first_on"], m["last_on"]) for m in months])
        return last or date.min

    # --- the outcome ------------------------------------------------------------------------------

    def _target(self, subject: str, outcome: str, days: int) -> Target:
        if outcome in self._catalog.scores:
            score = self._catalog.scores[outcome]
            if score.subject != subject:
                raise UsageError(f"score {outcome} is of {score.subject}, the rule of {subject}.")
            return Target(
                name=outcome, eligible=score.population, label=score.target, days=score.horizon_days
            )  # fmt: skip
        if outcome.lstrip().lower().startswith(("select", "with")):
            return Target(name="the given SQL", eligible=None, label=outcome, days=days)
        lifecycle, colon, stage = outcome.rpartition(":")
        found = self._catalog.lifecycles.get(lifecycle)
        if not colon or found is None:
            known = [*self._catalog.scores, *(f"{n}:STAGE" for n in self._catalog.lifecycles)]
            raise NotFound("outcome", outcome, known)
        if all(one.name != stage for one in found.stages):
            raise NotFound(f"stage of {lifecycle}", stage, [one.name for one in found.stages])
        named = f"lifecycle = {quoted_text(lifecycle)}"
        into = f"to_stage = {quoted_text(stage)}"
        latest = (
            "SELECT c.subject_id, c.to_stage, row_number() OVER (PARTITION BY c.subject_id "  # noqa: S608
            f"ORDER BY c.at DESC, c.id DESC) AS place FROM stage_change c WHERE c.{named}"
        )
        return Target(
            name=outcome,
            # Who stands in the stage already cannot enter it.
            eligible=f"SELECT p.subject_id FROM population p LEFT JOIN ({latest}) s "  # noqa: S608
            "ON s.subject_id = p.subject_id AND s.place = 1 "
            f"WHERE coalesce(s.to_stage, '') <> {quoted_text(stage)}",
            label="SELECT DISTINCT subject_id, as_of, 1 AS label FROM stage_change "  # noqa: S608
            f"WHERE {named} AND {into} AND days_after > 0 AND days_after <= {days}",
            days=days,
        )

    def _labels(self, session: Session, subject: str, target: Target, as_of: AsOf) -> _Labels:
        """Who could have the outcome after a date, and who had it."""
        frame = session.frame(Population.at(as_of), purpose="population", subject=subject)
        eligible = frame.query(target.eligible or "SELECT subject_id FROM population")
        who = pc.unique(eligible.column("subject_id")).cast(pa.int64())
        rows = pa.table(
            {
                "subject_id": who,
                "as_of": pa.repeat(
                    pa.scalar(as_of.instant.replace(tzinfo=None), pa.timestamp("us")), len(who)
                ),
                "as_of_on": pa.repeat(pa.scalar(as_of.on, pa.date32()), len(who)),
            }
        )
        after = session.frame(
            Population.rows(rows), purpose="target", subject=subject, window_days=target.days
        )
        found = after.query(target.label)
        missing = {"subject_id", "label"} - set(found.column_names)
        if missing:
            raise UsageError(f"the outcome lacks the column {', '.join(sorted(missing))}.")
        had = found.filter(pc.equal(found.column("label").cast(pa.int64()), 1))
        return _Labels(eligible=who, positive=pc.unique(had.column("subject_id")).cast(pa.int64()))


@frozen
class _Labels:
    """Ids of those who could have the outcome after a date, and of those who had it."""

    eligible: pa.Array
    positive: pa.Array


@define
class _Totals:
    """Over all judged dates: how many could and did, and who did."""

    eligible: int = 0
    positive: int = 0
    subjects: set[int] = field(factory=set)

    def add(self, labels: _Labels) -> None:
        self.eligible += len(labels.eligible)
        self.positive += len(labels.positive)
        self.subjects.update(labels.positive.to_pylist())


@define
class _Teller:
    """Fires one text of a rule date after date, with its cool-down."""

    rule: Rule
    version: str
    recent: list[tuple[date, pa.Array]] = field(factory=list)
    fired: list[pa.Table] = field(factory=list)
    dates: list[dict[str, Any]] = field(factory=list)

    def tell(self, day: date, held: pa.Table, labels: _Labels | None) -> None:
        """Adds what fires at a date, which is later than those before."""
        since = day - timedelta(days=self.rule.cooldown_days)
        self.recent = [(on, ids) for on, ids in self.recent if on > since]
        cooling = pa.concat_arrays([NOT_FOUND, *(ids for _, ids in self.recent)])
        within = pc.is_in(held.column("subject_id"), value_set=cooling)
        fresh = held.filter(pc.invert(within))
        ids = fresh.column("subject_id").combine_chunks()
        if self.rule.cooldown_days:
            self.recent.append((day, ids))
        outcome = pa.nulls(len(ids), pa.bool_())
        if labels is not None:
            hit = pc.is_in(ids, value_set=labels.positive)
            judged = pc.is_in(ids, value_set=labels.eligible)
            outcome = pc.if_else(judged, hit, pa.scalar(None, pa.bool_()))
        columns = [name for name in fresh.column_names if name != "subject_id"]
        self.fired.append(
            pa.table(
                {
                    "version": pa.repeat(pa.scalar(self.version), len(ids)),
                    "as_of_on": pa.repeat(pa.scalar(day, pa.date32()), len(ids)),
                    "subject_id": ids,
                    "outcome": outcome,
                    "evidence": evidence(fresh, columns),
                },
                schema=FIRED,
            )
        )
        self.dates.append(
            {
                "as_of_on": day, "version": self.version, "held": held.num_rows, "fired": len(ids),
                "cooling": held.num_rows - len(ids),
                "judged": None if labels is None else len(ids) - outcome.null_count,
                "hits": None if labels is None else pc.sum(outcome).as_py() or 0,
                "eligible": None if labels is None else len(labels.eligible),
                "positives": None if labels is None else len(labels.positive),
            }
        )  # fmt: skip


def _days(first: date, last: date, every: int) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += timedelta(days=every)


def _summary(
    versions: Sequence[str], firings: pa.Table, totals: _Totals
) -> Iterator[dict[str, Any]]:
    parts = {v: firings.filter(pc.equal(firings.column("version"), v)) for v in versions}
    for version, rows in parts.items():
        yield _figures(version, rows, totals)
    if len(versions) == 2:
        old, new = (parts[v] for v in versions)
        in_new, in_old = _shared(old, new), _shared(new, old)
        yield _figures("both", old.filter(in_new), totals)
        yield _figures(f"only {versions[0]}", old.filter(pc.invert(in_new)), totals)
        yield _figures(f"only {versions[1]}", new.filter(pc.invert(in_old)), totals)


def _shared(rows: pa.Table, others: pa.Table) -> pa.Array:
    """Which firings have their like, subject and date, among others."""
    there = set(
        zip(*(others.column(n).to_pylist() for n in ("subject_id", "as_of_on")), strict=True)
    )
    mine = zip(*(rows.column(n).to_pylist() for n in ("subject_id", "as_of_on")), strict=True)
    return pa.array([one in there for one in mine], pa.bool_())


def _figures(group: str, rows: pa.Table, totals: _Totals) -> dict[str, Any]:
    outcome = rows.column("outcome")
    judged = rows.num_rows - outcome.null_count
    hits = pc.sum(outcome).as_py() or 0
    found = rows.filter(outcome.fill_null(False)).column("subject_id")
    precision = hits / judged if judged else None
    base = totals.positive / totals.eligible if totals.eligible else None
    return {
        "group": group, "firings": rows.num_rows,
        "subjects": len(np.unique(rows.column("subject_id").to_numpy())), "judged": judged,
        "hits": hits, "precision": precision, "base_rate": base,
        "lift": precision / base if precision is not None and base else None,
        "recall": len(set(found.to_pylist())) / len(totals.subjects) if totals.subjects else None,
    }  # fmt: skip
