"""The commands of "A decision and its defence" run as they stand, and give the figures of the page."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crmkit.cli.main import main

PAGE = Path(__file__).resolve().parents[3] / "docs" / "tutorial" / "decision-and-defence.md"
DATA = Path(os.environ["CRMKIT_DATA"])
FILE = DATA / "german_credit" / "german_credit.csv"
# What the page says comes out, by the command that it stands behind; the rest is prose.
FIGURES = {
    "score evaluate banking.application": ("0.796", "0.495", "0.163", "1.09"),
    "scorecard show": ("386", "394", "1.18"),
    "decision points": ("15945.00 DEM", "above 7839.50 DEM", "58"),
    "decision explain": ("420",),
    "score explain": ("420",),
    "report run banking.fairness": ("0.59", "to 25"),
}


def commands(page: str) -> list[str]:
    """The command lines of a page's console blocks, without the prompt."""
    blocks = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line.removeprefix("$ crmkit ") for line in lines if line.startswith("$ ")]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not FILE.exists(), reason="the public data are not here")
def test_the_commands_of_the_tutorial_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(FILE, tmp_path)
    monkeypatch.chdir(tmp_path)
    today = datetime.now(UTC).date().isoformat()
    faults, seen = [], set()
    for line in commands(PAGE.read_text(encoding="utf-8")):
        # The page says: put the day of your own run there.
        code = main(shlex.split(re.sub(r"--at \S+", f"--at {today}", line)))
        said = capsys.readouterr()
        if code:
            faults.append((line, code, said.err))
        for start, figures in FIGURES.items():
            if start in line:
                seen.add(start)
                faults += [(line, figure) for figure in figures if figure not in said.out]
    assert faults == []
    assert seen == set(FIGURES)
