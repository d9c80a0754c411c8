"""The pages say what the tables and rules say, and the tutorial's commands run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from crmkit_delivery.rules import RULES
from crmkit_delivery.segments import SEGMENTS
from crmkit_delivery.tables import (
    CAME_FROM,
    compensation_rows,
    mappings,
    promise_rows,
    reasons,
    statuses,
    transitions,
)

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_page_of_statuses_is_that_of_the_tables() -> None:
    rows = (DOCS / "reference" / "shipment-statuses.md").read_text(encoding="utf-8").splitlines()
    for s in statuses():
        after = ", ".join(
            "where it came from" if n == CAME_FROM else n for n in transitions()[s.name]
        )
        assert f"| `{s.name}` | {s.title} | {s.title_zh} | {s.kind} | {after or 'an end'} |" in rows
        assert not s.silence_hours or f"| `{s.name}` | {s.silence_hours} |" in rows
    for (system, code), (status, sub) in mappings().items():
        assert system == "crmkit" or f"| {system} | `{code}` | {status} | {sub} |" in rows
    for r in reasons():
        assert f"| `{r.name}` | {r.responsible} | {'yes' if r.excused else 'no'} |" in rows
    for row in promise_rows():
        start = f"| {row['product']} | {row['scope'] or 'any'} | {row['cut_off']} |"
        assert any(line.startswith(start) for line in rows)
    for row in compensation_rows():
        start = f"| {row['kind']} | {row['cap_per_kg'] or 'none'} |"
        assert any(line.startswith(start) for line in rows)


def test_the_page_of_rules_is_that_of_the_rules() -> None:
    rows = (DOCS / "reference" / "delivery-rules.md").read_text(encoding="utf-8").splitlines()
    for r in RULES:
        start = (
            f"| D-R{r.source.rpartition('D-R')[2]} | `{r.name}` | {r.subject.rpartition('.')[2]} |"
        )
        does = f" {r.action.replace('_', ' ')} `{r.target}` | {r.title} | {r.title_zh} |"
        again = f" {r.cooldown_days} days |" if r.cooldown_days else " each run |"
        assert start + does + again in rows
    for s in SEGMENTS:
        assert f"| `{s.name}` | {s.title} | {s.title_zh} | {s.description} |" in rows
    shown = sum(row.startswith("| D-R") and "`delivery." in row.split("|")[2] for row in rows)
    assert shown == len(RULES)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_commands_of_the_tutorial_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the demo of the page; only the last one is refused, as it says."""
    text = (DOCS / "tutorial" / "dispatch-at-eighteen.md").read_text(encoding="utf-8")
    lines = [
        line.removeprefix("$ ")
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("$ ")
    ]
    monkeypatch.chdir(tmp_path)
    codes = []
    for line in lines:
        words = shlex.split(line)
        if words[0].startswith("CRMKIT_ACTOR="):
            monkeypatch.setenv(*words.pop(0).split("="))
        assert words[0] == "crmkit"
        program = "import sys; from crmkit.cli.main import main; sys.exit(main(sys.argv[1:]))"
        done = subprocess.run(
            [sys.executable, "-c", program, *words[1:]], env=dict(os.environ), capture_output=True
        )
        codes.append((line, done.returncode))
    assert codes[-1][1] == 4
    assert [(line, code) for line, code in codes[:-1] if code] == []
