"""Rules: conditions over features, scores and stages, fired for all subjects in one pass (L3).

A run is for everyone, for one customer now, or for those whose answer may have changed since the run
before. All three find out for whom the condition holds; what follows from that, cool-downs,
messages and what is kept, is one path. So they are equal as soon as they agree on who is held, and
an incremental run says for each rule why it had to look at everyone, if it had to.
"""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from attrs import field, frozen

from ..declarations import Rule, sql_name
from ..entities.asof import AsOf
from ..entities.field_types import FieldType
from ..entities.money import Money
from ..errors import NotFound
from ..warehouse.population import Population
from .conditions import Answers, Condition, Conditions, Sight
from .lifecycles import stage_of_rule
from .rule_changes import EVERYONE, RuleChanges
from .rule_states import RuleStates, rule_text, rule_version
from .runs import Runs
from .scores import Scores
from .wording import evidence, in_lists, message_columns, messages

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..settings import Settings
    from ..store.store import Store
    from ..warehouse.warehouse import Warehouse
    from .features import Features

FIRINGS = pa.schema(
    [
        ("rule", pa.string()),
        ("version", pa.string()),
        ("subject_type", pa.string()),
        ("subject_id", pa.int64()),
        ("action", pa.string()),
        ("target", pa.string()),
        ("message", pa.string()),
        ("evidence", pa.string()),
    ]
)
# Lists and alerts are read from the outcomes themselves; tags and cases need somebody who serves
# them, and without one a firing is counted and kept, not an error.
SERVED_HERE = ("list", "alert")
# What a file of firings says of its rule, beside what every run says.
VERSION, TEXT = "version", "rule"


@frozen(kw_only=True)
class RuleRun:
    """What the rules fired on.

    Attributes:
        firings: rule, version, subject_type, subject_id, action, target, message, evidence (JSON
            object of the columns that the rule rests on); by rule and subject.
        counts: one dictionary a rule that ran: rule, version, action, target, looked_at
            (``everyone``, ``changed`` or ``one customer``), why (of an incremental run: why
            everyone had to be looked at), fired, cooling (held, but fired within its cool-down),
            served (of those fired, how many somebody carries out).
        faults: rules that could not run, by name, one sentence each; the others ran.
        remarks: what the reader should know, one sentence each.
    """

    as_of: AsOf
    firings: pa.Table = field(repr=False, hash=False)
    counts: tuple[dict[str, Any], ...] = field(default=(), hash=False)
    faults: dict[str, str] = field(factory=dict, hash=False)
    remarks: tuple[str, ...] = ()

    def rows(self) -> list[dict[str, Any]]:
        """The firings as dictionaries, evidence as JSON text."""
        found: list[dict[str, Any]] = self.firings.to_pylist()
        return found


@frozen(kw_only=True)
class _Answered:
    """For whom one rule holds, and how that was found out."""

    rule: Rule
    held: pa.Table
    looked_at: str
    why: str = ""
    only: frozenset[int] | None = None


