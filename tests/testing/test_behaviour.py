"""The conformance suite's checks of behaviour: a sound plugin passes, a bad one fails its check."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from crmkit.testing.behaviour import (
    built_features,
    leak_faults,
    reimport_faults,
    reject_faults,
    report_faults,
)
from crmkit.testing.clock import SettableClock
from crmkit.testing.conformance import EmbeddedConformance
from crmkit.testing.worlds import append_later, open_empty, open_one, open_world

MANIFEST = """
name = "tea"
version = "1.0"
api = 1
"""
CODE = '''
"""A tea house: customers, their pots and the cups they drink."""
import csv
from datetime import date, timedelta

from crmkit import hookimpl
from crmkit.declarations import (
    Demo, DemoData, DemoFile, Feature, FeatureSet, ImportProfile, InteractionKind, RecordType,
    Report, ReportColumn,
)
from crmkit.entities import FieldType, Lifecycle

PROFILE = """
name = "tea-cups"
[source]
name = "till"
key = ["no"]
effective = "2026-01-01"
[[emit]]
entity = "customer"
key = "guest"
[[emit]]
entity = "tea.pot"
key = "guest"
[emit.fields]
litres = "litres"
[[emit]]
entity = "tea.cup"
key = "no"
occurred_at = "day"
[emit.fields]
sugar = "sugar"
"""
DAY = date(2026, 3, 31)


def generate(folder, customers, seed):
    path = folder / "cups.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["no", "guest", "litres", "day", "sugar"])
        for number in range(customers * 4):
            day = DAY - timedelta(days=number % 50)
            writer.writerow([number, number % customers, 1.5, day, number % 3])
        EXTRA
    return DemoData(files=[DemoFile(path=path, profile="tea-cups")], as_of=DAY)


def number(unit):
    return {"type": "number", "unit": unit, "pii": "none"}


@hookimpl
def register_record_types():
    return [RecordType(name="tea.pot", schema={"type": "object", "properties": {"litres": number("l")}})]


@hookimpl
def register_interaction_kinds():
    return [InteractionKind(name="tea.cup", schema={"type": "object", "properties": {"sugar": number("cube")}})]


@hookimpl
def register_features():
    return [FeatureSet(
        name="tea.habits",
        sql="""select p.subject_id, p.as_of, count(c.id) as tea_cups, max(t.litres) as tea_litres
               from population p
               left join tea_cup c on c.subject_id = p.subject_id and c.as_of = p.as_of
               left join tea_pot t on t.subject_id = p.subject_id and t.as_of = p.as_of
               group by p.subject_id, p.as_of""",
        features=[
            Feature(name="tea.cups", type=FieldType.INTEGER, unit="cup"),
            Feature(name="tea.litres", type=FieldType.NUMBER, unit="l"),
        ],
    )]


@hookimpl
def register_reports():
    return [Report(
        name="tea.by-channel", title="Cups by channel", sql="""REPORT""", key=["channel"],
        columns=[
            ReportColumn(name="channel", type=FieldType.TEXT),
            ReportColumn(name="cups", type=FieldType.INTEGER, unit="cup"),
        ],
    )]


@hookimpl
def register_profiles():
    return [ImportProfile(name="tea-cups", text=PROFILE)]


@hookimpl
def register_demos():
    return [Demo(name="tea", generate=generate)]

HOOK
'''
REPORT = "select coalesce(channel, 'none') as channel, count(*) as cups from tea_cup group by 1"
SOUND = {"REPORT": REPORT, "EXTRA": "", "HOOK": ""}


@pytest.fixture
def make_tea(tmp_path, monkeypatch):
    """Installs the plugin ``tea`` with these parts of its code replaced."""

    def make(**changes: str) -> None:
        code = CODE
        for mark, text in {**SOUND, **changes}.items():
            code = code.replace(mark, text)
        site = tmp_path / "site"
        package, info = site / "crmkit_tea", site / "crmkit_tea-1.0.dist-info"
        package.mkdir(parents=True)
        info.mkdir()
        (package / "__init__.py").write_text(code)
        (package / "crmkit-plugin.toml").write_text(MANIFEST)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: crmkit-tea\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[crmkit]\ntea = crmkit_tea\n")
        monkeypatch.syspath_prepend(str(site))

    yield make
    sys.modules.pop("crmkit_tea", None)


def tea_world(folder: Path, customers: int = 5):
    from crmkit_tea import Demo, generate

    demo = Demo(name="tea", generate=generate)
    return open_world(folder / "world", "tea", demo, customers=customers, seed=1)


def test_a_sound_plugin_passes_every_check(make_tea, tmp_path):
    make_tea()
    with tea_world(tmp_path) as world:
        assert leak_faults(world, "tea") == []
    with tea_world(tmp_path / "again") as world:
        assert reject_faults(world) == []
        assert reimport_faults(world) == []
        assert report_faults(world.crm, "tea", world.as_of) == []
    with open_empty(tmp_path / "empty", "tea", SettableClock()) as crm:
        assert report_faults(crm, "tea", crm.as_of()) == []


def test_the_features_of_the_world_are_those_counted_by_hand(make_tea, tmp_path):
    """Five guests drink twenty cups in turn, all within the last twenty days: four each."""
    make_tea()
    with tea_world(tmp_path) as world:
        found = built_features(world.crm, "tea", world.as_of)
    assert {tuple(values.items()) for values in found.values()} == {
        (("tea_cups", 4), ("tea_litres", 1.5))
    }
    assert len(found) == 5


def test_later_data_are_seen_later(make_tea, tmp_path):
    """What is appended must be real data, or the leak check would prove nothing."""
    make_tea()
    with tea_world(tmp_path) as world:
        before = built_features(world.crm, "tea", world.as_of)
        # 20 cups, 5 pots, and no stages; customers have no fields of this plugin.
        assert append_later(world) == 25
        world.clock.advance(days=1)
        after = built_features(world.crm, "tea", world.crm.as_of())
    assert sum(values["tea_cups"] for values in before.values()) == 20
    # Corrections (every third: 7 of 20) replace the cup that they correct, the others are new.
    assert sum(values["tea_cups"] for values in after.values()) == 20 + 13
    assert {values["tea_litres"] for values in before.values()} == {1.5}
    assert {values["tea_litres"] for values in after.values()} == {1.5 * 2 + 1}


def test_a_feature_that_sees_later_data_is_named(make_tea, tmp_path, monkeypatch):
    """The tables show no later rows, so the leak is put in where a broken engine would have it."""
    make_tea()
    with tea_world(tmp_path) as world:
        build = type(world.crm.features).build

        def leaking(self, subject, names, population):
            table = build(self, subject, names, population)
            with world.crm.store.read() as connection:
                rows = len(connection.execute(world.crm.store.tables["interaction"].select()).all())
            place = table.column_names.index("tea_cups")
            return table.set_column(place, "tea_cups", pa.array([rows] * table.num_rows))

        monkeypatch.setattr(type(world.crm.features), "build", leaking)
        (fault,) = leak_faults(world, "tea")
    assert fault.startswith("feature tea_cups of customer ")
    assert fault.endswith("was 20 and became 40 after later data were added")


def test_a_world_without_data_proves_nothing(make_tea, tmp_path):
    make_tea()
    with tea_world(tmp_path, customers=0) as world:
        assert leak_faults(world, "tea") == [
            "the demo makes no data, so nothing can be said about leaks"
        ]


def test_a_report_that_returns_other_columns_is_named(make_tea, tmp_path):
    make_tea(REPORT=REPORT.replace("as cups", "as drinks"))
    with open_empty(tmp_path / "empty", "tea", SettableClock()) as crm:
        (fault,) = report_faults(crm, "tea", crm.as_of())
    assert fault.startswith("report tea.by-channel: ")
    assert "drinks" in fault


def test_a_report_that_fails_on_one_customer_only_is_named(make_tea, tmp_path):
    make_tea(REPORT="select 'none' as channel, cast('x' || channel as bigint) as cups from tea_cup")
    with open_empty(tmp_path / "empty", "tea", SettableClock()) as crm:
        assert report_faults(crm, "tea", crm.as_of()) == []
    from crmkit_tea import Demo, generate

    demo = Demo(name="tea", generate=generate)
    with open_one(tmp_path / "one", "tea", demo, seed=1) as (crm, as_of):
        cups = crm.store.tables["interaction"]
        with crm.store.begin("test") as tx:
            tx.connection.execute(cups.update().values(channel="counter", tx=tx.id))
        (fault,) = report_faults(crm, "tea", as_of)
    assert fault.startswith("report tea.by-channel: ")


FORGETFUL = """
seen = []

