"""Features: values worked by hand, no look into the future, the same for one customer and for all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from crmkit.analysis.features import Features
from crmkit.analysis.wide import build_wide, condition_columns, wide_columns
from crmkit.declarations import (
    CustomerFields,
    Feature,
    FeatureSet,
    InteractionKind,
    RecordType,
    Scope,
    Score,
    StageMove,
)
from crmkit.entities import FieldType, Lifecycle, NewInteraction, Stage
from crmkit.entities.asof import AsOf
from crmkit.errors import NotFound, PluginError, SqlRefused, UsageError
from crmkit.hosting.catalog import Catalog
from crmkit.hosting.manifest import Manifest
from crmkit.store.store import Store
from crmkit.warehouse.population import Population
from crmkit.warehouse.runs import write_run
from crmkit.warehouse.warehouse import Warehouse

ZONE = "Asia/Shanghai"
TEXT, DAY, NUMBER = {"type": "string"}, {"type": "string", "format": "date"}, {"type": "number"}


def fields(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


LOANS = FeatureSet(
    name="library.loans",
    sql="SELECT subject_id, as_of, count(*) AS library_loans, max(pages) AS library_most_pages, "
    "min(days_before) AS library_days_since_loan FROM library_loan GROUP BY subject_id, as_of",
    features=(
        Feature(name="library.loans", type=FieldType.INTEGER, unit="loan", missing=0),
        Feature(name="library.most_pages", type=FieldType.NUMBER, unit="page", missing=-1),
        Feature(name="library.days_since_loan", type=FieldType.INTEGER, unit="day"),
    ),
)
RECENT = FeatureSet(
    name="library.recent",
    # Columns may leave the plugin's name out.
    sql="SELECT subject_id, as_of, count(*) AS loans_30d FROM library_loan GROUP BY subject_id, as_of",
    features=(Feature(name="library.loans_30d", type=FieldType.INTEGER, unit="loan", missing=0),),
    window_days=30,
)
CARD = FeatureSet(
    name="library.card",
    sql="SELECT c.subject_id, c.as_of, max(c.grade) AS library_grade, "
    "count(*) FILTER (WHERE c.issued_on <= c.as_of_on) AS library_cards, max(r.shelf) AS library_shelf "
    "FROM library_card c LEFT JOIN library_room r ON r.code = c.room AND r.as_of = c.as_of "
    "GROUP BY c.subject_id, c.as_of",
    features=(
        Feature(name="library.grade", type=FieldType.TEXT),
        Feature(name="library.cards", type=FieldType.INTEGER, unit="card", missing=0),
        Feature(name="library.shelf", type=FieldType.TEXT),
    ),
)
RANK = FeatureSet(
    name="library.rank",
    sql="SELECT subject_id, as_of, percent_rank() OVER (PARTITION BY as_of ORDER BY n) AS library_rank "
    "FROM (SELECT subject_id, as_of, count(*) AS n FROM library_loan GROUP BY subject_id, as_of) x",
    features=(Feature(name="library.rank", type=FieldType.NUMBER, unit="1"),),
    scope=Scope.POPULATION,
)
STAGES = Lifecycle(
    name="library.reader",
    stages=[Stage("new", "prospect"), Stage("keen", "growth"), Stage("gone", "termination")],
    moves=[("new", "keen"), ("keen", "gone"), ("new", "gone")],
)
LAPSE = Score(
    name="library.lapse", features=("library.loans",), population="SELECT 1", target="SELECT 1"
)


def catalog(*sets: FeatureSet) -> Catalog:
    found = sets or (LOANS, RECENT, CARD, RANK)
    return Catalog(
        plugins={"library": Manifest(name="library", version="0.1")},
        customer_fields={
            "library": CustomerFields(fields(city=TEXT, left_because={**TEXT, "known": "outcome"}))
        },
        record_types={
            "library.card": RecordType(
                name="library.card",
                schema=fields(grade=TEXT, room=TEXT, issued_on={**DAY, "timeless": True}),
            ),
            "library.room": RecordType(
                name="library.room", schema=fields(code=TEXT, shelf=TEXT), owner=None
            ),
        },
        interaction_kinds={
            "library.loan": InteractionKind(name="library.loan", schema=fields(pages=NUMBER))
        },
        feature_sets={one.name: one for one in found},
        lifecycles={"library.reader": STAGES},
        scores={"library.lapse": LAPSE},
    )


class Library:
    """A store, its warehouse and its features, with short ways to write."""

    def __init__(self, url: str, folder: Path) -> None:
        self.now = datetime(2026, 1, 1, 4, tzinfo=UTC)
        self.folder = folder
        self.store = Store(url, catalog(), clock=lambda: self.now, actor="tester", time_zone=ZONE)
        self.store.upgrade()
        self.declare()

    def declare(self, *sets: FeatureSet) -> None:
        found = catalog(*sets)
        self.warehouse = Warehouse(
            self.folder / "warehouse", found, self.store, time_zone=ZONE, runs=self.folder / "runs"
        )
        self.catalog, self.features = found, Features(self.warehouse, found)

    def reader(self, **more: Any) -> int:
        return self.store.customers.add(**more).id

    def loan(self, reader: int, at: str, ref: str | None = None, **payload: Any) -> None:
        occurred = datetime.fromisoformat(at).replace(tzinfo=UTC)
        self.store.interactions.log(
            NewInteraction(
                kind="library.loan",
                customer_id=reader,
                occurred_at=occurred,
                ref=ref,
                payload=payload,
            )
        )

    def card(self, ref: str, on: str, owner: int | None = None, **values: Any) -> None:
        kind = "library.card" if owner else "library.room"
        self.store.records.set(
            kind, source="desk", ref=ref, owner_id=owner, values=values,
            effective=datetime.fromisoformat(on).replace(tzinfo=UTC),
        )  # fmt: skip

    def build(self, day: str, *names: str) -> list[dict[str, Any]]:
        table = self.features.build("customer", names or None, Population.at(end_of(day)))
        return table.drop_columns(["as_of"]).to_pylist()


def end_of(day: str) -> AsOf:
    return AsOf.end_of(date.fromisoformat(day), ZONE)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(f"sqlite:///{tmp_path / 'crmkit.db'}", tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def either_library(tmp_path: Path, database_url: str) -> Iterator[Library]:
    made = Library(database_url, tmp_path)
    yield made
    made.store.close()


def test_features_are_what_the_rows_say(library: Library) -> None:
    ann, bob = library.reader(), library.reader()
    library.loan(ann, "2026-02-10 10:00", pages=120.0)
    library.loan(ann, "2026-03-30 10:00", pages=80.0)
    library.card("C1", "2026-01-05", ann, grade="a", room="east", issued_on="2025-12-01")
    library.card("R1", "2026-01-01", code="east", shelf="E7")
    assert library.build("2026-03-31") == [
        {
            "subject_id": ann, "library_cards": 1, "library_days_since_loan": 1, "library_grade": "a",
            "library_loans": 2, "library_loans_30d": 1, "library_most_pages": 120.0,
            "library_rank": 0.0, "library_shelf": "E7",
        },
        {
            "subject_id": bob, "library_cards": 0, "library_days_since_loan": None,
            "library_grade": None, "library_loans": 0, "library_loans_30d": 0,
            "library_most_pages": -1.0, "library_rank": None, "library_shelf": None,
        },
    ]  # fmt: skip


def test_missing_fills_rows_that_the_sql_leaves_out_and_no_others(library: Library) -> None:
    ann, bob = library.reader(), library.reader()
    library.loan(ann, "2026-02-10 10:00")  # a loan whose pages nobody knows
    assert library.build("2026-03-31", "library.most_pages") == [
        {"subject_id": ann, "library_most_pages": None},
        {"subject_id": bob, "library_most_pages": -1.0},
    ]


def test_only_needed_feature_sets_are_computed(library: Library) -> None:
    broken = FeatureSet(
        name="library.broken", sql="SELECT nothing FROM library_loan",
        features=(Feature(name="library.broken", type=FieldType.TEXT),),
    )  # fmt: skip
    library.declare(LOANS, broken)
    library.reader()
    assert library.build("2026-03-31", "library.loans")[0]["library_loans"] == 0
    with pytest.raises(PluginError):
        library.build("2026-03-31")


def test_later_data_change_no_earlier_feature(library: Library) -> None:
    """Whatever is written with a time after the date: facts, versions, customers, moves."""
    chance = random.Random(5)
    readers = [library.reader() for _ in range(6)]
    library.card("R1", "2026-01-01", code="east", shelf="E7")
    for n in range(30):
        day = f"2026-0{chance.randint(1, 3)}-{chance.randint(1, 28):02}"
        library.loan(chance.choice(readers), f"{day} {chance.randint(0, 23):02}:30", pages=float(n))
    for n, reader in enumerate(readers[:4]):
        library.card(f"C{n}", "2026-02-01", reader, grade="a", room="east", issued_on="2026-01-20")
    before = library.build("2026-03-31")
    library.now = datetime(2026, 4, 1, 0, tzinfo=UTC)
    midnight = "2026-03-31 16:00:00"  # the first moment of the first of April in Shanghai
    for n, reader in enumerate([*readers, library.reader()]):
        library.loan(reader, midnight, pages=9999.0)
        library.loan(reader, f"2026-05-0{n + 1} 10:00", pages=9999.0)
        library.card(f"C{n}", "2026-04-01", reader, grade="z", room="west", issued_on="2026-04-01")
    library.card("R1", "2026-04-02", code="east", shelf="X9")
    assert library.build("2026-03-31") == before
    assert library.build("2026-05-31") != before


def test_twelve_dates_in_one_pass_equal_twelve_passes(library: Library) -> None:
    chance = random.Random(7)
    readers = [library.reader() for _ in range(5)]
    for n in range(60):
        day = f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        library.loan(chance.choice(readers), f"{day} 20:00", ref=f"r{n % 40}", pages=float(n))
    for month in (2, 5, 8):
        library.card(
            "C1", f"2026-{month:02}-15", chance.choice(readers), grade=f"g{month}",
            issued_on="2026-02-01",
        )  # fmt: skip
    days = [end_of(day) for day in (
        "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30",
        "2026-07-31", "2026-08-31", "2026-09-30", "2026-10-31", "2026-11-30", "2026-12-31",
    )]  # fmt: skip
    names = [name for name in library.catalog.features if name != "library.rank"]
    together = library.features.build_at("customer", names, days)
    one_by_one = [
        row
        for day in days
        for row in library.features.build("customer", names, Population.at(day)).to_pylist()
    ]
    assert together.to_pylist() == one_by_one
    assert len(one_by_one) == 60


def test_one_customer_now_equals_the_run_for_all(either_library: Library) -> None:
    """D6, on each database: from the store's rows, without a snapshot."""
    library, chance = either_library, random.Random(3)
    readers = [library.reader() for _ in range(5)]
    library.card("R1", "2026-01-01", code="east", shelf="E7")
    for n in range(40):
        day = f"2026-0{chance.randint(1, 5)}-{chance.randint(1, 28):02}"
        library.loan(chance.choice(readers), f"{day} 20:00", ref=f"r{n % 25}", pages=float(n))
    for month in (2, 4):
        for n, reader in enumerate(readers[:3]):
            library.card(
                f"C{n}", f"2026-0{month}-15", reader, grade=f"g{month}", room="east",
                issued_on="2026-02-01",
            )  # fmt: skip
    names = [name for name in library.catalog.features if name != "library.rank"]
    now = end_of("2026-04-20")
    everyone = library.features.build("customer", names, Population.at(now)).to_pylist()
    one_by_one = [library.features.build_now(reader, now).to_pylist()[0] for reader in readers]
    assert one_by_one == everyone


