"""What the README shows is what the commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from crmkit.cli.main import main

README = Path(__file__).resolve().parents[2] / "README.md"


def runs() -> list[tuple[str, str]]:
    """Command and output of every console block that shows an output."""
    text = README.read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n\$ crmkit (.+?)\n(.+?)```", text, re.S)
    assert len(blocks) == 3
    return blocks


@pytest.mark.slow
def test_the_readme_shows_what_its_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    # As the Makefile says for `make demo`.
    assert main(["demo", "telecom", "build/demo", "--customers", "3000", "--seed", "1"]) == 0
    for command, shown in runs():
        capsys.readouterr()
        assert main(shlex.split(command)) == 0
        assert capsys.readouterr().out == shown, command
