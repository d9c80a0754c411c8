"""How the command line ends: one line of error, the right exit code, quiet pipes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import NoReturn

import click
import pytest

from crmkit import __version__, errors
from crmkit.cli import main as module
from crmkit.cli.main import NOUNS, Nouns, main

CRMKIT = [sys.executable, "-m", "crmkit.cli.main"]


@pytest.fixture
def ends_with(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Makes ``crmkit doctor`` raise what the test says."""

    def put(error: BaseException) -> None:
        @click.command()
        def failing() -> NoReturn:
            raise error

        monkeypatch.setattr(Nouns, "get_command", lambda self, ctx, name: failing)

    return put


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"crmkit {__version__}\n"


def test_help_lists_every_noun_without_importing_any() -> None:
    code = (
        "import sys; from crmkit.cli.main import main; main(['--help']); "
        "print([m for m in sys.modules if m.startswith('crmkit.cli.') and m != 'crmkit.cli.main'])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert out.splitlines()[-1] == "[]"
    for noun in NOUNS:
        assert f"\n  {noun} " in out


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.CrmkitError("it broke"), 1),
        (errors.UsageError("asked wrongly"), 2),
        (errors.NotFound("report", "x", ["y"]), 2),
        (errors.NotPermitted("not yours"), 4),
        (errors.ConfigError("does not fit"), 5),
        (errors.SchemaOutdated("old tables"), 5),
        (errors.Busy("somebody writes"), 6),
        (errors.PluginError("telecom", "check_rows", "fell over"), 7),
        (errors.StorageError("disk full"), 8),
        (errors.Interrupted("stopped"), 130),
        (click.exceptions.Exit(3), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_exit_code(ends_with, error, code, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    ends_with(error)
    assert main(["doctor"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) <= 1
    if isinstance(error, errors.CrmkitError):
        assert said.err.startswith(f"crmkit: {error.code} {error.message}")


def test_a_fault_of_our_own_is_one_line_with_its_class(ends_with, capsys) -> None:  # type: ignore[no-untyped-def]
    ends_with(KeyError("tariff\nof\nthe year"))
    assert main(["doctor"]) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "E_UNEXPECTED KeyError" in said
    assert "--debug" in said


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_failing_disk_is_exit_8(ends_with, number: int, capsys) -> None:  # type: ignore[no-untyped-def]
    ends_with(OSError(number, os.strerror(number)))
    assert main(["doctor"]) == 8
    assert os.strerror(number) in capsys.readouterr().err


def test_debug_shows_the_traceback(ends_with) -> None:  # type: ignore[no-untyped-def]
    ends_with(errors.ConfigError("does not fit"))
    with pytest.raises(errors.ConfigError):
        main(["--debug", "doctor"])
    ends_with(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(["--debug", "doctor"])


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["reprot"], "Did you mean 'report'?"),
        (["--versoin"], "Did you mean '--version'?"),
        (["report", "rnu"], "Did you mean 'run'?"),
        (["report", "list", "--limti", "3"], "Did you mean '--limit'?"),
        (["report", "run"], "Missing argument 'NAME'"),
        (["report", "list", "--format", "xml"], "'table', 'json'"),
        (["report", "run", "x", "--param", "k"], "name=value"),
        (["init", "x", "--currency", "euro"], "ISO 4217"),
    ],
)
def test_what_is_asked_wrongly_ends_in_one_line_and_exit_2(
    args: list[str], wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(args) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert wanted in said.err
    assert said.err.startswith("crmkit: E_USAGE")
    assert len(said.err.splitlines()) == 1
    assert "--help" in said.err


def test_a_noun_alone_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report"]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_global_options_stand_before_the_noun(tmp_path, capsys) -> None:  # type: ignore[no-untyped-def]
    assert main(["-w", str(tmp_path / "none"), "report", "list"]) == 2
    assert "there is no workspace" in capsys.readouterr().err


def test_a_closed_pipe_ends_quietly() -> None:
    code = (
        "import sys, click; from crmkit.cli import main as m\n"
        "@click.command()\n"
        "def many():\n"
        "    from crmkit.cli.output import emit\n"
        "    emit([{'n': i} for i in range(200000)], format='jsonl')\n"
        "m.Nouns.get_command = lambda self, ctx, name: many\n"
        "sys.argv = ['crmkit', 'doctor']; m.entry()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b'{"n": 0}\n'
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device that is always full")  # noqa: PTH110
def test_a_full_disk_behind_stdout_is_exit_8() -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [*CRMKIT, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 8
    assert done.stderr.startswith("crmkit: E_STORAGE")
    assert len(done.stderr.splitlines()) == 1


def test_every_noun_has_a_command_with_help() -> None:
    for noun in NOUNS:
        command = module.cli.get_command(click.Context(module.cli), noun)
        assert command is not None
        assert command.help, noun
        for verb in getattr(command, "commands", {}).values():
            assert verb.help, f"{noun} {verb.name}"
            assert verb.help.splitlines()[0].endswith("."), f"{noun} {verb.name}"
            for option in verb.params:
                if isinstance(option, click.Option):
                    assert option.help, f"{noun} {verb.name} {option.opts}"
