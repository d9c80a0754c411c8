"""What cannot come to anything is refused before the work begins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from crmkit.cli.main import State, cli, main
from crmkit.warehouse.warehouse import Warehouse

from .conftest import Crmkit

# Their columns depend on what is asked for: checked once the workspace is open.
DYNAMIC = {
    "batch quality", "customer list", "customer search", "feature build", "interaction list",
    "record list", "report run", "segment run", "sql",
}  # fmt: skip


def commands(
    group: click.Group, ctx: click.Context, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command of the program, with its words."""
    for name in group.list_commands(ctx):
        found = group.get_command(ctx, name)
        if hasattr(found, "declared"):
            found = found.declared()
        if isinstance(found, click.Group):
            yield from commands(found, click.Context(found, parent=ctx), (*path, name))
        elif found is not None:
            yield (*path, name), found


def test_every_command_refuses_a_wrong_column_before_it_opens_the_workspace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    def opened(*_: object, **__: object) -> None:
        raise AssertionError("the work began")

    monkeypatch.setattr(State, "open", opened)
    root = click.Context(cli)
    asked = 0
    for path, command in commands(cli, root):
        names = [p.name for p in command.params]
        if "columns" not in names or " ".join(path) in DYNAMIC:
            continue
        if isinstance(command, click.Command) and not _has_columns(command):
            continue
        for option in ("--columns", "--sort"):
            capsys.readouterr()
            code = main([*path, *_arguments(command), option, "no_such_column"])
            said = capsys.readouterr().err
            assert code == 2, (path, said)
            assert "there is no column 'no_such_column'. " in said, path
            asked += 1
    assert asked > 100


def _has_columns(command: click.Command) -> bool:
    """A plugin's command without rows has the option and nothing to choose from."""
    (option,) = [p for p in command.params if p.name == "columns"]
    ctx = click.Context(command)
    try:
        option.process_value(ctx, "no_such_column")
    except Exception:
        return True
    return False


def _arguments(command: click.Command) -> list[str]:
    """Something for everything that must be given."""
    words = []
    for param in command.params:
        if not param.required:
            continue
        value = "1"
        if isinstance(param.type, click.Choice):
            value = param.type.choices[0]
        elif isinstance(param.type, click.DateTime):
            value = "2026-01-31"
        words += [str(value)] if isinstance(param, click.Argument) else [param.opts[0], str(value)]
    return words


@pytest.fixture
def idle(shop: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose warehouse must not be touched."""

    def touched(*_: object, **__: object) -> None:
        raise AssertionError("the work began")

    monkeypatch.setattr(Warehouse, "refresh_if_stale", touched)
    return shop


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["report", "run", "core.customers", "--columns", "nmae"], "Did you mean name?"),
        (["report", "run", "core.customers", "--sort=-regoin"], "Did you mean region?"),
        (["feature", "build", "--columns", "core_interactions_90"], "Did you mean core_interactions_90d"),
        (["report", "run", "core.customers", "-o", ""], "give the name of a file"),
        (["report", "run", "core.customers", "-o", "gone/x.csv"], "there is no folder 'gone'"),
        (["report", "run", "core.customers", "-o", "."], "'.' is a folder"),
        (["report", "run", "core.customers", "--format", "yaml"], "'yaml' is not one of"),
        (["report", "run", "core.customers", "--limit", "9" * 23], "is not in the range"),
        (["report", "run", "core.customers", "--excel", "--format", "html"], "--excel is for CSV"),
        (["list", "make", "x", "--report", "core.customers", "--success", "core.ordr"], "Did you mean core.order"),
        (["list", "make", "x", "--report", "core.customers", "--why", "stge"], "Did you mean stage?"),
        (["list", "make", "x", "--report", "core.customers", "--control", "2"], "is not from 0 to 0.9"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_found_before_the_warehouse_is_read(
    crmkit: Crmkit, idle: Path, args: list[str], words: str
) -> None:
    assert words in crmkit(*args, code=2).err


def test_a_limit_reaches_the_query(crmkit: Crmkit, shop: Path) -> None:
    """The engine is asked for the first rows in the report's order, and not for all of them."""
    for number in range(5):
        crmkit("customer", "add", f"N{number}", "--ref", f"billing:{number}")
    run = ("report", "run", "core.customers", "--format", "json")
    everyone = crmkit(*run).rows
    assert crmkit(*run, "--limit", "2").rows == everyone[:2]
    said = crmkit("report", "run", "core.customers", "--limit", "2", "--explain").out
    assert "LIMIT 2" in said
    assert "LIMIT" not in crmkit("report", "run", "core.customers", "--sort", "ref", "--limit", "2", "--explain").out  # fmt: skip
