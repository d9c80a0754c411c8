"""Conditions over the wide table: checked one by one, answered for all subjects in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
import pyarrow as pa
import pyarrow.compute as pc
from attrs import field, frozen

from ..declarations import Scope, sql_name
from ..entities.asof import AsOf
from ..errors import CrmkitError, did_you_mean
from ..warehouse.changes import Seen
from ..warehouse.population import Population
from ..warehouse.portable import refused
from ..warehouse.session import Session, SnapshotTables
from .wide import build_wide, condition_columns, wide_columns

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..warehouse.warehouse import Warehouse
    from .features import Features
    from .scores import Scores


@frozen(kw_only=True)
class Condition:
    """A named condition, and the columns that are wanted of whoever fulfils it.

    Attributes:
        name: of the rule or segment.
        text: SQL over the wide table.
        wanted: columns beside those in the text.
    """

    name: str
    text: str
    wanted: tuple[str, ...] = ()


@frozen(kw_only=True)
class Sight:
    """Through what conditions are answered.

    Attributes:
        session: over the snapshot, or over the rows of one customer.
        population: for whom and as of when.
        kept: columns taken from an earlier run, by name: ``subject_id`` and the column.
    """

    session: Session
    population: Population
    kept: Mapping[str, pa.Table] = field(factory=dict, repr=False, hash=False)


@frozen(kw_only=True)
class Answers:
    """Who fulfils each condition.

    Attributes:
        found: by name, ``subject_id`` and the condition's columns, in order of subject.
        faults: conditions that could not be answered, by name, one sentence each.
        remarks: what the reader should know, as a score that has no model.
        everyone: the columns that look at other subjects, by name: ``subject_id`` and the column
            for the whole population.
        seen: what the answers could see; None without a snapshot.
    """

    found: Mapping[str, pa.Table] = field(repr=False)
    faults: Mapping[str, str]
    remarks: tuple[str, ...] = ()
    everyone: Mapping[str, pa.Table] = field(factory=dict, repr=False)
    seen: Seen | None = None


class Conditions:
    """Answers conditions of one subject over its wide table."""

    def __init__(
        self, warehouse: Warehouse, features: Features, scores: Scores, catalog: Catalog
    ) -> None:
        self._warehouse, self._features = warehouse, features
        self._scores, self._catalog = scores, catalog

    def answer(self, subject: str, conditions: Sequence[Condition], as_of: AsOf) -> Answers:
        """Who fulfils each condition at a date.

        A condition that is outside the portable subset, names an unknown column or fails when it
        runs is a fault; the others are answered all the same. A missing value fulfils nothing, as in
        SQL. Scores that the conditions name are run for the date first, if they have a model.
        """
        columns, faults = self.check(subject, conditions)
        remarks = self._run_scores({n for names in columns.values() for n in names}, as_of)
        with self._warehouse.session() as session:
            sight = Sight(session=session, population=Population.at(as_of))
            answers = self._answer(subject, conditions, columns, sight)
            seen = _seen(session, as_of)
        return attrs.evolve(
            answers, faults={**faults, **answers.faults}, remarks=remarks, seen=seen
        )

    def answer_in(
        self, sight: Sight, subject: str, conditions: Sequence[Condition], as_of: AsOf
    ) -> Answers:
        """The same for some subjects; scores that the conditions name are those of the last run."""
        columns, faults = self.check(subject, conditions)
        answers = self._answer(subject, conditions, columns, sight)
        seen = _seen(sight.session, as_of)
        return attrs.evolve(answers, faults={**faults, **answers.faults}, seen=seen)

    def check(
        self, subject: str, conditions: Sequence[Condition]
    ) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
        """The columns that each sound condition needs, and what is wrong with each other one."""
        columns: dict[str, tuple[str, ...]] = {}
        faults: dict[str, str] = {}
        for condition in conditions:
            try:
                columns[condition.name] = self._checked(subject, condition)
            except CrmkitError as error:
                faults[condition.name] = str(error)
        return columns, faults

    def _answer(
        self,
        subject: str,
        conditions: Sequence[Condition],
        columns: Mapping[str, tuple[str, ...]],
        sight: Sight,
    ) -> Answers:
        sound = [c for c in conditions if c.name in columns]
        faults: dict[str, str] = {}
        try:
            found, everyone = self._ask(subject, sound, columns, sight)
        except CrmkitError:
            # One of them fails, or a feature that one of them needs: ask each by itself, so that
            # the failing one is named and the others are answered.
            found, everyone = {}, {}
            for condition in sound:
                try:
                    one, of_all = self._ask(subject, [condition], columns, sight)
                except CrmkitError as error:
                    faults[condition.name] = str(error)
                    continue
                found.update(one)
                everyone.update(of_all)
        return Answers(found=found, faults=faults, everyone=everyone)

    def _checked(self, subject: str, condition: Condition) -> tuple[str, ...]:
        """The columns that a condition needs, if they all exist.

        Raises:
            SqlRefused: if the text is outside the portable subset, or a column is unknown.
        """
        named = set(condition_columns(self._catalog, subject, condition.text))
        known = wide_columns(self._catalog, subject)
        faults = []
        for name in sorted(set(condition.wanted) - set(known)):
            near = did_you_mean(name, known, sentence=False)
            hint = f" ({near})" if near else ""
            faults.append(f"{subject} has no column {name!r}{hint}")
        if faults:
            raise refused(faults)
        return tuple(sorted({*named, *condition.wanted} - {"subject_id", "as_of"}))

    def _run_scores(self, columns: set[str], as_of: AsOf) -> tuple[str, ...]:
        read = [
            name
            for name in self._catalog.scores
            if columns & {f"score_{sql_name(name)}", f"band_{sql_name(name)}"}
        ]
        said = [self._scores.ready(name, as_of) for name in read]
        return tuple(remark for remark in said if remark)

    def _ask(
        self,
        subject: str,
        conditions: Sequence[Condition],
        columns: Mapping[str, tuple[str, ...]],
        sight: Sight,
    ) -> tuple[dict[str, pa.Table], dict[str, pa.Table]]:
        if not conditions:
            return {}, {}
        needed = sorted({name for c in conditions for name in columns[c.name]})
        session, population = sight.session, sight.population
        wide = build_wide(
            session, self._features, self._catalog, subject, needed, population, sight.kept
        )
        # Each condition in a line of its own, so that a comment in one does not swallow the next.
        tests = ",\n".join(
            f"CASE WHEN (\n{c.text}\n) THEN 1 ELSE 0 END AS holds_{i}"
            for i, c in enumerate(conditions)
        )
        frame = session.frame(population, purpose="report", subject=subject, extra={"wide": wide})
        held = frame.query(f"SELECT subject_id, {tests} FROM wide")  # noqa: S608
        wide, held = wide.sort_by("subject_id"), held.sort_by("subject_id")
        found = {}
        for i, condition in enumerate(conditions):
            fulfilled = pc.equal(held.column(f"holds_{i}"), 1)
            found[condition.name] = wide.select(["subject_id", *columns[condition.name]]).filter(
                fulfilled
            )
        everyone = {
            name: wide.select(["subject_id", name])
            for name in needed
            if name not in sight.kept and self.looks_at_others(subject, name)
        }
        return found, everyone

    def looks_at_others(self, subject: str, column: str) -> bool:
        """Whether a column of the wide table is a feature of population scope (design D6)."""
        name = wide_columns(self._catalog, subject).get(column, "")
        if name not in self._catalog.features:
            return False
        return self._catalog.feature_set_of(name).scope is Scope.POPULATION


def _seen(session: Session, as_of: AsOf) -> Seen | None:
    tables = session.tables
    if not isinstance(tables, SnapshotTables):
        return None
    return Seen.of(tables.manifest, as_of.instant.replace(tzinfo=None))