def test_a_feature_that_looks_at_others_is_not_built_for_one(library: Library) -> None:
    ann = library.reader()
    with pytest.raises(UsageError, match=r"library\.rank look at other customers"):
        library.features.build_now(ann, end_of("2026-03-31"), ["library.rank"])


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT subject_id, as_of, pages AS library_odd FROM library_loan",
         "returns 2 rows for subject"),
        ("SELECT subject_id, as_of, 'x' AS library_odd FROM library_loan",
         "column library_odd is VARCHAR, not number"),
        ("SELECT subject_id, as_of, pages FROM library_loan", "column library_odd is missing"),
        ("SELECT subject_id, 1.5 AS library_odd FROM library_loan", "column as_of is missing"),
        ("SELECT subject_id, as_of, median(pages) AS library_odd FROM library_loan GROUP BY ALL",
         "function median is not allowed"),
        ("SELECT subject_id, as_of, pagse AS library_odd FROM library_loan", "pagse"),
        ("SELECT subject_id, as_of, 1.0 AS library_odd FROM library_lone", "did you mean library_loan"),
        ("SELECT subject_id, as_of, length(left_because) AS library_odd FROM library_customer",
         "left_because"),
    ],
)  # fmt: skip
def test_faults_of_a_plugins_sql_name_plugin_and_feature_set(
    library: Library, sql: str, words: str
) -> None:
    odd = Feature(name="library.odd", type=FieldType.NUMBER)
    library.declare(LOANS, FeatureSet(name="library.odd_set", sql=sql, features=(odd,)))
    ann = library.reader()
    for day in ("10", "11"):
        library.loan(ann, f"2026-02-{day} 10:00", pages=1.0)
    with pytest.raises(PluginError) as caught:
        library.build("2026-03-31", "library.loans", "library.odd")
    assert str(caught.value).startswith("plugin library, feature set library.odd_set: ")
    assert words in str(caught.value)
    assert (caught.value.plugin, caught.value.exit_code) == ("library", 7)


