"""Rules: conditions over features, scores and stages, fired for all subjects in one pass (L3)."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from attrs import field, frozen

from ..declarations import Rule, sql_name
from ..entities.asof import AsOf
from ..entities.fields import FieldType
from ..entities.money import Money
from ..errors import NotFound
from .conditions import Condition, Conditions, Words, message_columns, plain
from .lifecycles import stage_of_rule
from .runs import Runs, as_json
from .scores import Scores

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..settings import Settings
    from ..store.store import Store
    from ..warehouse.warehouse import Warehouse
    from .features import Features

FIRINGS = pa.schema(
    [
        ("rule", pa.string()),
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


@frozen(kw_only=True)
class RuleRun:
    """What the rules fired on.

    Attributes:
        firings: rule, subject_type, subject_id, action, target, message, evidence (JSON object of
            the columns that the rule rests on); by rule and subject.
        counts: one dictionary a rule that ran: rule, action, target, fired, cooling (held, but
            fired within its cool-down), served (whether somebody carries the action out).
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

    def run(self, as_of: AsOf, names: Iterable[str] | None = None) -> RuleRun:
        """Fires the rules as of a date and keeps what they fired on (design D7).

        A rule does not fire again on a subject within its cool-down, counted in days from the as-of
        of the earlier firing; running it twice for one date gives the same firings.

        Args:
            as_of: what may be seen.
            names: only these rules; None is all.

        Raises:
            NotFound: if a name is no rule's.
        """
        rules = [*self.list()] if names is None else [self.get(name) for name in names]
        self._warehouse.refresh_if_stale()
        tables, counts = [FIRINGS.empty_table()], []
        remarks: builtins.list[str] = []
        faults: dict[str, str] = {}
        for subject in sorted({rule.subject for rule in rules}):
            mine = [rule for rule in rules if rule.subject == subject]
            answers = self._conditions.answer(subject, [_condition(r) for r in mine], as_of)
            faults.update(answers.faults)
            remarks += answers.remarks
            for rule in mine:
                if rule.name in answers.found:
                    try:
                        fired, cooling = self._fire(rule, answers.found[rule.name], as_of)
                    except (ValueError, TypeError, KeyError, IndexError) as error:
                        # A plugin's message that does not fit its values must not stop the others.
                        faults[rule.name] = f"its message cannot be filled: {error}."
                        continue
                    tables.append(fired)
                    counts.append(self._counted(rule, fired.num_rows, cooling))
        firings = pa.concat_tables(tables)
        firings = firings.sort_by([("rule", "ascending"), ("subject_id", "ascending")])
        return RuleRun(
            as_of=as_of, firings=firings, counts=tuple(counts), faults=faults,
            remarks=tuple(dict.fromkeys(remarks)),
        )  # fmt: skip

    def _counted(self, rule: Rule, fired: int, cooling: int) -> dict[str, Any]:
        if rule.action == "propose_stage":
            served = stage_of_rule(rule, self._catalog) is not None
        else:
            served = rule.action in SERVED_HERE
        return {
            "rule": rule.name, "action": rule.action, "target": rule.target, "fired": fired,
            "cooling": cooling, "served": served,
        }  # fmt: skip

    def _fire(self, rule: Rule, held: pa.Table, as_of: AsOf) -> tuple[pa.Table, int]:
        """The firings of one rule, kept; and how many subjects are within the cool-down."""
        standing = self._cooling(rule, held, as_of)
        cooling = standing.column("subject_id").combine_chunks()
        fresh = held.filter(pc.invert(pc.is_in(held.column("subject_id"), value_set=cooling)))
        messages, evidence = self._words(rule, fresh)
        self._runs.write(
            "rule",
            rule.name,
            rule.subject,
            as_of,
            {
                "subject_id": fresh.column("subject_id"),
                "reasons": [[message] for message in messages],
                "evidence": evidence,
            },
            standing=standing,
        )
        size = fresh.num_rows
        fired = pa.table(
            [
                pa.repeat(pa.scalar(rule.name), size),
                pa.repeat(pa.scalar(rule.subject), size),
                fresh.column("subject_id"),
                pa.repeat(pa.scalar(rule.action), size),
                pa.repeat(pa.scalar(rule.target), size),
                pa.array(messages, pa.string()),
                pa.array(evidence, pa.string()),
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
        seen: set[int] = set()
        keep = []
        for subject in latest.column("subject_id").to_pylist():
            keep.append(subject not in seen)
            seen.add(subject)
        return latest.filter(pa.array(keep, pa.bool_()))

    def _words(self, rule: Rule, fresh: pa.Table) -> tuple[builtins.list[str], builtins.list[str]]:
        words = Words()
        columns = [name for name in fresh.column_names if name != "subject_id"]
        money = self._money_columns(columns)
        messages, evidence = [], []
        for row in fresh.to_pylist():
            shown = {
                name: Money(row[name], self._settings.currency)
                if name in money and row[name] is not None
                else row[name]
                for name in columns
            }
            messages.append(words.vformat(rule.message, (), shown))
            evidence.append(as_json(plain(row, columns)))
        return messages, evidence

    def _money_columns(self, columns: Sequence[str]) -> set[str]:
        return {
            sql_name(name)
            for name, feature in self._catalog.features.items()
            if feature.type is FieldType.MONEY and sql_name(name) in columns
        }


def _condition(rule: Rule) -> Condition:
    wanted = dict.fromkeys((*message_columns(rule.message), *rule.evidence))
    return Condition(name=rule.name, text=rule.when, wanted=tuple(wanted))


def _next(day: date) -> date:
    return day + timedelta(days=1)
