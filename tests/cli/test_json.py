"""Every command that has ``--format`` writes sound JSON to stdout and nothing else."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from crmkit.cli.main import cli, main

from .conftest import Crmkit

HEADER = (
    "customerID,gender,SeniorCitizen,Partner,Dependents,tenure,PhoneService,MultipleLines,"
    "InternetService,OnlineSecurity,OnlineBackup,DeviceProtection,TechSupport,StreamingTV,"
    "StreamingMovies,Contract,PaperlessBilling,PaymentMethod,MonthlyCharges,TotalCharges,Churn"
)
# What to type after `crmkit`, by command. A new command has to be added here.
ASKED: dict[str, list[str]] = {
    "demo": [],  # tests/cli/test_demo.py: it makes a workspace of its own
    "import": ["import", "people.csv", "--profile", "ibm-telco"],
    "batch absent": [],  # tests/cli/test_batch.py, as the next: it needs a full extract
    "batch revert": [],
    "batch quality": ["batch", "quality"],
    "batch list": ["batch", "list"],
    "batch show": ["batch", "show", "IMPORT"],
    "profile guess": ["profile", "guess", "people.csv", "--output", "drafted.toml"],
    "profile lint": ["profile", "lint", "ibm-telco"],
    "profile list": ["profile", "list"],
    "customer add": ["customer", "add", "Ann"],
    "customer duplicates decide": ["customer", "duplicates", "decide", "P001", "P002", "different"],
    "customer duplicates review": ["customer", "duplicates", "review", "P001", "P002"],
    "customer agent list": ["customer", "agent", "list"],
    "customer assign": ["customer", "assign", "P002", "--to", "ben"],
    "customer assignments": ["customer", "assignments"],
    "customer claim": ["customer", "claim", "P003", "--agent", "ben"],
    "customer claims": ["customer", "claims"],
    "customer handover": ["customer", "handover", "ann"],
    "customer orphans": ["customer", "orphans", "--limit", "3"],
    "customer protection": ["customer", "protection", "P001"],
    "customer settle": ["customer", "settle", "P004"],
    "customer export": [],  # tests/cli/test_export.py, as of records: it writes what imports read
    "record export": [],
    "customer edit": ["customer", "edit", "P001", "--region", "north"],
    "customer list": ["customer", "list"],
    "customer merge": ["customer", "merge", "P001", "P002", "--dry-run"],
    "customer search": ["customer", "search", "P00"],
    "customer show": ["customer", "show", "P001"],
    "customer unmerge": [],  # tests/cli/test_duplicates.py: it needs a merge
    "document add": ["document", "add", "P001", "deed.txt", "--type", "deed"],
    "document check": ["document", "check"],
    "document list": ["document", "list"],
    "document show": ["document", "show", "DOCUMENT"],
    "interaction list": ["interaction", "list", "P001"],
    "interaction log": ["interaction", "log", "P001", "telecom.complaint"],
    "record list": ["record", "list", "telecom.subscription"],
    "record undo": [],  # tests/store: it needs a change of many
    "record set": ["record", "set", "telecom.subscription", "P001", "--set", "tenure_months=7"],
    "record show": ["record", "show", "telecom.subscription", "P001"],
    "lifecycle advance": ["lifecycle", "advance", "P001", "activated", "--lifecycle", "telecom.subscriber"],
    "lifecycle funnel": ["lifecycle", "funnel"],
    "lifecycle history": ["lifecycle", "history", "P001"],
    "lifecycle propose": ["lifecycle", "propose"],
    "lifecycle show": ["lifecycle", "show", "telecom.subscriber"],
    "snapshot": ["snapshot"],
    "sql": ["sql", "SELECT kind, count(*) AS n FROM customer GROUP BY kind"],
    "feature build": ["feature", "build"],
    "feature list": ["feature", "list"],
    "segment list": ["segment", "list"],
    "segment run": ["segment", "run", "SEGMENT"],
    "segment show": ["segment", "show", "SEGMENT"],
    "score evaluate": ["score", "evaluate", "telecom.churn", "--cv", "2"],
    "score explain": ["score", "explain", "telecom.churn", "P001"],
    "score list": ["score", "list"],
    "score run": ["score", "run", "telecom.churn"],
    "score stability": ["score", "stability", "telecom.churn"],
    "score train": ["score", "train", "telecom.churn"],
    "rule list": ["rule", "list"],
    "rule run": ["rule", "run"],
    "rule backtest": [],  # tests/cli/test_rule.py: it needs a history
    "rule versions": ["rule", "versions", "telecom.bill-shock"],
    "why": ["why", "P001", "telecom.churn"],
    "cycle": [],  # tests/cli/test_cycle.py, as the next: they write pages
    "report publish": [],
    "report list": ["report", "list"],
    "report run": ["report", "run", "telecom.churn-composition"],
    "report show": ["report", "show", "telecom.churn-composition"],
    "plugin check": ["plugin", "check", "telecom"],
    "plugin disable": ["plugin", "disable", "telecom", "--dry-run"],
    "plugin enable": ["plugin", "enable", "hotel", "--dry-run"],
    "plugin list": ["plugin", "list"],
    "plugin show": ["plugin", "show", "telecom"],
    "db status": ["db", "status"],
    "doctor": ["doctor"],
}  # fmt: skip
# Commands whose objects are not flat (design D11).
NESTED = {"customer show"}


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        elif command is not None:
            yield " ".join((*path, name)), command


def test_every_command_with_rows_is_asked_here() -> None:
    with_format = {
        path
        for path, command in commands(cli)
        if any("--format" in parameter.opts for parameter in command.params)
    }
    assert with_format == set(ASKED)


def people() -> str:
    """A made-up file of 200 subscribers in the form of the public IBM data set; seed 1."""
    draw, lines = random.Random(1), [HEADER]
    for i in range(200):
        contract = draw.choice(["Month-to-month", "One year", "Two year"])
        left = "Yes" if draw.random() < (0.5 if contract == "Month-to-month" else 0.1) else "No"
        months, fee = draw.randint(1, 72), draw.randint(20, 110)
        lines.append(
            f"P{i:03},Female,0,Yes,No,{months},Yes,No,DSL,No,Yes,No,No,No,No,{contract},Yes,"
            f"Electronic check,{fee}.50,{months * fee}.00,{left}"
        )
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A telecom workspace with people, a trained score, stages and fired rules."""
    folder = tmp_path_factory.mktemp("operator")
    (folder / "people.csv").write_text(people())
    (folder / "deed.txt").write_text("a deed")
    steps: list[list[Any]] = [
        ["init", folder, "--plugin", "telecom"],
        ["-w", folder, "import", folder / "people.csv", "--profile", "ibm-telco"],
        ["-w", folder, "customer", "claim", "P004", "--agent", "ann", "--evidence", "offer 7"],
        ["-w", folder, "document", "add", "P001", folder / "deed.txt", "--type", "deed"],
        ["-w", folder, "score", "train", "telecom.churn"],
        ["-w", folder, "score", "run", "telecom.churn"],
    ]
    for step in steps:
        assert main([str(word) for word in step]) == 0
    return folder


