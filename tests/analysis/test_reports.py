"""The report runner: parameters, as-of, order, types and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

import crmkit
from crmkit.analysis.reports import Reports, parse_parameters
from crmkit.declarations import Parameter, Report, ReportColumn
from crmkit.entities.customer import CustomerRef
from crmkit.entities.fields import FieldType
from crmkit.errors import DeclarationError, NotFound, UsageError
from crmkit.workspace import Crm

REGION = ReportColumn(name="region", type=FieldType.TEXT)
COUNT = ReportColumn(name="n", type=FieldType.INTEGER)
SQL = "SELECT region, count(*) AS n FROM customer GROUP BY region"
Run = Callable[..., Any]


def report(**changes: Any) -> Report:
    given = {
        "name": "core.test",
        "title": "Test",
        "sql": SQL,
        "columns": (REGION, COUNT),
        "key": ("region",),
    }
    return Report(**{**given, **changes})


@pytest.fixture
def crm(tmp_path: Path, crm_clock: Any) -> Any:
    """Three customers in two regions and one without, filed at noon of 2026-03-31 UTC."""
    with crmkit.init(tmp_path / "w", clock=crm_clock, actor="tester") as crm:
        for number, region in enumerate(("south", "north", "south", None)):
            crm.store.customers.add(
                name=f"c{number}", region=region, refs=[CustomerRef("x", str(number))]
            )
        yield crm


@pytest.fixture
def run(crm: Crm) -> Run:
    def go(asked: Report, parameters: dict[str, str] | None = None, day: str = "2026-03-31") -> Any:
        catalog = attrs.evolve(crm.catalog, reports={asked.name: asked})
        reports = Reports(crm.warehouse, crm.features, crm.scores, catalog, crm.settings)
        return reports.run(asked.name, parameters, crm.as_of(day))

    return go


def test_rows_come_in_the_order_of_the_key_with_missing_last(run: Run) -> None:
    found = run(report())
    assert found.table.to_pylist() == [
        {"region": "north", "n": 1},
        {"region": "south", "n": 2},
        {"region": None, "n": 1},
    ]


def test_a_mean_does_not_depend_on_the_order_of_the_rows(run: Run) -> None:
    """0.1 + 0.2 + 0.3 is 0.6000000000000001 and 0.3 + 0.2 + 0.1 is 0.6: both are shown as 0.6."""
    number = ReportColumn(name="x", type=FieldType.NUMBER)
    values = {
        "(CAST(0.1 AS DOUBLE) + CAST(0.2 AS DOUBLE)) + CAST(0.3 AS DOUBLE)": 0.6,
        "(CAST(0.3 AS DOUBLE) + CAST(0.2 AS DOUBLE)) + CAST(0.1 AS DOUBLE)": 0.6,
        "CAST(1.0 AS DOUBLE) / 3": 0.333333333333,
        "CAST(-200000.0 AS DOUBLE) / 3": -66666.6666667,
        "CAST(123456789012345.0 AS DOUBLE)": 123456789012345.0,
        "CAST(1.5e-9 AS DOUBLE) / 7": 2.14285714286e-10,
        "CAST(0.0 AS DOUBLE)": 0.0,
        "CAST(NULL AS DOUBLE)": None,
    }
    for text, shown in values.items():
        sql = f"SELECT {text} AS x FROM customer WHERE region = 'north'"
        found = run(report(sql=sql, columns=(number,), key=("x",)))
        assert found.table["x"].to_pylist() == [shown], text


def test_the_declared_order_stands_before_the_key(run: Run) -> None:
    found = run(report(order=("-n",)))
    assert found.table["region"].to_pylist() == ["south", "north", None]


def test_the_key_may_appear_in_the_order_descending(run: Run) -> None:
    assert run(report(order=("-region",))).table["region"].to_pylist() == ["south", "north", None]


def test_nothing_after_the_as_of_is_seen(run: Run) -> None:
    assert run(report(), day="2026-03-30").table.num_rows == 0
    assert run(report(), day="2026-03-31T12:00:00Z").table.num_rows == 0
    assert run(report(), day="2026-03-31T12:00:01Z").table.num_rows == 3


def test_parameters_reach_the_sql_typed(run: Run) -> None:
    asked = report(
        sql="SELECT region, count(*) AS n FROM customer WHERE region = $region GROUP BY region "
        "HAVING count(*) >= $least",
        parameters=(
            Parameter(name="region", type=FieldType.TEXT),
            Parameter(name="least", type=FieldType.INTEGER, default=1),
        ),
    )
    found = run(asked, {"region": "south"})
    assert found.parameters == {"region": "south", "least": 1}
    assert found.table.to_pylist() == [{"region": "south", "n": 2}]
    assert run(asked, {"region": "south", "least": "3"}).table.num_rows == 0


def test_a_parameter_is_a_value_and_never_sql(run: Run) -> None:
    asked = report(
        sql="SELECT region, count(*) AS n FROM customer WHERE region = $region GROUP BY region",
        parameters=(Parameter(name="region", type=FieldType.TEXT),),
    )
    assert run(asked, {"region": "south' OR '1'='1"}).table.num_rows == 0


def test_values_get_the_declared_types(run: Run) -> None:
    asked = report(
        sql="SELECT region, sum(CAST(150 AS DECIMAL(20, 0))) AS loss_minor, 1 AS share, "
        "min(created_on) AS first_on FROM customer WHERE region = 'south' GROUP BY region",
        columns=(
            REGION,
            ReportColumn(name="loss_minor", type=FieldType.INTEGER, currency_minor=True),
            ReportColumn(name="share", type=FieldType.NUMBER),
            ReportColumn(name="first_on", type=FieldType.DATE),
        ),
    )
    found = run(asked)
    # Two customers at 150 cents each.
    assert found.table.to_pylist() == [
        {"region": "south", "loss_minor": 300, "share": 1.0, "first_on": date(2026, 3, 31)}
    ]
    assert [str(t) for t in found.table.schema.types] == [
        "string",
        "int64",
        "double",
        "date32[day]",
    ]
    assert found.currency == "USD"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"columns": (REGION,)}, "declares the columns region but its SQL returns region, n"),
        ({"columns": (COUNT, REGION)}, "declares the columns n, region"),
        (
            {"columns": (ReportColumn(name="region", type=FieldType.DATE), COUNT)},
            "column region: string from the SQL is no date",
        ),
        ({"sql": "SELECT regoin AS region, 1 AS n FROM customer"}, "regoin"),
        ({"sql": "DROP TABLE customer"}, "report core.test"),
    ],
)
def test_sql_that_is_not_what_was_declared_names_the_plugin(
    run: Run, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(DeclarationError, match=r"plugin core: report core\.test") as caught:
        run(report(**changes))
    assert words in str(caught.value)
    assert caught.value.plugin == "core"


def test_an_empty_report_says_that_nobody_was_known_by_then(run: Run) -> None:
    assert run(report(), day="2026-03-30").remarks == (
        "no customer was known by 2026-03-30; what is known begins on 2026-03-31 (UTC).",
    )
    nobody = report(sql=f"{SQL.replace(' GROUP', ' WHERE false GROUP')}")
    assert run(nobody, day="2026-03-31").remarks == ()


def test_a_score_without_a_model_is_a_remark_and_no_failure(crm: Crm) -> None:
    asked = report(scores=("core.none",))
    catalog = attrs.evolve(crm.catalog, reports={asked.name: asked})
    reports = Reports(crm.warehouse, crm.features, crm.scores, catalog, crm.settings)
    found = reports.run(asked.name, {}, crm.as_of("2026-03-31"))
    assert found.remarks == (
        "score core.none has no model, so what rests on it is empty: there is no score 'core.none'.",
    )


def test_a_report_asks_for_fresh_scores_at_its_as_of(crm: Crm) -> None:
    asked, ran = report(scores=("core.some",)), []

    class Trained:
        def ready(self, name: str, as_of: Any, *, again: bool) -> None:
            ran.append((name, as_of.on, again))

    catalog = attrs.evolve(crm.catalog, reports={asked.name: asked})
    reports = Reports(crm.warehouse, crm.features, Trained(), catalog, crm.settings)  # type: ignore[arg-type]
    assert reports.run(asked.name, {}, crm.as_of("2026-03-31")).remarks == ()
    assert ran == [("core.some", date(2026, 3, 31), True)]


def test_an_unknown_report_or_engine_is_refused(crm: Crm) -> None:
    with pytest.raises(NotFound, match=r"Did you mean core\.funnel"):
        crm.reports.run("core.funel", {}, crm.as_of())
    with pytest.raises(UsageError, match="no engine 'oracle'"):
        crm.reports.run("core.funnel", {}, crm.as_of(), engine="oracle")


PARAMETERS = (
    Parameter(name="n", type=FieldType.INTEGER, default=3),
    Parameter(name="x", type=FieldType.NUMBER),
    Parameter(name="on", type=FieldType.DATE),
    Parameter(name="at", type=FieldType.INSTANT),
    Parameter(name="budget", type=FieldType.MONEY, default="10"),
    Parameter(name="yes", type=FieldType.BOOLEAN),
    Parameter(name="some", type=FieldType.LIST),
    Parameter(name="by", type=FieldType.TEXT, default="plan", choices=("plan", "region")),
)


def test_parameters_are_parsed_by_their_types() -> None:
    given = {
        "x": "0.25", "on": "2026-03-31", "at": "2026-03-31T14:00:00+02:00", "yes": "no",
        "some": "a, b",
    }  # fmt: skip
    assert parse_parameters(report(parameters=PARAMETERS), given, "JPY") == {
        "n": 3,
        "x": 0.25,
        "on": date(2026, 3, 31),
        "at": datetime(2026, 3, 31, 12),  # noqa: DTZ001 - UTC without zone, as the warehouse has it
        "budget": 10,  # yen have no smaller unit
        "yes": False,
        "some": ["a", "b"],
        "by": "plan",
    }


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("n", "1.5", "'1.5' is not a whole number"),
        ("x", "nan", "'nan' is not a finite number"),
        ("x", "many", "'many' is not a number"),
        ("on", "31.3.2026", "is not a day such as 2026-03-31"),
        ("at", "noon", "is not an instant"),
        ("budget", "1.005", "has more than 2 decimals of USD"),
        ("yes", "maybe", "'maybe' is not true or false"),
        ("by", "city", "'city' is not one of plan, region"),
    ],
)
def test_text_that_is_not_of_its_type_is_refused(name: str, text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_parameters(report(parameters=PARAMETERS), {name: text}, "USD")
    assert f"parameter {name} of core.test" in str(caught.value)
    assert words in str(caught.value)


def test_every_wrong_parameter_is_named_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        parse_parameters(report(parameters=PARAMETERS), {"n": "x", "on": "y"}, "USD")
    assert "parameter n" in str(caught.value)
    assert "parameter on" in str(caught.value)


def test_a_misspelt_parameter_names_the_near_one() -> None:
    with pytest.raises(NotFound, match="Did you mean budget"):
        parse_parameters(report(parameters=PARAMETERS), {"bugdet": "1"}, "USD")
    with pytest.raises(NotFound, match="This report has no parameters"):
        parse_parameters(report(), {"x": "1"}, "USD")
