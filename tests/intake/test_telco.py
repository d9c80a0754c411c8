"""The real file of the telecom sample, read through the profile that ships with the plugin."""

from __future__ import annotations

import csv
import json
import random

import pytest
from click.testing import CliRunner

import crmkit
from crmkit.cli.main import cli

KINDS = ("number", "contract", "no id", "other values", "text after a quote")


@pytest.fixture
def telco(shared_data):
    return shared_data / "telco_ibm" / "telco_churn.csv"


@pytest.fixture
def crm(tmp_path, database_url):
    with crmkit.init(tmp_path / "w", plugins=("telecom",), database=database_url) as made:
        yield made


def spoil(source, target) -> dict[int, str]:
    """Copies the file with 50 rows spoiled in five ways; gives the way by line."""
    lines = source.read_text(encoding="utf-8").splitlines()
    draw = random.Random(7)
    spoilt = {}
    for turn, index in enumerate(draw.sample(range(1000, 7000), 50)):
        kind = KINDS[turn % 5]
        cells = lines[index].split(",")
        if kind == "number":
            cells[18] = "12,5"[:2] + "x"
        elif kind == "contract":
            cells[15] = "Ten year"
        elif kind == "no id":
            cells[0] = ""
        elif kind == "other values":
            cells[0] = lines[1 + turn].split(",")[0]
        else:
            cells[1] = f'"{cells[1]}"s'
        lines[index] = ",".join(cells)
        spoilt[index + 1] = kind
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return spoilt


def test_the_file_is_read_whole_and_again_unchanged(crm, telco):
    first = crm.import_file(telco, profile="ibm-telco")
    assert (first.read, first.created, first.rejected) == (7043, 7043, 0)
    again = crm.import_file(telco, profile="ibm-telco")
    assert (again.read, again.unchanged) == (7043, 7043)
    with crm.store.read() as connection:
        found = connection.exec_driver_sql(
            "select count(*), count(total_charges_minor), sum(monthly_fee_minor) "
            "from telecom_subscription"
        ).one()
    with telco.open(encoding="utf-8", newline="") as file:
        cents = sum(round(float(row["MonthlyCharges"]) * 100) for row in csv.DictReader(file))
    # Eleven customers in their first month have a blank total: missing, not zero.
    assert tuple(found) == (7043, 7043 - 11, cents)


def test_fifty_spoiled_rows_are_rejected_and_every_other_row_loads(crm, telco, tmp_path):
    spoilt = spoil(telco, tmp_path / "spoilt.csv")
    result = crm.import_file(tmp_path / "spoilt.csv", profile="ibm-telco")
    assert (result.read, result.created, result.rejected) == (7043, 6993, 50)
    rejects = {r.line: r for r in crm.store.imports.rejects(result.import_id)}
    assert rejects.keys() == spoilt.keys()
    expected = {
        "number": ("E_TYPE", "monthly_fee", "12x"),
        "contract": ("E_MAP", "contract_type", "Ten year"),
        "no id": ("E_KEY", "customerID", ""),
        "other values": ("E_DUPLICATE", "customerID", None),
        "text after a quote": ("E_QUOTE", None, None),
    }
    for line, kind in spoilt.items():
        found = rejects[line]
        code, field, value = expected[kind]
        assert found.code == code
        assert field in (found.field, None)
        assert found.value == value if value is not None else found.value
        assert found.allowed
        assert found.message
    contract = next(rejects[line] for line, kind in spoilt.items() if kind == "contract")
    assert contract.allowed == "Month-to-month, One year, Two year"


def test_the_commands_speak_as_the_design_says(tmp_path, telco):
    spoilt = tmp_path / "spoilt.csv"
    spoil(telco, spoilt)
    folder = str(tmp_path / "w")
    crmkit.init(folder, plugins=("telecom",)).close()

    def run(*arguments: str):
        return CliRunner().invoke(cli, ["-w", folder, *arguments], standalone_mode=False)

    command = ("import", str(spoilt), "--profile", "ibm-telco", "--format", "json")
    rehearsal = run(*command, "--dry-run")
    (dry,) = json.loads(rehearsal.stdout)
    assert (rehearsal.return_value, dry["created"], dry["rejected"]) == (3, 6993, 50)
    assert (dry["import_id"], dry["rejects_file"]) == (None, None)
    assert "dry run: nothing was kept." in rehearsal.stderr
    real = run(*command)
    (found,) = json.loads(real.stdout)
    assert list(found) == [
        "import_id", "read", "created", "updated", "unchanged", "rejected", "seconds",
        "rejects_file",
    ]  # fmt: skip
    assert (real.return_value, found["created"], found["rejected"]) == (3, 6993, 50)
    assert isinstance(found["import_id"], str)
    # 50 of 7,043 rows are 0.71 %.
    said = rehearsal.stderr.splitlines()[0], real.stderr.splitlines()[0]
    assert said[0].startswith("0.7% rejected (50 of 7,043 rows)") and said[0].endswith(".")
    assert said[1].startswith("0.7% rejected (50 of 7,043 rows)")
    assert said[1].endswith(f": {found['rejects_file']}")
    assert run(*command, "--rejects-ok").return_value == 0
    listed = json.loads(run("batch", "list", "--format", "json").stdout)
    assert [(b["status"], b["unchanged"]) for b in listed] == [("done", 6993), ("done", 0)]
    reasons = run("batch", "show", found["import_id"], "--rejects", "--format", "json").stdout
    assert len(json.loads(reasons)) == 50
    names = [p["name"] for p in json.loads(run("profile", "list", "--format", "json").stdout)]
    assert {"ibm-telco", "ibm-telco-reasons"} <= set(names)
    assert all(run("profile", "lint", name).return_value == 0 for name in names)
    shown = run("profile", "show", "ibm-telco").stdout
    assert shown.startswith("#") or 'name = "ibm-telco"' in shown
