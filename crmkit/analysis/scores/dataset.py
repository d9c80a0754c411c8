"""Rows to learn from: who was there at a date, what was known then, and what happened afterwards."""

from __future__ import annotations

import calendar
import statistics
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import field, frozen

from ...declarations import Feature, Score, sql_name
from ...entities.asof import AsOf
from ...entities.phrasing import counted
from ...errors import ConfigError
from ...warehouse.population import Population

if TYPE_CHECKING:
    from ...hosting.catalog import Catalog
    from ...settings import Settings
    from ...warehouse.warehouse import Warehouse
    from ..features import Features

# Two years of month-ends: older behaviour tells of other prices and other competitors.
MAX_DATES = 24
# Enough for a few dozen weights; more rows cost memory (some 250 bytes each) and buy nothing.
MAX_ROWS = 400_000
# Column of a cross-section that tells the order of its rows in time.
POSITION = "position"

MONTHS = """
SELECT count(*) AS events, min(occurred_on) AS first_on, max(occurred_on) AS last_on
FROM interaction GROUP BY CAST(date_trunc('month', occurred_on) AS DATE)
"""


@frozen(kw_only=True)
class Dataset:
    """Labelled rows in order of date and subject.

    Attributes:
        table: ``subject_id, as_of, as_of_on, label`` and one column per feature.
        dates: as-of days, rising; a single one for data without time.
        timed: whether the label is what happened after the date, not a state on it.
        single: whether each row has a moment of its own, so that a day holds few of them.
        warnings: what was left out and why, one sentence each.
        inferred: rows whose outcome is not known but inferred, with the same columns but the place in
            time; they are learnt from and never tested on. None without.
    """

    table: pa.Table = field(repr=False, hash=False)
    dates: tuple[date, ...]
    timed: bool
    single: bool = False
    warnings: tuple[str, ...] = ()
    inferred: pa.Table | None = field(default=None, repr=False, hash=False)

    @property
    def label(self) -> np.typing.NDArray[np.float64]:
        """The outcome of each row, 0 or 1."""
        return np.asarray(self.table.column("label").to_numpy(), dtype=np.float64)

    def learnt(self, rows: pa.Table) -> pa.Table:
        """Some rows of the table with all inferred ones behind them, to be learnt from."""
        if self.inferred is None:
            return rows
        return pa.concat_tables([rows.select(self.inferred.column_names), self.inferred])

    def between(self, first: date | None, last: date | None) -> pa.Table:
        """The rows with an as-of day from ``first`` to ``last``, both included; None is open."""
        held = pc.is_valid(self.table.column("as_of_on"))
        if first is not None:
            held = pc.and_(held, pc.greater_equal(self.table.column("as_of_on"), pa.scalar(first)))
        if last is not None:
            held = pc.and_(held, pc.less_equal(self.table.column("as_of_on"), pa.scalar(last)))
        return self.table.filter(held)

    @property
    def last(self) -> Dataset:
        """The rows of the last date, one a subject; all of them where each has its own moment."""
        return self if self.single or not self.timed else self.on(self.dates[-1])

    def on(self, day: date) -> Dataset:
        """The rows of one date alone: one row a subject."""
        return attrs.evolve(self, table=self.between(day, day), dates=(day,))


