"""Every report of the bank on its demo, at three dates: rows, or a reason why there are none (issue 14)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import crmkit
from crmkit.cli.main import main
from crmkit.entities import FieldType
from crmkit.present.values import is_id
from crmkit.workspace import Crm

DATES = ("2026-06-30", "2026-03-31", "2025-12-31")
NO_APPLICATIONS = "the demo has no applications: the German file stands for them, in the tutorial"
# Why a report has no rows.
EMPTY = {
    **dict.fromkeys(
        (
            "approval-by-band", "decision-log", "fairness", "grade-migration", "scorecard-quality",
            "scorecard-sheet", "swap-set",
        ),
        NO_APPLICATIONS,
    ),
    "model-watch": "nobody has asked: crmkit scorecard monitor files its figures",
    "balance-findings": "the bank's balances agree with its movements",
}  # fmt: skip
# Why one has none at a date before.
EMPTY_BEFORE = {
    "behaviour-grades": "the score was run at the demo's day and at that of its training",
    "migration": "the score was run at the demo's day and at that of its training",
    "watch-list": "the rules were run at the demo's day",
    "tiers": "the tiers were reviewed in March 2026 first",
}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    folder = tmp_path_factory.mktemp("demo") / "w"
    assert main(["demo", "banking", "--customers", "120", "--seed", "1", str(folder)]) == 0
    with crmkit.open(folder) as crm:
        yield crm


@pytest.mark.slow
@pytest.mark.parametrize("date", DATES)
def test_every_report_has_rows_or_a_reason(bank: Crm, date: str) -> None:
    found = {}
    for name, report in bank.catalog.reports.items():
        if name.startswith("banking."):
            rows = bank.reports.run(name, as_of=bank.as_of(date)).table.to_pylist()
            found[name.removeprefix("banking.")] = rows
            for column in report.columns:
                values = [row[column.name] for row in rows if row.get(column.name) is not None]
                if column.type is FieldType.INTEGER and not is_id(column.name):
                    # Ids have 64 bits; as any other number they would be grouped and rounded.
                    assert all(abs(value) < 2**50 for value in values), (name, column.name)
    reasons = EMPTY if date == DATES[0] else {**EMPTY, **EMPTY_BEFORE}
    assert {name for name, rows in found.items() if not rows} - set(reasons) == set()
    assert {name for name in EMPTY if found[name]} == set(), "a reason that is none any more"


@pytest.mark.slow
def test_the_tiers_show_what_is_lent(bank: Crm) -> None:
    """Loans stood as 0.00 in every tier where the report was asked months after the last statement."""
    rows = bank.reports.run("banking.tiers", as_of=bank.as_of(DATES[0])).table.to_pylist()
    assert sum(row["customers"] for row in rows) > 60
    assert sum(row["loans_minor"] for row in rows) > 0


@pytest.mark.slow
def test_branches_have_one_name_in_every_report(bank: Crm) -> None:
    """Cash was told by name, use and income by code."""
    names = {row[0] for row in bank.store.records.read("banking.branch", ["branch_name"])}
    asked = {
        "cash-position": {}, "cash-accuracy": {}, "branch-use": {}, "income-forecast": {},
        "impairment": {}, "profitability": {"by": "branch"}, "expected-loss": {"by": "branch"},
        "concentration": {"by": "branch"},
    }  # fmt: skip
    for name, parameters in asked.items():
        result = bank.reports.run(f"banking.{name}", parameters, as_of=bank.as_of(DATES[0]))
        rows = result.table.to_pylist()
        column = next(c for c in ("branch", "part") if c in rows[0])
        assert {row[column] for row in rows} <= {*names, "all", "unknown"}, name
