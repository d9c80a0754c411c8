"""Runs the command line inside the test's process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from crmkit.cli.main import main


@frozen
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Stdout as JSON; fails if anything else was written there."""
        found = json.loads(self.out)
        assert isinstance(found, list)
        return found


Crmkit = Callable[..., Done]


@pytest.fixture
def crmkit(capsys: pytest.CaptureFixture[str]) -> Crmkit:
    """``crmkit("report", "list")`` runs the command; ``code`` is what it must end with."""

    def run(*args: str, code: int = 0) -> Done:
        capsys.readouterr()
        found = main([str(a) for a in args])
        said = capsys.readouterr()
        assert found == code, f"{' '.join(map(str, args))} ended with {found}: {said.err}"
        return Done(found, said.out, said.err)

    return run


@pytest.fixture
def shop(crmkit: Crmkit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace without an industry plugin, and the current folder inside it."""
    folder = tmp_path / "shop"
    crmkit("init", str(folder))
    monkeypatch.chdir(folder)
    return folder