class Datasets:
    """Assembles datasets over the warehouse; every SQL runs through a frame."""

    def __init__(
        self, warehouse: Warehouse, features: Features, catalog: Catalog, settings: Settings
    ) -> None:
        self._warehouse, self._features = warehouse, features
        self._catalog, self._settings = catalog, settings

    def inputs(self, score: Score) -> list[Feature]:
        """The declarations of the score's features, in its order."""
        return [self._catalog.features[name] for name in score.features]

    def to_score(self, score: Score, as_of: AsOf) -> pa.Table:
        """Everyone whom the score is about at a date, with the inputs, in order of subject."""
        return self._with_features(score, self._people(score, as_of))

    def of_subjects(self, score: Score, subjects: Sequence[int], as_of: AsOf) -> pa.Table:
        """The inputs of some subjects at a date, whether or not the score is about them then."""
        return self._with_features(score, _population_table(pa.array(subjects, pa.int64()), as_of))

    def with_inferred(
        self, score: Score, data: Dataset, outcomes: Mapping[int, int], as_of: AsOf
    ) -> Dataset:
        """A dataset with rows whose outcome is inferred, as the subjects are at a date.

        Args:
            outcomes: 0 or 1 by subject; subjects of the dataset, whose outcome is known, are left out.
        """
        known = set(data.table.column("subject_id").to_pylist())
        wanted = {subject: label for subject, label in outcomes.items() if subject not in known}
        if not wanted:
            return data
        ids = pa.array(sorted(wanted), pa.int64())
        labels = pa.array([wanted[subject] for subject in ids.to_pylist()], pa.int64())
        people = _population_table(ids, as_of).append_column("label", labels)
        said = f"{counted(len(ids), 'row')} with an inferred outcome: learnt from, and never tested on."
        return attrs.evolve(
            data, inferred=self._with_features(score, people), warnings=(*data.warnings, said)
        )

    def outcomes(self, score: Score, subjects: Sequence[int], as_of: AsOf) -> pa.Table:
        """What happened to some subjects after a date: ``subject_id, as_of, as_of_on, label``."""
        return self._with_labels(score, _population_table(pa.array(subjects, pa.int64()), as_of))

    def seen_until(self, score: Score, as_of: AsOf) -> date | None:
        """The last day of full recording among the events visible at a date."""
        return self._observed(score, as_of)[1]

    def cross_section(self, score: Score, as_of: AsOf) -> Dataset:
        """Rows of data without time: the label is a state at the very date.

        Raises:
            ConfigError: if the score declares no such form, or nobody is in it.
        """
        if score.cross_section is None:
            raise ConfigError(f"score {score.name} declares no form for data without time.")
        with self._warehouse.session() as session:
            frame = session.frame(Population.at(as_of), purpose="population", subject=score.subject)
            found = frame.query(score.cross_section)
        self._check_columns(score, "cross_section", found, ("subject_id", "as_of", "label"))
        if not found.num_rows:
            raise ConfigError(
                f"score {score.name}: nobody is in its cross-section on {as_of.on}.",
                hint="Import customers first.",
            )
        subjects = found.column("subject_id").cast(pa.int64())
        labels = _labels(score, pa.table({"subject_id": subjects}), found.column("label"))
        people = _population_table(subjects, as_of)
        # Where no row has a place there is no order; where some have one, the others are left out.
        if POSITION in found.column_names and found.column(POSITION).drop_null():
            people = _placed(people, subjects, found.column(POSITION))
        base = _labelled(people, labels)
        return Dataset(table=self._with_features(score, base), dates=(as_of.on,), timed=False)

    def over_time(self, score: Score, as_of: AsOf) -> Dataset:
        """Rows at past month-ends whose outcome had been seen before ``as_of``.

        A score with moments takes each subject at its own instead; one counts when its horizon had
        passed by ``as_of``, and whose outcome cannot be told is for the target to say.

        A date counts when its horizon had passed by the last day of full recording. Left out, and
        warned of, are dates on which an input was not known to anybody (design D3), and the last
        dates if nobody has had the outcome since: there the data end, not the outcomes.

        Raises:
            ConfigError: if no date is left, naming what is missing.
        """
        if score.moments is not None:
            return self._at_moments(score, score.moments, as_of)
        return self._on_dates(score, self._dates(score, as_of))

    def latest(self, score: Score, as_of: AsOf, least: int) -> Dataset:
        """The last month-end whose outcome had been seen before ``as_of``: one row a subject.

        Dates are computed from the last one back until one has ``least`` rows with and without the
        outcome: after the end of the data nobody has it. Without such a date it is the last one that
        has any.

        Raises:
            ConfigError: if there is no such date, naming what is missing.
        """
        if score.moments is not None:
            return self._at_moments(score, score.moments, as_of)
        dates = self._dates(score, as_of)
        thin: Dataset | None = None
        for day in reversed(dates):
            try:
                data = self._on_dates(score, [day])
            except ConfigError as error:
                if error.code != "E_NO_DATES":
                    raise
                continue
            positives = int(data.label.sum())
            if min(positives, len(data.label) - positives) >= least:
                return data
            thin = thin or (data if positives else None)
        if thin is not None:
            return thin
        raise ConfigError(
            f"score {score.name}: nobody {score.positive} after any of {_span(dates)}.",
            code="E_NO_DATES",
        )

    def _on_dates(self, score: Score, dates: Sequence[date]) -> Dataset:
        ends = [AsOf.end_of(day, self._settings.time_zone) for day in dates]
        people = _thinned(pa.concat_tables([self._people(score, end) for end in ends]))
        if not people.num_rows:
            raise ConfigError(
                f"score {score.name}: nobody is in its population at any of {_span(dates)}.",
                code="E_NO_DATES",
            )
        table = self._with_features(score, self._with_labels(score, people))
        return self._usable(score, table)

    def _at_moments(self, score: Score, moments: str, as_of: AsOf) -> Dataset:
        """One row a subject, at the moment that the score declares for it."""
        with self._warehouse.session() as session:
            frame = session.frame(Population.at(as_of), purpose="population", subject=score.subject)
            found = frame.query(moments)
        self._check_columns(score, "moments", found, ("subject_id", "moment"))
        people = _moments_table(found, self._settings.time_zone)
        latest = as_of.on - timedelta(days=score.horizon_days)
        held = pc.less_equal(people.column("as_of_on"), pa.scalar(latest))
        people = _thinned(people.filter(held))
        if not people.num_rows:
            raise ConfigError(
                f"score {score.name}: of {found.num_rows} moments none has its outcome known by "
                f"{as_of.on}: {score.horizon_days} days have to follow one.",
                code="E_NO_DATES",
            )
        table = self._with_features(score, self._with_labels(score, people))
        return self._usable(score, table, single=True)

    # --- steps ------------------------------------------------------------------------------------

    def _observed(self, score: Score, as_of: AsOf) -> tuple[date | None, date | None]:
        """First day with any event visible at ``as_of``, and the last day of full recording."""
        with self._warehouse.session() as session:
            frame = session.frame(Population.at(as_of), purpose="report", subject=score.subject)
            months = frame.query(MONTHS)
        found = [(row["events"], row["first_on"], row["last_on"]) for row in months.to_pylist()]
        return recorded(found)

    def _dates(self, score: Score, as_of: AsOf) -> list[date]:
        first, last = self._observed(score, as_of)
        dates = self._month_ends(score, first, last)
        if not dates:
            raise ConfigError(
                f"score {score.name}: no month-end has its outcome known by {as_of.on}: events are "
                f"seen from {first or 'no day'} to {last or 'no day'}, and {score.horizon_days} days "
                "have to follow a date.",
                code="E_NO_DATES",
            )
        return dates

    def _month_ends(self, score: Score, first: date | None, last: date | None) -> list[date]:
        if first is None or last is None:
            return []
        windows = [self._catalog.feature_set_of(name).window_days or 0 for name in score.features]
        # Inputs look back over a window; before it is full they say less than they will later. Where
        # the history is short, half of it is given for that.
        warm_up = min(max(windows, default=0), (last - first).days // 2)
        start = first + timedelta(days=warm_up)
        end = last - timedelta(days=score.horizon_days)
        return month_ends(start, end)[-MAX_DATES:]

    def _people(self, score: Score, as_of: AsOf) -> pa.Table:
        with self._warehouse.session() as session:
            frame = session.frame(Population.at(as_of), purpose="population", subject=score.subject)
            found = frame.query(score.population)
        self._check_columns(score, "population", found, ("subject_id", "as_of"))
        return _population_table(found.column("subject_id"), as_of)

    def _with_labels(self, score: Score, people: pa.Table) -> pa.Table:
        with self._warehouse.session() as session:
            frame = session.frame(
                Population.rows(people), purpose="target", subject=score.subject,
                window_days=score.horizon_days,
            )  # fmt: skip
            found = frame.query(score.target)
        self._check_columns(score, "target", found, ("subject_id", "as_of", "label"))
        keys = pa.table(
            {
                "subject_id": found.column("subject_id"),
                "as_of": found.column("as_of").cast(people.schema.field("as_of").type),
            }
        )
        return _labelled(people, _labels(score, keys, found.column("label")))

    def _with_features(self, score: Score, people: pa.Table) -> pa.Table:
        population = people.select(["subject_id", "as_of", "as_of_on"])
        wide = self._features.build(
            score.subject, list(score.features), Population.rows(population)
        )
        columns = [sql_name(name) for name in score.features]
        kept = wide.select(["subject_id", "as_of", *columns])
        kept = kept.set_column(1, "as_of", kept.column("as_of").cast(pa.timestamp("us")))
        joined = people.join(kept, ["subject_id", "as_of"], join_type="left outer")
        ordered = joined.sort_by([("as_of", "ascending"), ("subject_id", "ascending")])
        return _without_nan(ordered)

    def _usable(self, score: Score, table: pa.Table, *, single: bool = False) -> Dataset:
        """Drops the dates that cannot be learnt from, with a warning for each reason."""
        on = table.column("as_of_on")
        dates = sorted(pc.unique(on).to_pylist())
        warnings: list[str] = []
        happened = sorted(pc.unique(on.filter(pc.equal(table.column("label"), 1))).to_pylist())
        # With a few rows a day the last days may well be without an outcome.
        late = [day for day in dates if happened and day > happened[-1] and not single]
        if late:
            warnings.append(
                f"{_span(late)} left out: nobody {score.positive} after {happened[-1]}, so the "
                "outcomes may not have been recorded yet."
            )
        unknown = self._before_known(score, table, dates)
        if unknown:
            inputs = sorted({name for names in unknown.values() for name in names})
            warnings.append(
                f"{_span(sorted(unknown))} left out: not known to anybody then: {', '.join(inputs)}."
            )
        kept = [day for day in dates if day not in late and day not in unknown]
        if not kept:
            raise ConfigError(
                f"score {score.name}: no date can be trained on. " + " ".join(warnings),
                code="E_NO_DATES",
            )
        held = pc.is_in(on, value_set=pa.array(kept, pa.date32()))
        return Dataset(
            table=table.filter(held), dates=tuple(kept), timed=True, single=single,
            warnings=tuple(warnings),
        )  # fmt: skip

    def _before_known(
        self, score: Score, table: pa.Table, dates: Sequence[date]
    ) -> dict[date, list[str]]:
        """Dates on which an input that is known later was missing for everybody."""
        unknown: dict[date, list[str]] = {}
        on = table.column("as_of_on")
        for name in score.features:
            valid = pc.is_valid(table.column(sql_name(name)))
            known = set(pc.unique(on.filter(valid)).to_pylist())
            if not known:
                continue  # never known at all: it holds one value and is left out by the estimator
            for day in dates:
                if day < min(known):
                    unknown.setdefault(day, []).append(name)
        return unknown

    def _check_columns(
        self, score: Score, what: str, found: pa.Table, wanted: Sequence[str]
    ) -> None:
        missing = [name for name in wanted if name not in found.column_names]
        if missing:
            raise ConfigError(
                f"score {score.name} ({self._catalog.owner(score.name)}): its {what} SQL returns "
                f"{', '.join(found.column_names)} and lacks {', '.join(missing)}."
            )


def recorded(months: Sequence[tuple[int, date, date]]) -> tuple[date | None, date | None]:
    """From when to when events were recorded in full.

    A month with fewer than half the events of the median month is the tail of a feed that has
    ended, or a few notes of today beside data that end long before: what is not seen there has not
    been recorded, and taking it for "did not happen" would teach the score a falsehood. So the last
    day is the last one with an event in the last month that holds half the median or more.

    Args:
        months: events of each month that has any, with its first and last day with an event.

    Returns:
        First and last day, or None twice where there is no event.
    """
    if not months:
        return None, None
    ordered = sorted(months, key=lambda month: month[1])
    half = statistics.median(events for events, _, _ in ordered) / 2
    return ordered[0][1], [last for events, _, last in ordered if events >= half][-1]


def month_ends(first: date, last: date) -> list[date]:
    """The last days of months from ``first`` to ``last``, both included."""
    found = []
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        day = date(year, month, calendar.monthrange(year, month)[1])
        if first <= day <= last:
            found.append(day)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found


def _population_table(subjects: pa.ChunkedArray | pa.Array, as_of: AsOf) -> pa.Table:
    """Distinct subjects at one as-of, in order."""
    ids = pc.unique(subjects).cast(pa.int64())
    ids = ids.take(pc.sort_indices(ids)).drop_null()
    instant = as_of.instant.replace(tzinfo=None)
    return pa.table(
        {
            "subject_id": ids,
            "as_of": pa.array([instant] * len(ids), pa.timestamp("us")),
            "as_of_on": pa.array([as_of.on] * len(ids), pa.date32()),
        }
    )


def _moments_table(found: pa.Table, time_zone: str) -> pa.Table:
    """The first moment of each subject; visible is what occurred in it too (design D1)."""
    moments = found.select(["subject_id", "moment"]).cast(
        pa.schema([("subject_id", pa.int64()), ("moment", pa.timestamp("us"))])
    )
    first = moments.drop_null().group_by("subject_id").aggregate([("moment", "min")])
    moment = first.column("moment_min")
    local = pc.local_timestamp(
        pc.assume_timezone(moment, "UTC").cast(pa.timestamp("us", time_zone))
    )
    return pa.table(
        {
            "subject_id": first.column("subject_id"),
            "as_of": pc.add(moment, pa.scalar(timedelta(microseconds=1), pa.duration("us"))),
            "as_of_on": local.cast(pa.date32(), safe=False),
        }
    ).sort_by("subject_id")


def _placed(people: pa.Table, subjects: pa.ChunkedArray, places: pa.ChunkedArray) -> pa.Table:
    """People with their place in the order of time, the last one if they have several."""
    rows = pa.table({"subject_id": subjects, POSITION: places.cast(pa.float64())})
    last = rows.group_by("subject_id").aggregate([(POSITION, "max")])
    joined = people.join(last.rename_columns(["subject_id", POSITION]), ["subject_id"])
    return joined.filter(pc.is_valid(joined.column(POSITION)))


def _labels(score: Score, keys: pa.Table, label: pa.ChunkedArray) -> pa.Table:
    """One row for each key: ``label``, null where it cannot be told whether the outcome happened.

    Of several labels for one key a 1 counts before a NULL, and a NULL before a 0.
    """
    whole = label.cast(pa.int64())
    odd = sorted(set(pc.unique(whole.drop_null()).to_pylist()) - {0, 1})
    if odd:
        raise ConfigError(f"score {score.name}: a label is 0, 1 or NULL, not {odd[0]}.")
    rows = keys.append_column("label", whole)
    rows = rows.append_column("unknown", pc.cast(pc.is_null(whole), pa.int64()))
    found = rows.group_by(keys.column_names).aggregate([("label", "max"), ("unknown", "max")])
    happened = pc.fill_null(pc.equal(found.column("label_max"), 1), False)
    known = pc.or_(happened, pc.equal(found.column("unknown_max"), 0))
    held = pc.if_else(known, found.column("label_max"), pa.scalar(None, pa.int64()))
    return found.select(keys.column_names).append_column("label", held)


def _labelled(people: pa.Table, labels: pa.Table) -> pa.Table:
    """People with their ``label``, without those whose outcome cannot be told.

    Whoever the labels leave out has not had the outcome (contract of target SQL).
    """
    keys = [name for name in labels.column_names if name != "label"]
    told = labels.append_column("told", pa.array([True] * labels.num_rows, pa.bool_()))
    joined = people.join(told, keys)
    label, absent = joined.column("label"), pc.is_null(joined.column("told"))
    filled = pc.if_else(absent, pa.scalar(0, pa.int64()), label)
    kept = joined.select(people.column_names).append_column("label", filled)
    return kept.filter(pc.is_valid(filled))


def _thinned(people: pa.Table) -> pa.Table:
    """At most MAX_ROWS rows: every k-th subject with all its dates, the same ones each time."""
    if people.num_rows <= MAX_ROWS:
        return people
    keep_every = -(-people.num_rows // MAX_ROWS)
    # Ids are drawn in runs, so their low bits say when and by whom: mixed by a large odd factor
    # (Knuth, The Art of Computer Programming 3, section 6.4) they are as good as random.
    ids = people.column("subject_id").to_numpy().astype(np.uint64)
    mixed = (ids * np.uint64(11400714819323198485)) >> np.uint64(40)
    return people.filter(pa.array(mixed % np.uint64(keep_every) == 0))


def _without_nan(table: pa.Table) -> pa.Table:
    """Nulls in place of NaN, so that SQL and Python agree on what is missing."""
    for position, name in enumerate(table.column_names):
        values = table.column(name)
        if pa.types.is_floating(values.type):
            clean = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
            table = table.set_column(position, name, clean)
    return table


def _span(dates: Sequence[date]) -> str:
    return str(dates[0]) if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
