"""What one plugin declares, collected hook by hook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from ..declarations import (
    CaseKind,
    Command,
    CostDriver,
    CustomerFields,
    Demo,
    Estimator,
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
from ..entities.lifecycle import Lifecycle
from .claims import SHARED_NOUNS

# hook: (kind as the catalog calls it, class of the records). All but customer fields are lists.
DECLARING: dict[str, tuple[str, type]] = {
    "register_customer_fields": ("customer_fields", CustomerFields),
    "register_record_types": ("record_types", RecordType),
    "register_interaction_kinds": ("interaction_kinds", InteractionKind),
    "register_lifecycles": ("lifecycles", Lifecycle),
    "register_profiles": ("profiles", ImportProfile),
    "register_match_keys": ("match_keys", MatchKey),
    "register_migrations": ("migrations", Migration),
    "register_features": ("feature_sets", FeatureSet),
    "register_estimators": ("estimators", Estimator),
    "register_scores": ("scores", Score),
    "register_rules": ("rules", Rule),
    "register_segments": ("segments", Segment),
    "register_reports": ("reports", Report),
    "register_commands": ("commands", Command),
    "register_services": ("services", Service),
    "register_case_kinds": ("case_kinds", CaseKind),
    "register_ledgers": ("ledgers", Ledger),
    "register_tier_schemes": ("tier_schemes", TierScheme),
    "register_cost_drivers": ("cost_drivers", CostDriver),
    "register_panels": ("panels", Panel),
    "register_privacy_guards": ("privacy_guards", PrivacyGuard),
    "register_demos": ("demos", Demo),
}
HOOK_OF = {kind: hook for hook, (kind, _) in DECLARING.items()}
# What an error calls one of them.
NOUNS = {
    "customer_fields": "customer fields",
    "record_types": "record type",
    "interaction_kinds": "interaction kind",
    "lifecycles": "lifecycle",
    "profiles": SHARED_NOUNS["profiles"],
    "match_keys": "match key",
    "migrations": "migration",
    "feature_sets": "feature set",
    "features": "feature",
    "estimators": "estimator",
    "scores": "score",
    "rules": "rule",
    "segments": "segment",
    "reports": "report",
    "commands": SHARED_NOUNS["commands"],
    "services": "service",
    "case_kinds": "case kind",
    "ledgers": "ledger",
    "tier_schemes": "tier scheme",
    "cost_drivers": "cost driver",
    "panels": "panel",
    "privacy_guards": "privacy guard",
    "demos": SHARED_NOUNS["demos"],
}
# Named freely, not ``<plugin>.<name>``: two plugins that claim one are both refused. The nouns of
# commands are claimed by the manifests.
SHARED = ("profiles", "demos", "commands")


@frozen(kw_only=True)
class Declared:
    """Everything that one plugin declares; ``lists`` by kind, in the order returned."""

    plugin: str
    customer_fields: CustomerFields | None = None
    lists: Mapping[str, tuple[Any, ...]] = field(factory=dict)

    def of(self, kind: str) -> tuple[Any, ...]:
        """The records of one kind, as ``record_types``."""
        return self.lists.get(kind, ())

    def named(self) -> Iterator[tuple[str, str, Any]]:
        """Every named record as ``(kind, name, record)``, each feature beside its set."""
        for kind, records in self.lists.items():
            for record in records:
                yield kind, name_of(record), record
                if isinstance(record, FeatureSet):
                    for feature in record.features:
                        yield "features", feature.name, feature

    def claims(self) -> dict[str, tuple[str, ...]]:
        """The freely named records, by kind: what can clash with another plugin."""
        return {
            kind: tuple(sorted(name_of(record) for record in self.of(kind)))
            for kind in SHARED
            if kind != "commands" and self.of(kind)
        }


def name_of(record: Any) -> str:
    """The name by which a record is owned; a migration's is its id."""
    return record.id if isinstance(record, Migration) else record.name


def wrong_type(hook: str, result: object) -> str | None:
    """What is wrong with the type of a declaring hook's result, or None."""
    _, wanted = DECLARING[hook]
    if wanted is CustomerFields:
        if isinstance(result, CustomerFields):
            return None
        return f"returned {_said(result)}; return one CustomerFields or None"
    if not isinstance(result, (list, tuple)):
        return f"returned {_said(result)}; return a list of {wanted.__name__}"
    for position, record in enumerate(result):
        if not isinstance(record, wanted):
            return f"item {position} of its list is {_said(record)}, not a {wanted.__name__}"
    return None


def _said(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
