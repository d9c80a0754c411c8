"""Which rules an incremental run can answer from changed subjects alone, and for whom.

A rule is answered for changed subjects alone when nothing else can have changed its answer since the
run before: its text and that of its features are the same, no value that it looks at changes by time
passing (:mod:`crmkit.analysis.time_dependence`), the scores and features of population scope that it
looks at come from the same run, and no reference data that its features read were written. Else
everyone is looked at, which is one more pass and never a wrong answer. On one local day that is the
exception; across days it is the rule for whatever counts days.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from attrs import field, frozen
from sqlalchemy import select

from ..declarations import CUSTOMER, FeatureSet, Rule, sql_name
from ..entities.asof import AsOf
from ..entities.transaction import REVERT
from ..warehouse.changes import Changed, Seen, find_changed
from ..warehouse.population import Population
from ..warehouse.reading import LOOK_BACK
from ..warehouse.session import Session
from .conditions import Answers, Condition, Conditions, Sight
from .rule_states import Held, RuleStates, rule_version
from .runs import Runs
from .time_dependence import TimeDependence, of_features, of_sql, tables_of
from .wide import BAND, SCORE, wide_columns

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..store.store import Store

EVERYONE = "everyone"


@frozen(kw_only=True)
class Group:
    """Rules of one subject that are answered together: their last runs had seen the same rows."""

    seen: Seen
    rules: tuple[Rule, ...]


@frozen(kw_only=True)
class Plan:
    """How an incremental run goes about its rules.

    Attributes:
        groups: rules that are answered for changed subjects.
        whole: the others, by name, with the reason in words.
        held: what the last run of each rule in ``groups`` left.
    """

    groups: tuple[Group, ...]
    whole: dict[str, str] = field(hash=False)
    held: Mapping[str, Held] = field(repr=False, hash=False)


class RuleChanges:
    """Knows what the last run of each rule rested on."""

    def __init__(
        self, store: Store, catalog: Catalog, conditions: Conditions, states: RuleStates, runs: Runs
    ) -> None:
        self._store, self._catalog, self._conditions = store, catalog, conditions
        self._states, self._runs = states, runs

    # --- before an answer -------------------------------------------------------------------------

    def plan(
        self, subject: str, rules: Sequence[Rule], conditions: Mapping[str, Condition], as_of: AsOf
    ) -> Plan:
        """Tells the rules that changed subjects suffice for from those that need everyone."""
        columns, _ = self._conditions.check(subject, [*conditions.values()])
        whole: dict[str, str] = {}
        held: dict[str, Held] = {}
        groups: dict[Seen, list[Rule]] = defaultdict(list)
        for rule in rules:
            found = self._states.held(rule.name)
            needed = columns.get(rule.name)
            reason = "it has not run before"
            if needed is None:
                reason = "it cannot run"
            elif found is not None:
                reason = self._reason(subject, rule, needed, found, as_of)
            if reason or found is None:
                whole[rule.name] = reason
                continue
            held[rule.name] = found
            groups[found.seen].append(rule)
        ordered = sorted(groups.items(), key=lambda one: one[0].until)
        return Plan(
            groups=tuple(Group(seen=seen, rules=tuple(mine)) for seen, mine in ordered),
            whole=whole,
            held=held,
        )

    def answer(
        self, session: Session, subject: str, group: Group, conditions: Mapping[str, Condition],
        as_of: AsOf,
    ) -> tuple[Answers, Changed]:  # fmt: skip
        """The answers of a group's rules for the changed subjects, and what has changed."""
        until = as_of.instant.replace(tzinfo=None)
        changed = find_changed(session, subject, group.seen, until)
        frame = session.frame(Population.at(as_of), purpose="report", subject=subject)
        there = frame.query("SELECT subject_id FROM population").column("subject_id")
        among = there.filter(pc.is_in(there, value_set=changed.subjects))
        wanted = [conditions[rule.name] for rule in group.rules]
        columns, _ = self._conditions.check(subject, wanted)
        kept, _ = self.kept_columns(subject, columns.values(), as_of)
        sight = Sight(
            session=session, population=Population.of(among.to_pylist(), as_of), kept=kept
        )
        answers = self._conditions.answer_in(sight, subject, wanted, as_of)
        return answers, changed

    def kept_columns(
        self, subject: str, columns: Iterable[Sequence[str]], as_of: AsOf
    ) -> tuple[dict[str, pa.Table], list[str]]:
        """Columns that look at other subjects as last computed for everyone, and remarks on them."""
        kept: dict[str, pa.Table] = {}
        said = []
        for name in sorted({name for names in columns for name in names}):
            if self._conditions.looks_at_others(subject, name):
                found = self._states.everyone(name)
                if found is None:
                    kind = pa.null()
                    kept[name] = pa.table({"subject_id": pa.array([], pa.int64()), name: pa.array([], kind)})  # fmt: skip
                    said.append(f"{name} looks at other customers and was never computed for all.")
                else:
                    kept[name] = found.table
                    said.append(
                        f"{name} looks at other customers and is of {found.as_of:%Y-%m-%d %H:%M}."
                    )
            elif name.startswith((SCORE, BAND)):
                score = wide_columns(self._catalog, subject)[name]
                run = self._runs.newest(score, as_of)
                said.append(
                    f"{name} is of the run for {run[:10]}." if run else f"{name} was never run."
                )
        return kept, said

    # --- after an answer --------------------------------------------------------------------------

    def keep(
        self, rule: Rule, condition: Condition, held: pa.Table, answers: Answers, as_of: AsOf
    ) -> None:
        """Leaves behind for whom a rule holds."""
        if answers.seen is None:
            return
        columns, _ = self._conditions.check(rule.subject, [condition])
        needed = columns[rule.name]
        self._states.keep_held(
            rule.name,
            Held(
                table=held, on=as_of.on, basis=self._basis(rule, needed),
                inputs=self._inputs(rule.subject, needed, as_of), seen=answers.seen,
            ),
        )  # fmt: skip

    def keep_everyone(self, answers: Answers, as_of: AsOf) -> None:
        """Leaves behind the columns that look at other subjects."""
        for name, table in answers.everyone.items():
            self._states.keep_everyone(name, table, as_of)

    # --- reasons ----------------------------------------------------------------------------------

    def _reason(
        self, subject: str, rule: Rule, columns: Sequence[str], held: Held, as_of: AsOf
    ) -> str:
        """Why everyone has to be looked at, or empty."""
        if held.basis != self._basis(rule, columns):
            return "its text, or that of a feature, is another one"
        if held.seen.until > as_of.instant.replace(tzinfo=None):
            return "its last run was for a later date"
        if subject != CUSTOMER and self._catalog.record_types[subject].owner is None:
            return f"a {subject} has no owner whose changes would tell"
        if self._lost_rows(held.seen):
            return "rows were taken out of the store"
        sets = self._sets(columns)
        if held.on != as_of.on:
            if any(of_features(one) is not TimeDependence.NEVER for one in sets):
                return "it counts days, and the day is another one"
            if any(name.startswith((SCORE, BAND)) for name in columns):
                return "it looks at a score, and the day is another one"
        told = [of_features(one) for one in sets]
        told.append(of_sql(f"SELECT (\n{rule.when}\n) AS held FROM wide"))  # noqa: S608
        if TimeDependence.ALWAYS in told:
            return "it computes with the very instant"
        if held.inputs != self._inputs(subject, columns, as_of):
            return "a score or a feature of everyone was computed anew"
        return ""

    def references_changed(self, changed: Changed, columns: Sequence[str]) -> bool:
        """Whether reference data that the columns are computed from were written."""
        return any(changed.references & tables_of(one.sql) for one in self._sets(columns))

    def _lost_rows(self, seen: Seen) -> bool:
        """Whether an import was taken back since, or the store is another one."""
        tx = self._store.tables["tx"].c
        with self._store.read() as connection:
            since = tx.id >= seen.newest - LOOK_BACK  # older ones were in the snapshot
            reverts = set(connection.scalars(select(tx.id).where(tx.command == REVERT, since)))
            known = connection.scalar(select(tx.id).where(tx.id == seen.newest))
        return bool(reverts - seen.listed) or (seen.newest > 0 and known is None)

    def _sets(self, columns: Sequence[str]) -> list[FeatureSet]:
        wanted = set(columns)
        found = {
            self._catalog.feature_set_of(name).name: self._catalog.feature_set_of(name)
            for name in self._catalog.features
            if sql_name(name) in wanted
        }
        return [*found.values()]

    def _basis(self, rule: Rule, columns: Sequence[str]) -> str:
        texts = [
            [one.name, one.sql, one.window_days, one.scope.value] for one in self._sets(columns)
        ]
        told = json.dumps([rule_version(rule), texts, self._catalog.fingerprint])
        return hashlib.sha256(told.encode()).hexdigest()

    def _inputs(self, subject: str, columns: Sequence[str], as_of: AsOf) -> dict[str, str]:
        known = wide_columns(self._catalog, subject)
        found = {}
        for name in columns:
            if name.startswith((SCORE, BAND)):
                found[name] = self._runs.newest(known[name], as_of)
            elif self._conditions.looks_at_others(subject, name):
                kept = self._states.everyone(name)
                found[name] = "" if kept is None else kept.run
        return found
