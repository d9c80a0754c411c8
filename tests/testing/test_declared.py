"""Each check of the conformance suite finds the one fault of a plugin made to have it."""

from __future__ import annotations

import attrs
import pytest

from crmkit.declarations import (
    CustomerFields,
    Feature,
    FeatureSet,
    InteractionKind,
    Parameter,
    RecordType,
    Report,
    ReportColumn,
    Rule,
    Score,
    Segment,
)
from crmkit.entities.fields import FieldType
from crmkit.entities.lifecycle import Lifecycle, Stage
from crmkit.hosting.catalog import Catalog, build_catalog
from crmkit.hosting.declared import Declared
from crmkit.hosting.manifest import Manifest
from crmkit.testing import declared as checks

CHECKS = (
    checks.unit_faults, checks.pii_faults, checks.feature_unit_faults, checks.lifecycle_faults,
    checks.sql_faults,
)  # fmt: skip


def schema(**properties: dict) -> dict:
    return {"type": "object", "properties": properties}


GOOD: dict[str, tuple] = {
    "record_types": (
        RecordType(
            name="tea.pot", schema=schema(litres={"type": "number", "unit": "l", "pii": "none"})
        ),
    ),
    "interaction_kinds": (
        InteractionKind(name="tea.cup", schema=schema(mood={"type": "string", "pii": "quasi"})),
    ),
    "lifecycles": (
        Lifecycle(
            name="tea.guest",
            stages=(Stage("new", "prospect"), Stage("gone", "termination")),
            moves={("new", "gone")},
            propose="select subject_id, as_of, 'gone' as stage, '' as reason from tea_cup",
        ),
    ),
    "feature_sets": (
        FeatureSet(
            name="tea.habits",
            sql="select subject_id, as_of, count(*) as tea_cups from tea_cup group by 1, 2",
            features=[Feature(name="tea.cups", type=FieldType.INTEGER, unit="cup")],
        ),
    ),
    "scores": (
        Score(
            name="tea.leaves",
            features=["tea.cups"],
            population="select subject_id, as_of from population",
            target="select subject_id, as_of, 1 as label from tea_cup",
        ),
    ),
    "rules": (Rule(name="tea.thirsty", when="tea_cups >= 3", action="alert"),),
    "segments": (Segment(name="tea.drinkers", where="tea_cups > 0"),),
    "reports": (
        Report(
            name="tea.by-channel",
            title="Cups by channel",
            sql="select channel, count(*) as cups from tea_cup where days_before <= $days group by 1",
            columns=[
                ReportColumn(name="channel", type=FieldType.TEXT),
                ReportColumn(name="cups", type=FieldType.INTEGER, unit="cup"),
            ],
            key=["channel"],
            parameters=[Parameter(name="days", type=FieldType.INTEGER)],
        ),
    ),
}
FIELDS = CustomerFields(schema(sugar={"type": "integer", "unit": "cube", "pii": "none"}))


def catalog_of(customer_fields: CustomerFields = FIELDS, **changed: object) -> Catalog:
    """The sound plugin ``tea`` with one kind of declaration replaced."""
    lists = {**GOOD, **{kind: (record,) for kind, record in changed.items()}}
    found = Declared(plugin="tea", customer_fields=customer_fields, lists=lists)
    return build_catalog([(Manifest(name="tea"), found)])


def found(**changed: object) -> dict[str, list[str]]:
    """Faults by check, of the sound plugin with these changes; checks without faults left out."""
    catalog = catalog_of(**changed)
    by_check = {check.__name__: check(catalog, "tea") for check in CHECKS}
    return {name: faults for name, faults in by_check.items() if faults}


def test_a_sound_plugin_has_no_faults():
    assert found() == {}


def test_another_plugins_declarations_are_not_judged():
    catalog = catalog_of(customer_fields=CustomerFields(schema(sugar={"type": "integer"})))
    assert [check(catalog, "coffee") for check in CHECKS] == [[], [], [], [], []]


