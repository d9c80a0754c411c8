"""What people read of a bank's records and reports (issue 14)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import crmkit
import crmkit_banking
from crmkit.cli.main import main
from crmkit.entities import CustomerRef, FieldType
from crmkit.present.values import is_id


def test_interest_of_3_9_percent_a_year_is_shown_as_3_9(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stood as 390.0%, as if the rate were a share of one."""
    with crmkit.init(tmp_path / "w", plugins=("banking",)) as crm:
        ann = crm.store.customers.add(name="Ann", refs=[CustomerRef("bank", "1")])
        crm.store.records.set(
            "banking.loan", source="bank", ref="L1", owner_id=ann.id,
            values={"rate": 3.9, "granted_on": date(2026, 1, 31)},
        )  # fmt: skip
    for line in (["customer", "show", "1"], ["record", "list", "banking.loan"]):
        assert main(["-w", str(tmp_path / "w"), *line]) == 0
        said = capsys.readouterr().out
        assert "3.90" in said
        assert "390" not in said


def test_ids_in_reports_are_named_as_ids() -> None:
    """So that they are text in JSON and stand without commas."""
    for report in crmkit_banking.register_reports():
        for column in report.columns:
            if column.type is FieldType.INTEGER and column.name in (
                "decision",
                "loan",
                "account",
                "application",
            ):
                assert is_id(column.name), (report.name, column.name)