@pytest.fixture(scope="module")
def names(operator: Path) -> dict[str, str]:
    """Names that only the workspace knows."""
    found = {}
    for word, noun, key in (
        ("IMPORT", "batch", "id"), ("SEGMENT", "segment", "name"), ("DOCUMENT", "document", "id"),
    ):  # fmt: skip
        listed = operator / f"{noun}.json"
        assert main(["-w", str(operator), noun, "list", "--output", str(listed)]) == 0
        found[word] = json.loads(listed.read_text())[0][key]
    return found


@pytest.mark.parametrize("command", [name for name, words in ASKED.items() if words])
def test_stdout_is_json(
    command: str,
    operator: Path,
    names: dict[str, str],
    crmkit: Crmkit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(operator)
    words = [names.get(word, word) for word in ASKED[command]]
    done = crmkit("-w", operator, *words, "--format", "json")
    found = json.loads(done.out)
    assert isinstance(found, list)
    for row in found:
        assert isinstance(row, dict)
        for key, value in row.items():
            assert command in NESTED or not isinstance(value, dict), f"{key} nests"
            if key == "id" or key.endswith("_id"):
                assert value is None or isinstance(value, str), f"{key} is a number"


@pytest.mark.parametrize("form", ["jsonl", "csv", "tsv", "table", "html"])
def test_every_other_form_is_written_too(form: str, operator: Path, crmkit: Crmkit) -> None:
    for name in ("customer list", "report run", "feature build", "score list"):
        done = crmkit("-w", operator, *ASKED[name], "--format", form)
        assert done.out.strip(), name
