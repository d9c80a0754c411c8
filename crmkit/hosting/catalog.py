"""The catalog: everything that the sound, enabled plugins declare, by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

import attrs
from attrs import field, frozen

from ..declarations import (
    CUSTOMER,
    ESTIMATORS,
    CaseKind,
    Command,
    CostDriver,
    CustomerFields,
    Demo,
    Estimator,
    Feature,
    FeatureSet,
    ImportProfile,
    InteractionKind,
    Ledger,
    MatchKey,
    Migration,
    Panel,
    PrivacyGuard,
    RecordType,
    Report,
    Rule,
    Score,
    Segment,
    Service,
    TierScheme,
)
from ..entities.field_types import FieldType
from ..entities.lifecycle import Lifecycle
from ..errors import NotFound
from .declared import NOUNS, SHARED, Declared, name_of
from .manifest import Manifest

_KINDS = (
    "record_types", "interaction_kinds", "lifecycles", "feature_sets", "estimators",
    "scores", "rules",
    "segments", "reports", "profiles", "demos", "match_keys", "migrations", "commands",
    "services", "case_kinds", "ledgers", "tier_schemes", "cost_drivers",
    "panels", "privacy_guards",
)  # fmt: skip
NUMERIC = (FieldType.INTEGER, FieldType.NUMBER)
_DATA = ("customer_fields", "record_types", "interaction_kinds", "lifecycles")


def _by_name() -> Any:
    return field(factory=dict, converter=lambda found: MappingProxyType(dict(sorted(found.items()))), hash=False, repr=False)  # fmt: skip


@frozen(kw_only=True)
class Catalog:
    """What the enabled plugins declare; every mapping is by name and in sorted order.

    Args:
        plugins: the manifests of the plugins in it, built-ins included.
        customer_fields: by plugin; all others by the owned name, as ``telecom.plan``.
    """

    plugins: Mapping[str, Manifest] = _by_name()
    customer_fields: Mapping[str, CustomerFields] = _by_name()
    record_types: Mapping[str, RecordType] = _by_name()
    interaction_kinds: Mapping[str, InteractionKind] = _by_name()
    lifecycles: Mapping[str, Lifecycle] = _by_name()
    feature_sets: Mapping[str, FeatureSet] = _by_name()
    estimators: Mapping[str, Estimator] = _by_name()
    scores: Mapping[str, Score] = _by_name()
    rules: Mapping[str, Rule] = _by_name()
    segments: Mapping[str, Segment] = _by_name()
    reports: Mapping[str, Report] = _by_name()
    profiles: Mapping[str, ImportProfile] = _by_name()
    demos: Mapping[str, Demo] = _by_name()
    match_keys: Mapping[str, MatchKey] = _by_name()
    migrations: Mapping[str, Migration] = _by_name()
    commands: Mapping[str, Command] = _by_name()
    services: Mapping[str, Service] = _by_name()
    case_kinds: Mapping[str, CaseKind] = _by_name()
    ledgers: Mapping[str, Ledger] = _by_name()
    tier_schemes: Mapping[str, TierScheme] = _by_name()
    cost_drivers: Mapping[str, CostDriver] = _by_name()
    panels: Mapping[str, Panel] = _by_name()
    privacy_guards: Mapping[str, PrivacyGuard] = _by_name()
    shared_owners: Mapping[str, str] = _by_name()

    @cached_property
    def features(self) -> Mapping[str, Feature]:
        """Every feature of every set, by name."""
        found = {f.name: f for features in self.feature_sets.values() for f in features.features}
        return MappingProxyType(dict(sorted(found.items())))

    @cached_property
    def cost_drivers_of_kinds(self) -> Mapping[str, CostDriver]:
        """A driver for each interaction kind that has none, by the name of the kind, without a cost.

        Operators set the cost of those that they want to count.
        """
        driven = {driver.kind for driver in self.cost_drivers.values()}
        return MappingProxyType({
            name: CostDriver(name=name, kind=name, title=kind.title, title_zh=kind.title_zh)
            for name, kind in self.interaction_kinds.items()
            if name not in driven and name not in self.cost_drivers
        })  # fmt: skip

    def feature_set_of(self, feature_name: str) -> FeatureSet:
        """The set that computes a feature.

        Raises:
            NotFound: if no plugin declares that feature.
        """
        try:
            return self._sets[feature_name]
        except KeyError:
            raise NotFound("feature", feature_name, self._sets) from None

    def owner(self, name: str) -> str:
        """The plugin that owns a name: ``telecom.plan`` and ``telecom.tenure`` are telecom's.

        Profiles and demos are named freely; theirs is the plugin that declares them.

        Raises:
            NotFound: if no plugin here owns the name.
        """
        plugin, dot, _ = name.partition(".")
        if dot and plugin in self.plugins:
            return plugin
        if name in self.shared_owners:
            return self.shared_owners[name]
        if name == CUSTOMER and "core" in self.plugins:
            return "core"
        raise NotFound("declaration", name, [*self.shared_owners, *self._owned_names])

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the data declarations, the same whatever the order of installation."""
        data = {
            kind: {name: _data(record) for name, record in getattr(self, kind).items()}
            for kind in _DATA
        }
        text = json.dumps(data, sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def _sets(self) -> dict[str, FeatureSet]:
        return {
            f.name: features for features in self.feature_sets.values() for f in features.features
        }

    @cached_property
    def _owned_names(self) -> list[str]:
        return [name for kind in _KINDS for name in getattr(self, kind)]


def build_catalog(found: Iterable[tuple[Manifest, Declared]]) -> Catalog:
    """The catalog of plugins whose declarations have been checked."""
    plugins: dict[str, Manifest] = {}
    customer_fields: dict[str, CustomerFields] = {}
    by_kind: dict[str, dict[str, Any]] = {kind: {} for kind in _KINDS}
    owners: dict[str, str] = {}
    for manifest, declared in found:
        plugins[manifest.name] = manifest
        if declared.customer_fields is not None:
            customer_fields[manifest.name] = declared.customer_fields
        for kind in _KINDS:
            by_kind[kind].update((name_of(record), record) for record in declared.of(kind))
        owners.update(
            (name_of(record), manifest.name) for kind in SHARED for record in declared.of(kind)
        )
    return Catalog(
        plugins=plugins, customer_fields=customer_fields, shared_owners=owners, **by_kind
    )


def dangling(declared: Declared, known: Catalog, reachable: frozenset[str]) -> list[str]:
    """Names that a plugin refers to and nobody it may rely on declares, one sentence each.

    Args:
        known: all declarations that are still standing, the plugin's own among them.
        reachable: the plugins it may rely on: itself, the built-ins and what it requires.
    """
    out = []
    for label, kind, name in _references(declared):
        owner = name.partition(".")[0]
        if name not in getattr(known, kind):
            out.append(f"{label} {name!r}, which is not declared")
        elif owner not in reachable:
            out.append(f"{label} {name!r}; add {owner!r} to requires in the manifest")
    for driver in declared.of("cost_drivers"):
        counted = known.interaction_kinds.get(driver.kind)
        if driver.per == "quantity" and counted is not None:
            numbers = [
                f.name for f in counted.fields.fields if f.in_warehouse and f.type in NUMERIC
            ]
            if driver.field not in numbers:
                out.append(
                    f"cost driver {driver.name} counts the field {driver.field!r}, which is no "
                    f"number of {driver.kind} ({', '.join(numbers)})"
                )
    return out


def _references(declared: Declared) -> Iterable[tuple[str, str, str]]:
    """Each reference as ``(words, kind referred to, name)``."""
    for record in declared.of("record_types"):
        if record.lifecycle is not None:
            yield f"record type {record.name} names the lifecycle", "lifecycles", record.lifecycle
    for kind in declared.of("interaction_kinds"):
        if kind.subject is not None:
            yield f"interaction kind {kind.name} names the subject", "record_types", kind.subject
    for driver in declared.of("cost_drivers"):
        yield f"cost driver {driver.name} names the kind", "interaction_kinds", driver.kind
    for guard in declared.of("privacy_guards"):
        if guard.refusals:
            label = f"privacy guard {guard.name} names the kind"
            yield label, "interaction_kinds", guard.refusals
    for of in ("lifecycles", "feature_sets", "scores", "rules", "segments"):
        for record in declared.of(of):
            if record.subject != CUSTOMER:
                label = f"{NOUNS[of]} {record.name} names the subject"
                yield label, "record_types", record.subject
    for score in declared.of("scores"):
        for feature in score.features:
            yield f"score {score.name} needs the feature", "features", feature
        if score.estimator is not None and score.estimator not in ESTIMATORS:
            yield f"score {score.name} names the estimator", "estimators", score.estimator
    for report in declared.of("reports"):
        for name in report.scores:
            yield f"report {report.name} needs the score", "scores", name
    for demo in declared.of("demos"):
        for kind_name in ("lifecycles", "scores", "reports"):
            for name in getattr(demo, kind_name):
                yield f"demo {demo.name} shows the {NOUNS[kind_name]}", kind_name, name
        if demo.html is not None:
            yield f"demo {demo.name} writes the report", "reports", demo.html


def _data(record: Any) -> Any:
    """A record as plain data, sets sorted, so that equal declarations give equal text."""
    if isinstance(record, Lifecycle):
        data = attrs.asdict(record)
        return {**data, "moves": sorted(record.moves)}
    return attrs.asdict(record, recurse=False)
