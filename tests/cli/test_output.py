"""Results go to stdout or a file, whole or not at all; remarks go to stderr."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from crmkit.cli.options import as_of_option, list_options
from crmkit.cli.output import emit, emit_record, note, result_stream
from crmkit.errors import NotFound, StorageError, UsageError

ROWS = [{"ref": "b", "n": 2}, {"ref": "a", "n": 1}]


@click.command()
@as_of_option
@list_options
def listing(as_of: str | None, **options: object) -> None:
    """A command with rows."""
    emit(ROWS, **options)  # type: ignore[arg-type]
    note("remark")


def run(*args: str) -> tuple[str, str]:
    found = CliRunner().invoke(listing, args, catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout, found.stderr


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["--format", "json"], [{"ref": "b", "n": 2}, {"ref": "a", "n": 1}]),
        (["--format", "json", "--sort", "ref"], [{"ref": "a", "n": 1}, {"ref": "b", "n": 2}]),
        (["--format", "json", "--sort", "-n", "--limit", "1"], [{"ref": "b", "n": 2}]),
        (["--format", "json", "--columns", "n"], [{"n": 2}, {"n": 1}]),
        # Sorting by a column that is not shown is allowed.
        (["--format", "json", "--columns", "n", "--sort", "ref"], [{"n": 1}, {"n": 2}]),
        (["--format", "json", "--limit", "0"], []),
    ],
)
def test_json_on_stdout_parses_and_remarks_are_on_stderr(args: list[str], wanted: object) -> None:
    out, err = run(*args)
    assert json.loads(out) == wanted
    assert err == "remark\n"


def test_the_name_of_the_file_says_the_form_unless_one_is_given(tmp_path: Path) -> None:
    out, _ = run("-o", str(tmp_path / "x.csv"))
    assert out == ""
    assert (tmp_path / "x.csv").read_bytes() == b"ref,n\r\nb,2\r\na,1\r\n"
    run("-o", str(tmp_path / "y.csv"), "--format", "json")
    assert json.loads((tmp_path / "y.csv").read_text()) == ROWS


def test_a_dash_is_stdout() -> None:
    assert json.loads(run("-o", "-", "--format", "json")[0]) == ROWS


def test_html_without_a_file_goes_to_stdout() -> None:
    assert run("--format", "html")[0].startswith("<!DOCTYPE html>")


def test_the_formula_guard_can_be_switched_off() -> None:
    @click.command()
    @list_options
    def bad(**options: object) -> None:
        emit([{"x": "=1"}], **options)  # type: ignore[arg-type]

    guarded = CliRunner().invoke(bad, ["--format", "csv"]).stdout
    plain = CliRunner().invoke(bad, ["--format", "csv", "--no-formula-guard"]).stdout
    assert guarded.splitlines() == ["x", "'=1"]
    assert plain.splitlines() == ["x", "=1"]


def test_a_misspelt_day_is_refused_before_anything_runs() -> None:
    found = CliRunner().invoke(listing, ["--as-of", "2026-13-01"])
    assert found.exit_code == 2
    assert "2026-03-31T12:00:00Z" in found.stderr
    assert found.stdout == ""


def test_an_unknown_column_is_refused_with_the_near_one() -> None:
    with pytest.raises(NotFound, match="Did you mean ref"):
        emit(ROWS, format="json", columns=["rfe"])


def test_no_row_has_the_same_columns_as_many(capsys: pytest.CaptureFixture[str]) -> None:
    for rows in ([], [{"a": 1, "b": 2}]):
        emit(rows, format="csv", columns=["b", "a"], sort=["a"], fields=("a", "b"))
        assert capsys.readouterr().out.startswith("b,a\r\n")
        with pytest.raises(NotFound, match="no column 'c'"):
            emit(rows, format="csv", columns=["c"], fields=("a", "b"))


def test_one_record_is_an_array_of_one_in_json_and_lines_in_a_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    emit_record({"ref": "a", "n": 1}, format="json")
    assert json.loads(capsys.readouterr().out) == [{"ref": "a", "n": 1}]
    emit_record({"ref": "a", "n": 1}, format="table")
    assert capsys.readouterr().out.splitlines()[2:] == ["ref    a", "n      1"]


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "x.txt"
    target.write_text("before")
    with pytest.raises(KeyError), result_stream(str(target)) as out:
        out.write(b"half")
        raise KeyError("stop")
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_a_storage_error() -> None:
    # The device stands for a full disk; the file beside it cannot be made there either.
    with pytest.raises(StorageError) as caught, result_stream("/proc/x.csv"):
        pass
    assert caught.value.exit_code == 8
    assert "/proc/x.csv" in str(caught.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match=r"no folder '.*none'"),
        result_stream(str(tmp_path / "none" / "x")),
    ):
        pass


def test_binary_is_not_written_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(UsageError, match="binary"), result_stream(None, form="xlsx"):
        pass