@pytest.mark.parametrize("change", [
    {"customer_fields": CustomerFields(schema(sugar={"type": "integer", "pii": "none"}))},
    {"record_types": RecordType(name="tea.customer", schema=schema(sugar={"type": "number", "pii": "none"}))},
    {"interaction_kinds": InteractionKind(name="tea.cup", schema=schema(sugar={"type": "integer", "pii": "none"}))},
])  # fmt: skip
def test_a_number_without_unit_is_named(change):
    faults = found(**change)
    assert set(faults) == {"unit_faults"}
    (fault,) = faults["unit_faults"]
    assert fault.startswith("tea.")
    assert "field 'sugar' is a number without a unit" in fault


def test_a_field_without_pii_class_is_named():
    fields = CustomerFields(schema(sugar={"type": "integer", "unit": "cube"}))
    assert found(customer_fields=fields) == {
        "pii_faults": [
            "tea.customer: field 'sugar' does not say its 'pii' class (none, quasi, direct, secret)"
        ]
    }


def test_a_number_feature_without_unit_is_named():
    (habits,) = GOOD["feature_sets"]
    bare = attrs.evolve(habits, features=[Feature(name="tea.cups", type=FieldType.INTEGER)])
    assert found(feature_sets=bare) == {
        "feature_unit_faults": [
            "feature tea.cups is a number without a unit; say unit='1' for a pure number"
        ]
    }


def test_a_text_feature_needs_no_unit():
    (habits,) = GOOD["feature_sets"]
    text = attrs.evolve(habits, features=[Feature(name="tea.cups", type=FieldType.TEXT)])
    assert found(feature_sets=text) == {}


def test_a_stage_that_reaches_no_end_is_named():
    (guest,) = GOOD["lifecycles"]
    assert found(lifecycles=attrs.evolve(guest, moves=frozenset())) == {
        "lifecycle_faults": ["lifecycle tea.guest: stage 'new' reaches no end"]
    }


PORTABLE = GOOD["scores"][0]


@pytest.mark.parametrize(("kind", "record", "label", "words"), [
    ("feature_sets", attrs.evolve(GOOD["feature_sets"][0], sql="select subject_id, now() as tea_cups from tea_cup"), "feature set tea.habits", "now"),
    ("feature_sets", attrs.evolve(GOOD["feature_sets"][0], sql="select subject_id, as_of, 1 as tea_cups from outlook"), "feature set tea.habits", "there is no table 'outlook'"),
    ("scores", attrs.evolve(PORTABLE, population="delete from tea_cup"), "score tea.leaves, population", "not DELETE"),
    ("scores", attrs.evolve(PORTABLE, target="select 1; select 2"), "score tea.leaves, target", "2 statements were given"),
    ("scores", attrs.evolve(PORTABLE, cross_section="select subject_id, median(days_before) from tea_cup group by 1"), "score tea.leaves, cross_section", "median"),
    ("lifecycles", attrs.evolve(GOOD["lifecycles"][0], propose="select epoch(as_of) from tea_cup"), "lifecycle tea.guest, propose", "epoch"),
    ("reports", attrs.evolve(GOOD["reports"][0], parameters=[]), "report tea.by-channel", "parameter $days is not declared"),
    ("feature_sets", attrs.evolve(GOOD["feature_sets"][0], sql="select subject_id, as_of, sum(amount_minor) as tea_cups from tea_cup group by 1, 2"), "feature set tea.habits", "may add up several currencies"),
    ("rules", attrs.evolve(GOOD["rules"][0], when="tea_cups > (select 1)"), "rule tea.thirsty", "it may hold no SELECT"),
    ("segments", attrs.evolve(GOOD["segments"][0], where="random() > 0.5"), "segment tea.drinkers", "rand is not allowed"),
])  # fmt: skip
def test_sql_outside_the_portable_subset_is_named(kind, record, label, words):
    faults = found(**{kind: record})
    assert set(faults) == {"sql_faults"}
    (fault,) = faults["sql_faults"]
    assert fault.startswith(f"{label}: ")
    assert words in fault
