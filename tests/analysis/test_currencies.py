"""Amounts in another currency than the workspace's: reports show the one that the data have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

import crmkit
from crmkit.analysis.reports import Reports
from crmkit.declarations import Report, ReportColumn
from crmkit.entities import FieldType
from crmkit.errors import DeclarationError
from crmkit.present.results import result_grid
from crmkit.workspace import Crm

PROFILE = """
name = "orders"
[source]
name = "shop"
key = ["order"]
effective = "2026-01-01"
[[emit]]
entity = "customer"
key = "customer"
[[emit]]
entity = "core.order"
key = "order"
occurred_at = "at"
amount = { column = "amount", currency = { column = "currency" } }
"""


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Crm]:
    """A workspace made without a currency, so in US dollars."""
    with crmkit.init(tmp_path / "w") as made:
        yield made


def bring(crm: Crm, *rows: str) -> tuple[str, ...]:
    folder = crm.settings.folder
    (folder / "orders.toml").write_text(PROFILE, encoding="utf-8")
    (folder / "orders.csv").write_text(
        "order,customer,at,amount,currency\n" + "".join(f"{r}\n" for r in rows), encoding="utf-8"
    )
    found = crm.import_file(folder / "orders.csv", profile=str(folder / "orders.toml"))
    assert found.rejected == 0
    return found.remarks


def revenue(crm: Crm) -> tuple[str | None, list[str], tuple[str, ...]]:
    """The currency of the revenue column, its values, and the remarks of core.customers."""
    result = crm.reports.run("core.customers", as_of=crm.as_of("2026-06-30"))
    grid = result_grid(result)
    (place,) = (i for i, c in enumerate(grid.columns) if c.name == "revenue_365d")
    return grid.columns[place].currency, [str(r[place]) for r in grid.rows()], result.remarks


def test_amounts_of_one_other_currency_are_shown_in_it(crm: Crm) -> None:
    remarks = bring(crm, "1,a,2026-05-01,12.50,EUR", "2,a,2026-05-02,7.50,EUR")
    assert "amounts are in EUR, and the workspace's currency is USD" in remarks[0]
    currency, values, said = revenue(crm)
    assert (currency, values) == ("EUR", ["20.00"])
    assert said[0].startswith("all amounts are in EUR and are shown so")


def test_a_currency_without_decimals_is_shown_without(crm: Crm) -> None:
    bring(crm, "1,a,2026-05-01,1250,JPY")
    assert revenue(crm)[:2] == ("JPY", ["1250"])


def test_amounts_of_the_workspaces_currency_are_nothing_to_say(crm: Crm) -> None:
    assert bring(crm, "1,a,2026-05-01,12.50,USD") == ()
    assert revenue(crm) == ("USD", ["12.50"], ())


def test_amounts_of_several_currencies_are_said_to_be_so(crm: Crm) -> None:
    bring(crm, "1,a,2026-05-01,12.50,EUR", "2,b,2026-05-02,7.50,USD")
    currency, values, said = revenue(crm)
    assert (currency, values) == ("USD", ["7.50", "None"])
    assert said[0].startswith("amounts in EUR are left out of amounts in USD")


def test_a_declared_sum_over_two_currencies_is_refused_where_both_are_on_file(crm: Crm) -> None:
    """With one currency the sum is right: 12.50; with two, 12.50 and 7.50 are no 20.00."""
    money = ReportColumn(name="sum_minor", type=FieldType.INTEGER, currency_minor=True)
    mixing = Report(
        name="core.mixing", title="Sum", columns=[money], key=("sum_minor",),
        sql="SELECT CAST(sum(amount_minor) AS BIGINT) AS sum_minor FROM core_order",
    )  # fmt: skip
    reports = Reports(
        crm.warehouse, crm.features, crm.scores, evolve(crm.catalog, reports={mixing.name: mixing}),
        crm.settings,
    )  # fmt: skip
    bring(crm, "1,a,2026-05-01,12.50,EUR")
    result = reports.run(mixing.name, as_of=crm.as_of("2026-06-30"))
    assert (result.currency, result.table.to_pylist()) == ("EUR", [{"sum_minor": 1250}])
    bring(crm, "2,b,2026-05-02,7.50,USD")
    with pytest.raises(
        DeclarationError, match=r"core\.mixing: SUM.* may add up several currencies"
    ):
        reports.run(mixing.name, as_of=crm.as_of("2026-06-30"))
