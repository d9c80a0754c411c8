"""What crmkit ships passes its own check, and can be enabled and disabled as the manual says."""

from __future__ import annotations

import pytest

from crmkit.cli.main import main
from crmkit.hosting.manifest import find_manifests
from crmkit.hosting.standing import dependents_of

INDUSTRIES = ("banking", "delivery", "hotel", "telecom")
BUILTINS = tuple(name for name, manifest in find_manifests().items() if manifest.builtin)


@pytest.mark.parametrize("name", [*BUILTINS, *INDUSTRIES])
def test_every_shipped_plugin_passes_plugin_check(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CRMKIT_WORKSPACE", raising=False)
    assert main(["plugin", "check", name]) == 0, capsys.readouterr().out
    assert ": ok, " in capsys.readouterr().out


@pytest.mark.parametrize("name", INDUSTRIES)
def test_a_workspace_of_each_industry_begins_without_a_fault(name, tmp_path, capsys):
    place = tmp_path / "workspace"
    assert main(["init", str(place), "--plugin", name]) == 0
    assert "plugin " not in capsys.readouterr().err.partition("next:")[0]
    assert main(["-w", str(place), "customer", "list", "--format", "json"]) == 0
    assert capsys.readouterr().err == ""


def test_each_built_in_that_nothing_requires_goes_and_comes_back(tmp_path, capsys):
    place = tmp_path / "workspace"
    assert main(["init", str(place)]) == 0
    alone = [name for name in BUILTINS if not dependents_of(name, BUILTINS, find_manifests())]
    assert {"ledger", "service"} <= set(alone), "industries require them, and none is enabled here"
    for name in alone:
        assert main(["-w", str(place), "plugin", "disable", name]) == 0
        assert main(["-w", str(place), "plugin", "enable", name]) == 0, capsys.readouterr().err
    capsys.readouterr()
    assert main(["-w", str(place), "customer", "list", "--format", "json"]) == 0
    assert capsys.readouterr().err == ""