@hookimpl
def check_rows(batch):
    from crmkit.declarations import RowFault
    seen.append(batch.entity)
    if seen.count(batch.entity) == 1:
        return []
    return [RowFault(row=0, field="sugar", value=None, message="not again")]
"""


def test_a_file_that_is_not_unchanged_the_second_time_is_named(make_tea, tmp_path):
    """A plugin that judges by what it remembers takes a row the first time and not the second."""
    make_tea(HOOK=FORGETFUL)
    with tea_world(tmp_path) as world:
        assert reject_faults(world) == []
        assert reimport_faults(world) == [
            "cups.csv by tea-cups, imported again: of 20 rows 0 created, 0 updated, 1 rejected"
        ]


def test_a_file_that_the_demos_own_profile_rejects_is_named(make_tea, tmp_path):
    make_tea(EXTRA="writer.writerow([99, 1, 'much', DAY, 1])")
    with tea_world(tmp_path) as world:
        assert reject_faults(world) == ["cups.csv by tea-cups: 1 of 21 rows rejected"]


SUITE = """
from crmkit.testing.conformance import PluginConformance

class TestTea(PluginConformance):
    plugin = "tea"
    customers = 5
"""
SUITE_TESTS = [t for name, t in vars(EmbeddedConformance).items() if name.startswith("test_")]
TESTS_OF_THE_SUITE = sum(not getattr(test, "pytestmark", []) for test in SUITE_TESTS)


@pytest.mark.parametrize(("changes", "failing"), [
    ({}, []),
    pytest.param({'"unit": unit, ': ""}, ["test_every_number_field_has_a_unit"], marks=pytest.mark.slow),
    pytest.param({'"pii": "none"': ""}, ["test_every_field_says_its_pii_class"], marks=pytest.mark.slow),
    pytest.param({'unit="cup"),\n            Feature': "),\n            Feature"}, ["test_every_number_feature_has_a_unit"], marks=pytest.mark.slow),
    ({"count(c.id)": "median(c.sugar)"}, ["test_the_sql_is_portable", "test_features_leak_no_future"]),
    ({"EXTRA": "writer.writerow([99, 1, 'much', DAY, 1])"}, ["test_the_import_is_idempotent"]),
])  # fmt: skip
def test_the_suite_fails_where_the_plugin_is_bad(make_tea, tmp_path, changes, failing):
    """The class as a plugin's tests use it, on a plugin found by its entry point."""
    make_tea(**changes)
    (tmp_path / "test_tea.py").write_text(SUITE)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider", "-m", "not slow", "test_tea.py"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    failed = [
        line.partition("::TestTea::")[2].partition(" ")[0]
        for line in run.stdout.splitlines()
        if line.startswith("FAILED")
    ]
    assert failed == failing, run.stdout
    assert f"{TESTS_OF_THE_SUITE - len(failing)} passed" in run.stdout