def test_unknown_features_and_subjects_are_refused(library: Library) -> None:
    with pytest.raises(NotFound) as caught:
        library.build("2026-03-31", "library.lones")
    assert "Did you mean library.loans" in caught.value.hint
    with pytest.raises(UsageError, match=r"feature library\.loans is of customer, not of library"):
        library.features.build(
            "library.card", ["library.loans"], Population.at(end_of("2026-03-31"))
        )


def test_needed_finds_features_in_statements_and_conditions(library: Library) -> None:
    found = library.features.needed(
        ["SELECT f.library_loans FROM feature f", "Library_Grade = 'a' AND library_nothing > 3"]
    )
    assert found == ["library.grade", "library.loans"]


def test_no_customers_give_no_rows_with_all_columns(library: Library) -> None:
    table = library.features.build("customer", None, Population.at(end_of("2026-03-31")))
    assert table.num_rows == 0
    assert len(table.column_names) == 2 + len(library.catalog.features)


def test_the_wide_table_has_scores_and_stages_as_of_the_date(library: Library) -> None:
    ann, bob = library.reader(), library.reader()
    library.loan(ann, "2026-02-10 10:00")
    for day, value in (("2026-02-28", 0.25), ("2026-03-31", 0.75), ("2026-04-30", 0.99)):
        write_run(
            library.folder / "runs", name="library.lapse", kind="score", subject="customer",
            as_of=end_of(day), run=f"r{day}",
            columns={"subject_id": [ann], "value": [value], "band": [1]},
        )  # fmt: skip
    move = {"lifecycle": "library.reader", "subject_type": "customer", "subject_id": ann}
    for month, before, after in ((2, None, "new"), (3, "new", "keen"), (5, "keen", "gone")):
        at = datetime(2026, month, 1, tzinfo=UTC)
        library.store.stages.move([StageMove(from_stage=before, to_stage=after, **move)], at=at)
    library.warehouse.refresh()
    columns = ["library_loans", "score_library_lapse", "band_library_lapse", "stage_library_reader"]
    with library.warehouse.session() as session:
        table = build_wide(
            session, library.features, library.catalog, "customer", columns,
            Population.at(end_of("2026-04-15")),
        )  # fmt: skip
    assert table.drop_columns(["as_of"]).to_pylist() == [
        {"subject_id": ann, "band_library_lapse": 1, "library_loans": 1,
         "score_library_lapse": 0.75, "stage_library_reader": "keen"},
        {"subject_id": bob, "band_library_lapse": None, "library_loans": 0,
         "score_library_lapse": None, "stage_library_reader": None},
    ]  # fmt: skip


def test_conditions_may_name_the_columns_of_the_wide_table_alone(library: Library) -> None:
    assert set(wide_columns(library.catalog, "customer")) >= {
        "library_loans", "score_library_lapse", "band_library_lapse", "stage_library_reader",
    }  # fmt: skip
    condition = "library_loans > 2 AND score_library_lapse >= 0.5"
    assert condition_columns(library.catalog, "customer", condition) == [
        "library_loans", "score_library_lapse",
    ]  # fmt: skip
    with pytest.raises(SqlRefused) as caught:
        condition_columns(library.catalog, "customer", "library_loan > 2 OR score_lapse > 1")
    assert "no column 'library_loan' (did you mean library_loans" in str(caught.value)
    assert "no column 'score_lapse' (did you mean score_library_lapse" in str(caught.value)
