"""Whether what a plugin declares is sound in itself, before anything is built from it.

SQL is not judged here: the warehouse's lint does that with its parser.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ..declarations import (
    CUSTOMER,
    CaseKind,
    Command,
    CostDriver,
    Feature,
    FeatureSet,
    InteractionKind,
    Ledger,
    Migration,
    Panel,
    Parameter,
    PrivacyGuard,
    RecordType,
    Report,
    Rule,
    Score,
    TierScheme,
    sql_name,
)
from ..entities.clocks import Target
from ..entities.field_types import FieldType
from ..entities.fields import NAME, PII_CLASSES, FieldSet
from ..entities.interaction import CHANNELS
from ..entities.lifecycle import Lifecycle
from ..entities.money import Money
from .declared import NOUNS, Declared

DIALECTS = ("sqlite", "postgresql")
_COST = re.compile(r"\d{1,9}(\.\d{1,6})?")

# attrs does not check types, and a title of None would break a report long after the plugin loaded.
# By annotation, as the declarations write it; what is not listed is judged by its own check.
_PLAIN: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int": (int,),
    "int | None": (int, type(None)),
    "bool": (bool,),
}

# Columns that the store and the warehouse add to each kind of table (design D2, D3, D5).
_SEEN = ("subject_id", "as_of", "days_before", "days_after")
_KEPT = ("valid_from", "valid_to", "version", "tx", "closed_tx", "customer_id")
ADDED = {
    "customer_fields": frozenset((*_SEEN, *_KEPT)),
    "record_types": frozenset((*_SEEN, *_KEPT, "id", "source", "ref", "owner_id")),
    "interaction_kinds": frozenset(
        (*_SEEN, "id", "customer_id", "occurred_at", "occurred_on", "channel", "direction", "actor",
         "source", "amount_minor", "currency", "record_type", "record_id", "tx")
    ),
}  # fmt: skip


def declaration_faults(declared: Declared) -> list[str]:
    """Every reason why these declarations are not sound, one sentence each; empty when sound."""
    wrong = [
        f"{NOUNS[kind]} {name}: {fault}"
        for kind, name, record in declared.named()
        for fault in _type_faults(record)
    ]
    if wrong:
        return wrong  # nothing else can be asked of values of the wrong type
    return [
        *(f"{label}: {fault}" for label, kind, fields in field_sets(declared)
          for fault in _field_faults(kind, fields)),
        *_each(declared, "record_types", lambda record: _owner_chain(record.name, declared)),
        *_each(declared, "record_types", lambda record: _revenue_faults(record, record.revenue)),
        *_each(declared, "interaction_kinds", lambda kind: _revenue_faults(kind, kind.revenue or ())),
        *_each(declared, "lifecycles", _lifecycle_faults),
        *_each(declared, "feature_sets", _feature_set_faults),
        *_each(declared, "scores", _score_faults),
        *_each(declared, "rules", _rule_faults),
        *_each(declared, "reports", _report_faults),
        *_each(declared, "commands", _command_faults),
        *_each(declared, "case_kinds", lambda kind: _case_kind_faults(kind, declared)),
        *_each(declared, "ledgers", _ledger_faults),
        *_each(declared, "tier_schemes", _tier_faults),
        *_each(declared, "cost_drivers", _cost_faults),
        *_each(declared, "panels", _panel_faults),
        *_guard_faults(declared),
        *_each(declared, "migrations", _migration_faults),
    ]  # fmt: skip


def field_sets(declared: Declared) -> Iterator[tuple[str, str, FieldSet]]:
    """Every field set as ``(label for messages, kind, fields)``."""
    if declared.customer_fields is not None:
        yield NOUNS["customer_fields"], "customer_fields", declared.customer_fields.fields
    for kind in ("record_types", "interaction_kinds"):
        for record in declared.of(kind):
            yield f"{NOUNS[kind]} {record.name}", kind, record.fields


def _type_faults(record: Any) -> Iterator[str]:
    for attribute in attrs.fields(type(record)):
        value = getattr(record, attribute.name)
        wanted = _PLAIN.get(str(attribute.type))
        if wanted is not None:
            # A bool is an int to Python, and never meant as one here.
            fits = isinstance(value, wanted) and (bool in wanted or not isinstance(value, bool))
            if not fits:
                yield f"{attribute.name} is {value!r:.60}, not {attribute.type}"
        elif attribute.type == "tuple[str, ...]":
            wrong = [item for item in value if not isinstance(item, str)]
            if wrong:
                yield f"{attribute.name} holds {wrong[0]!r:.60}, which is no text"
        elif isinstance(value, tuple):
            for item in value:
                if attrs.has(type(item)) and not isinstance(item, Feature):
                    yield from (f"{attribute.name}: {fault}" for fault in _type_faults(item))


def _each(declared: Declared, kind: str, check: Callable[[Any], Iterable[str]]) -> Iterator[str]:
    for record in declared.of(kind):
        label = record.id if isinstance(record, Migration) else record.name
        for fault in check(record):
            yield f"{NOUNS[kind]} {label}: {fault}"


def _field_faults(kind: str, fields: FieldSet) -> Iterator[str]:
    schema: Any = fields.schema  # a plugin may have handed in anything
    if not isinstance(schema, Mapping):
        yield f"its schema is a {type(schema).__name__}, not a JSON object"
        return
    yield from fields.faults()
    for column in fields.columns:
        if column.name in ADDED[kind]:
            yield f"field {column.field!r}: crmkit itself adds the column {column.name!r}; rename it"


def _owner_chain(name: str, declared: Declared) -> Iterator[str]:
    types = {record.name: record for record in declared.of("record_types")}
    seen, owner = [name], types[name].owner
    while owner not in (None, CUSTOMER):
        if owner not in types:
            yield (
                f"owner {owner!r} is not 'customer', None or a record type of this plugin "
                f"({', '.join(sorted(types))})"
            )
            return
        if owner in seen:
            yield f"is owned by itself: {' → '.join((*seen, owner))}"
            return
        seen.append(owner)
        owner = types[owner].owner


def _revenue_faults(record: RecordType | InteractionKind, names: Sequence[str]) -> Iterator[str]:
    is_kind = isinstance(record, InteractionKind)
    on = record.revenue_on if isinstance(record, RecordType) else ""
    if not names and not on:
        return
    money = [f.name for f in record.fields.fields if f.type is FieldType.MONEY]
    allowed = ["amount", *money] if is_kind else money
    for name in names:
        if name not in allowed:
            yield f"revenue names {name!r}, which is not an amount ({', '.join(allowed) or 'none'})"
    if not is_kind:
        dates = [f.name for f in record.fields.fields if f.type is FieldType.DATE]
        if not names or on not in dates:
            yield (
                f"revenue {', '.join(names) or 'of nothing'} on {on!r}: give the "
                f"amounts, and the date field of the day ({', '.join(dates) or 'none'})"
            )


def _lifecycle_faults(lifecycle: Lifecycle) -> Iterator[str]:
    if not lifecycle.stages:
        yield "has no stage"
        return
    yield from lifecycle.faults()


def _feature_set_faults(features: FeatureSet) -> Iterator[str]:
    if not features.features:
        yield "has no feature"
    if features.window_days is not None and features.window_days < 1:
        yield f"window_days is {features.window_days}, not at least 1"
    members: tuple[Any, ...] = features.features  # a plugin may have handed in anything
    for feature in members:
        if not isinstance(feature, Feature):
            yield f"holds {feature!r}, which is no Feature"
            continue
        texts = [feature.phrase] if isinstance(feature.phrase, str) else feature.phrase.values()
        for text in texts:
            for fault in _template_faults(text, {"value"}):
                yield f"feature {feature.name}: phrase {fault}"


def _score_faults(score: Score) -> Iterator[str]:
    if not score.features:
        yield "has no feature as input"
    for name in sorted({n for n in score.features if score.features.count(n) > 1}):
        yield f"names the feature {name!r} twice"
    if score.gap_days < 0 or score.horizon_days <= score.gap_days:
        yield (
            f"horizon_days ({score.horizon_days}) must be after gap_days ({score.gap_days}), "
            "and gap_days 0 or more"
        )


def _rule_faults(rule: Rule) -> Iterator[str]:
    if not rule.when.strip():
        yield "has an empty condition"
    if rule.cooldown_days < 0:
        yield f"cooldown_days is {rule.cooldown_days}, not 0 or more"
    if rule.action in ("propose_stage", "tag", "list", "open_case") and not rule.target:
        yield f"action {rule.action!r} needs a target"
    for fault in _template_faults(rule.message, None):
        yield f"message {fault}"


def _template_faults(text: str, allowed: set[str] | None) -> Iterator[str]:
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        yield f"{text!r} is no format: {error}"
        return
    for name in sorted(names):
        if allowed is not None and name not in allowed:
            yield f"{text!r} names {{{name}}}, not {{{'}, {'.join(sorted(allowed))}}}"
        elif not NAME.fullmatch(name):
            yield f"{text!r} names {{{name}}}, which is no column name"


def _report_faults(report: Report) -> Iterator[str]:
    columns = [column.name for column in report.columns]
    if not columns:
        yield "has no column"
    if not report.key:
        yield "has no key: name the columns that identify a row"
    for name in sorted({n for n in columns if columns.count(n) > 1}):
        yield f"column {name!r} is declared twice"
    asked = [("key", name) for name in report.key]
    asked += [("order", name.removeprefix("-")) for name in report.order]
    for chart in report.charts:
        asked += [("chart", n) for n in (chart.x, chart.y, chart.color, *chart.where) if n]
    if report.headline is not None:
        asked += [("headline", n) for n in (report.headline.column, *report.headline.where)]
    shown = {*columns, *(c.name.removesuffix("_minor") for c in report.columns if c.currency_minor)}
    numbers = {c.name for c in report.columns if c.type in (FieldType.INTEGER, FieldType.NUMBER)}
    for chart in report.charts:
        measured = chart.color if chart.kind == "heat" else chart.y
        if measured in columns and measured not in numbers:
            yield f"chart draws {measured!r}, which is no number"
    for what, name in dict.fromkeys(asked):
        if name not in shown:
            yield f"{what} names {name!r}, which is no column ({', '.join(columns)})"
    yield from _parameter_faults(report.parameters)


# What the command line adds to every command, or to those that say so.
_TAKEN = frozenset("help format output limit columns sort dry_run as_of".split())


def _command_faults(command: Command) -> Iterator[str]:
    run: Any = command.run  # a plugin may have handed in anything
    if not callable(run):
        yield f"run is {run!r:.60}, which cannot be called"
    if not command.help.strip():
        yield "has no help"
    if not command.example.startswith(f"crmkit {command.name}"):
        yield f"its example does not begin with 'crmkit {command.name}'"
    names = [parameter.name for parameter in command.parameters]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"parameter {name!r} is declared twice"
    for name in sorted(_TAKEN.intersection(names)):
        yield f"parameter {name!r}: crmkit itself has that option; rename it"
    if command.daily and not command.writes:
        yield "is daily and writes nothing"
    for name in [p.name for p in command.parameters if command.daily and p.required]:
        yield f"is daily, so parameter {name!r} cannot be required"
    columns = [column.name for column in command.columns]
    for name in sorted({n for n in columns if columns.count(n) > 1}):
        yield f"column {name!r} is declared twice"
    open_ended = [p.name for p in command.parameters if p.positional and p.multiple]
    if open_ended and open_ended != [[p.name for p in command.parameters if p.positional][-1]]:
        yield f"parameter {open_ended[0]!r} takes several values, so it must be the last argument"
    yield from _parameter_faults(command.parameters)


def _ledger_faults(ledger: Ledger) -> Iterator[str]:
    if not ledger.unit:
        yield "has no unit"
    for name in ("expires_after_months", "idle_months"):
        months = getattr(ledger, name)
        if months is not None and months < 1:
            yield f"{name} is {months}, not at least 1"


def _tier_faults(scheme: TierScheme) -> Iterator[str]:
    names = [tier.name for tier in scheme.tiers]
    if len(names) < 2:
        yield "needs at least two tiers"
        return
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"tier {name!r} is declared twice"
    if scheme.tiers[0].enter or scheme.tiers[0].keep:
        yield f"its lowest tier {names[0]!r} has a condition, so some would be in no tier"
    for tier in scheme.tiers[1:]:
        if not tier.enter.strip():
            yield f"tier {tier.name!r} has no condition to enter it"
    for name in ("grace_days", "rest_days"):
        if getattr(scheme, name) < 0:
            yield f"{name} is {getattr(scheme, name)}, not 0 or more"


REFUSAL_FIELDS = ("asked_for", "asked_by", "command", "answer")


def _guard_faults(declared: Declared) -> Iterator[str]:
    """A guard that looks at no field guards nobody, and one that cannot log refuses in silence."""
    kinds = {kind.name: kind for kind in declared.of("interaction_kinds")}
    fields = declared.customer_fields.fields.by_name if declared.customer_fields else {}
    holders = {record.name: record for record in declared.of("record_types")} | kinds
    for guard in declared.of("privacy_guards"):
        label = f"privacy guard {guard.name}"
        if guard.rows:
            yield from _row_guard_faults(label, guard, holders, declared)
            continue
        if guard.field not in fields:
            yield f"{label} looks at {guard.field!r}, which is no customer field of {declared.plugin}"
        if not guard.values:
            yield f"{label} has no values"
        kind = kinds.get(guard.refusals)
        if kind is None or not kind.anonymous:
            yield f"{label}: {guard.refusals!r} is no anonymous interaction kind of the plugin"
            continue
        missing = [name for name in REFUSAL_FIELDS if name not in kind.fields.by_name]
        if missing:
            yield f"{label}: the payload of {kind.name} lacks {', '.join(missing)}"


def _row_guard_faults(
    label: str, guard: PrivacyGuard, holders: Mapping[str, Any], declared: Declared
) -> Iterator[str]:
    """Rows are guarded by a text field of their own, and kept guarded beside the customer fields."""
    for name in guard.rows:
        held = holders.get(name)
        if held is None:
            yield f"{label}: {name!r} is no record type or interaction kind of {declared.plugin}"
        elif (found := held.fields.by_name.get(guard.field)) is None:
            yield f"{label} looks at {guard.field!r}, which {name} does not have"
        elif found.type is not FieldType.TEXT or not found.in_warehouse:
            yield f"{label} looks at {guard.field!r} of {name}, which is no text that the warehouse holds"
    if not guard.values:
        yield f"{label} has no values"
    if guard.refusals:
        yield f"{label} guards rows and logs no refusals, but names {guard.refusals!r}"
    if declared.customer_fields is None:
        yield f"{label}: a plugin with guards has customer fields, beside which they are kept"


def _panel_faults(panel: Panel) -> Iterator[str]:
    rows: Any = panel.rows  # a plugin may have handed in anything
    if not callable(rows):
        yield f"rows is {rows!r:.60}, which cannot be called"
    columns = [column.name for column in panel.columns]
    if not columns:
        yield "has no column"
    for name in sorted({n for n in columns if columns.count(n) > 1}):
        yield f"column {name!r} is declared twice"
    for name, pii in panel.pii.items():
        if name not in columns:
            yield f"pii names {name!r}, which is no column ({', '.join(columns)})"
        if pii not in PII_CLASSES:
            yield f"pii of {name!r} is {pii!r}, not one of {', '.join(PII_CLASSES)}"


def _cost_faults(driver: CostDriver) -> Iterator[str]:
    if (driver.per == "quantity") != bool(driver.field):
        yield f"per {driver.per!r} with the field {driver.field!r}: a quantity, and only it, has one"
    if driver.channel not in (None, *CHANNELS):
        yield f"channel {driver.channel!r} is not one of {', '.join(CHANNELS)}"
    if driver.cost is None:
        return
    if not _COST.fullmatch(driver.cost):
        yield f"cost {driver.cost!r} is no decimal of 0 or more with up to six places, as '0.35'"
    elif driver.per == "amount" and float(driver.cost) > 1:
        yield f"cost {driver.cost!r} is a share of the amount, so at most 1"


def _parameter_faults(parameters: Iterable[Parameter]) -> Iterator[str]:
    for parameter in parameters:
        if not NAME.fullmatch(parameter.name):
            yield f"parameter {parameter.name!r} does not match {NAME.pattern}"
        if parameter.choices is not None and parameter.default not in (None, *parameter.choices):
            yield f"parameter {parameter.name!r}: default {parameter.default!r} is no choice"


def _case_kind_faults(kind: CaseKind, declared: Declared) -> Iterator[str]:
    own = {lifecycle.name: lifecycle for lifecycle in declared.of("lifecycles")}
    if kind.lifecycle not in own:
        yield f"lifecycle {kind.lifecycle!r} is not one of this plugin ({', '.join(sorted(own))})"
        return
    states = {stage.name for stage in own[kind.lifecycle].stages}
    named = {"implied": kind.implied, **{f"verb {v}": s for v, s in kind.verbs.items()}}
    for clock in kind.clocks:
        for what in ("starts", "stops", "pauses", "cancels"):
            named[f"clock {clock.name}: {what}"] = getattr(clock, what)
        yield from _target_faults(kind, clock.name, clock.targets)
    for what, names in named.items():
        for name in names:
            if name not in states:
                yield f"{what} names {name!r}, which is no state of {kind.lifecycle}"
    clocks = [clock.name for clock in kind.clocks]
    for name in sorted({n for n in clocks if clocks.count(n) > 1}):
        yield f"clock {name!r} is declared twice"
    if kind.severities and kind.severity not in kind.severities:
        yield f"severity {kind.severity!r} is not one of {', '.join(kind.severities)}"
    for name in sorted(set(kind.severe) - set(kind.severities)):
        yield f"severe names {name!r}, which is not one of {', '.join(kind.severities)}"
    try:
        Money.parse(kind.compensation_limit, "USD")
    except ValueError as error:
        yield f"compensation_limit {error}"


def _target_faults(kind: CaseKind, clock: str, targets: Mapping[str, str]) -> Iterator[str]:
    for severity, text in targets.items():
        if severity and severity not in kind.severities:
            yield f"clock {clock}: severity {severity!r} is not one of {', '.join(kind.severities)}"
        try:
            Target.parse(text)
        except ValueError as error:
            yield f"clock {clock}: {error}"
    if not targets:
        yield f"clock {clock} has no target"


def _migration_faults(migration: Migration) -> Iterator[str]:
    for dialect in sorted(set(migration.statements) - set(DIALECTS)):
        yield f"dialect {dialect!r} is not one of {', '.join(DIALECTS)}"
    for dialect, statements in migration.statements.items():
        if isinstance(statements, str) or not all(isinstance(s, str) for s in statements):
            yield f"statements for {dialect} must be a list of SQL texts"
    prefix = sql_name(migration.id.partition(".")[0]) + "_"
    for column in migration.covers:
        if not column.startswith(prefix) or "." not in column:
            yield f"covers {column!r}, which is no '{prefix}<table>.<column>'"