class Rules:
    """The rules of the enabled plugins."""

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
        scores = Scores(warehouse, features, store, catalog, settings, clock)
        self._conditions = Conditions(warehouse, features, scores, catalog)
        self._runs = Runs(settings.runs, store, clock)
        self._states = RuleStates(settings.runs)
        self._changes = RuleChanges(store, catalog, self._conditions, self._states, self._runs)

    def get(self, name: str) -> Rule:
        """The rule of that name.

        Raises:
            NotFound: with the near misses.
        """
        try:
            return self._catalog.rules[name]
        except KeyError:
            raise NotFound("rule", name, self._catalog.rules) from None

    def list(self) -> tuple[Rule, ...]:
        """Every rule, by name."""
        return tuple(self._catalog.rules.values())

    def ask(self, as_of: AsOf, names: Iterable[str] | None = None) -> dict[str, Answers]:
        """For whom each rule's condition holds as of a date, by subject; nothing fires or is kept.

        Args:
            as_of, names: as for :meth:`run`.

        Raises:
            NotFound: if a name is no rule's.
        """
        self._warehouse.refresh_if_stale()
        return {
            subject: self._conditions.answer(subject, [_condition(r) for r in mine], as_of)
            for subject, mine in _by_subject(self._named(names))
        }

    def run(
        self, as_of: AsOf, names: Iterable[str] | None = None, *, changed: bool = False,
        keep: bool = True,
    ) -> RuleRun:  # fmt: skip
        """Fires the rules as of a date and keeps what they fired on (design D7).

        A rule does not fire again on a subject within its cool-down, counted in days from the as-of
        of the earlier firing; running it twice for one date gives the same firings.

        Args:
            as_of: what may be seen.
            names: only these rules; None is all.
            changed: True looks only at subjects whose answer may have changed since the last run,
                with the same result; ``counts`` say where that was everyone, and why. Scores and
                features that look at other customers are those of the last full run (design D6).
            keep: False keeps nothing.

        Raises:
            NotFound: if a name is no rule's.
        """
        rules = self._named(names)
        self._warehouse.refresh_if_stale()
        answered: builtins.list[_Answered] = []
        remarks: builtins.list[str] = []
        faults: dict[str, str] = {}
        for subject, mine in _by_subject(rules):
            whole = {rule.name: "" for rule in mine}
            if changed:
                found, whole = self._of_changed(subject, mine, as_of, keep, faults)
                answered += found
            wanted = [rule for rule in mine if rule.name in whole]
            answers = self._conditions.answer(subject, [_condition(r) for r in wanted], as_of)
            faults.update(answers.faults)
            remarks += answers.remarks
            if keep:
                self._changes.keep_everyone(answers, as_of)
            for rule in wanted:
                if rule.name in answers.found:
                    held = answers.found[rule.name]
                    if keep:
                        self._changes.keep(rule, _condition(rule), held, answers, as_of)
                    answered.append(
                        _Answered(rule=rule, held=held, looked_at=EVERYONE, why=whole[rule.name])
                    )
        return self._fired(answered, as_of, keep, faults, remarks)

    def run_for(
        self, customer_id: int, as_of: AsOf, names: Iterable[str] | None = None, *,
        keep: bool = True,
    ) -> RuleRun:  # fmt: skip
        """Fires the rules for one customer and its records, from the rows that the store has now.

        No snapshot is needed (design D6). Scores and features that look at other customers are
        those of the last full run, whose date ``remarks`` give.

        Args:
            as_of, names, keep: as for :meth:`run`. What is kept of other customers stays.

        Raises:
            NotFound: if a name is no rule's.
        """
        answered: builtins.list[_Answered] = []
        remarks: builtins.list[str] = []
        faults: dict[str, str] = {}
        for subject, mine in _by_subject(self._named(names)):
            conditions = [_condition(rule) for rule in mine]
            columns, _ = self._conditions.check(subject, conditions)
            kept, said = self._changes.kept_columns(subject, columns.values(), as_of)
            remarks += said
            with self._warehouse.live(customer_id) as session:
                everyone = Population.at(as_of)
                sight = Sight(session=session, population=everyone, kept=kept)
                frame = session.frame(everyone, purpose="report", subject=subject)
                there = frame.query("SELECT subject_id FROM population").column("subject_id")
                answers = self._conditions.answer_in(sight, subject, conditions, as_of)
            faults.update(answers.faults)
            only = frozenset(there.to_pylist())
            answered += [
                _Answered(
                    rule=rule, held=answers.found[rule.name], looked_at="one customer", only=only
                )
                for rule in mine
                if rule.name in answers.found
            ]
        return self._fired(answered, as_of, keep, faults, remarks)

    def versions(self, name: str) -> tuple[dict[str, Any], ...]:
        """The texts under which a rule has run, oldest first.

        Returns:
            version, first_on and last_on (as-of days), runs, and the text's parts as when,
            message, action, target and cooldown_days. Runs of before versions were kept are left
            out.
        """
        self.get(name)
        found: dict[str, dict[str, Any]] = {}
        for day, told in self._runs.told(name):
            if VERSION not in told:
                continue
            one = found.setdefault(
                told[VERSION],
                {"version": told[VERSION], "first_on": day, "last_on": day, "runs": 0,
                 **json.loads(told[TEXT])},
            )  # fmt: skip
            one["first_on"], one["last_on"] = min(one["first_on"], day), max(one["last_on"], day)
            one["runs"] += 1
        return tuple(sorted(found.values(), key=lambda one: (one["first_on"], one["last_on"])))

    # --- steps ------------------------------------------------------------------------------------

    def _named(self, names: Iterable[str] | None) -> builtins.list[Rule]:
        return [*self.list()] if names is None else [self.get(name) for name in names]

    def _of_changed(
        self, subject: str, rules: Sequence[Rule], as_of: AsOf, keep: bool, faults: dict[str, str]
    ) -> tuple[builtins.list[_Answered], dict[str, str]]:
        """Answers for changed subjects, and the rules that need a look at everyone, with the reason."""
        conditions = {rule.name: _condition(rule) for rule in rules}
        plan = self._changes.plan(subject, rules, conditions, as_of)
        found = []
        for group in plan.groups:
            with self._warehouse.session() as session:
                answers, changed = self._changes.answer(session, subject, group, conditions, as_of)
            faults.update(answers.faults)
            for rule in group.rules:
                now = answers.found.get(rule.name)
                if now is None:
                    continue
                if self._changes.references_changed(changed, now.column_names):
                    plan.whole[rule.name] = "reference data that it reads were written"
                    continue
                held = _replaced(plan.held[rule.name].table, now, changed.subjects)
                if keep:
                    self._changes.keep(rule, conditions[rule.name], held, answers, as_of)
                found.append(_Answered(rule=rule, held=held, looked_at="changed"))
        return found, plan.whole

    def _fired(
        self, answered: Sequence[_Answered], as_of: AsOf, keep: bool, faults: dict[str, str],
        remarks: Sequence[str],
    ) -> RuleRun:  # fmt: skip
        tables, counts = [FIRINGS.empty_table()], []
        for one in answered:
            try:
                fired, cooling = self._fire(one, as_of, keep)
            except (ValueError, TypeError, KeyError, IndexError) as error:
                # A plugin's message that does not fit its values must not stop the others.
                faults[one.rule.name] = f"its message cannot be filled: {error}."
                continue
            tables.append(fired)
            counts.append(self._counted(one, fired.num_rows, cooling))
        firings = pa.concat_tables(tables)
        firings = firings.sort_by([("rule", "ascending"), ("subject_id", "ascending")])
        return RuleRun(
            as_of=as_of, firings=firings, counts=tuple(sorted(counts, key=lambda c: c["rule"])),
            faults=faults, remarks=tuple(dict.fromkeys(remarks)),
        )  # fmt: skip

    def _counted(self, one: _Answered, fired: int, cooling: int) -> dict[str, Any]:
        rule = one.rule
        if rule.action == "propose_stage":
            served = stage_of_rule(rule, self._catalog) is not None
        else:
            served = rule.action in SERVED_HERE
        return {
            "rule": rule.name, "version": rule_version(rule), "action": rule.action,
            "target": rule.target, "looked_at": one.looked_at, "why": one.why, "fired": fired,
            "cooling": cooling, "served": fired if served else 0,
        }  # fmt: skip

    def _fire(self, one: _Answered, as_of: AsOf, keep: bool) -> tuple[pa.Table, int]:
        """The firings of one rule, kept; and how many subjects are within the cool-down."""
        rule, held = one.rule, one.held
        standing = self._cooling(rule, held, as_of)
        cooling = standing.column("subject_id").combine_chunks()
        fresh = held.filter(pc.invert(pc.is_in(held.column("subject_id"), value_set=cooling)))
        said, told = self._words(rule, fresh)
        version, size = rule_version(rule), fresh.num_rows
        if keep:
            self._runs.write(
                "rule",
                rule.name,
                rule.subject,
                as_of,
                {
                    "subject_id": fresh.column("subject_id"),
                    "reasons": in_lists(said),
                    "evidence": told,
                    "model_version": [version] * size,
                },
                standing=standing,
                only=one.only,
                told={VERSION: version, TEXT: rule_text(rule)},
            )
        fired = pa.table(
            [
                pa.repeat(pa.scalar(rule.name), size),
                pa.repeat(pa.scalar(version), size),
                pa.repeat(pa.scalar(rule.subject), size),
                fresh.column("subject_id"),
                pa.repeat(pa.scalar(rule.action), size),
                pa.repeat(pa.scalar(rule.target), size),
                said,
                told,
            ],
            schema=FIRINGS,
        )
        return fired, standing.num_rows

    def _cooling(self, rule: Rule, held: pa.Table, as_of: AsOf) -> pa.Table:
        """Earlier firings within the cool-down, of subjects for whom the condition still holds."""
        first = as_of.on - timedelta(days=rule.cooldown_days)
        earlier = self._runs.before("rule", rule.name, _next(first), as_of.instant)
        if not rule.cooldown_days:
            return earlier.slice(0, 0)
        still = pc.is_in(
            earlier.column("subject_id"), value_set=held.column("subject_id").combine_chunks()
        )
        latest = earlier.filter(still).sort_by([("as_of", "descending")])
        # Within a cool-down there is one firing a subject, unless the rule's cool-down was changed.
        _, places = np.unique(latest.column("subject_id").to_numpy(), return_index=True)
        return latest.take(pa.array(places, pa.int64()))

    def _words(self, rule: Rule, fresh: pa.Table) -> tuple[pa.Array, pa.Array]:
        columns = [name for name in fresh.column_names if name != "subject_id"]
        money = self._money_columns(columns)

        def shown(name: str, value: Any) -> Any:
            return Money(value, self._warehouse.currency) if name in money else value

        return messages(rule.message, fresh, shown), evidence(fresh, columns)

    def _money_columns(self, columns: Sequence[str]) -> set[str]:
        return {
            sql_name(name)
            for name, feature in self._catalog.features.items()
            if feature.type is FieldType.MONEY and sql_name(name) in columns
        }


def _condition(rule: Rule) -> Condition:
    wanted = dict.fromkeys((*message_columns(rule.message), *rule.evidence))
    return Condition(name=rule.name, text=rule.when, wanted=tuple(wanted))


def _by_subject(rules: Sequence[Rule]) -> Iterable[tuple[str, builtins.list[Rule]]]:
    for subject in sorted({rule.subject for rule in rules}):
        yield subject, [rule for rule in rules if rule.subject == subject]


def _replaced(before: pa.Table, now: pa.Table, changed: pa.Array) -> pa.Table:
    """Who was held before with the changed subjects' answers replaced, in order of subject."""
    stays = before.filter(pc.invert(pc.is_in(before.column("subject_id"), value_set=changed)))
    both = pa.concat_tables([stays.select(now.column_names).cast(now.schema), now])
    return both.sort_by("subject_id")


def _next(day: date) -> date:
    return day + timedelta(days=1)
