"""Marks of running commands: kept while the process lives, reported once when it did not end well."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from crmkit.hosting.marks import Mark, take_ended

AT = datetime(2026, 3, 31, 12, 0, 0, 250, tzinfo=UTC)

KILLED = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from crmkit.hosting.marks import Mark
mark = Mark(Path(sys.argv[1]), "crmkit import", datetime(2026, 3, 31, 12, tzinfo=UTC))
for step in sys.argv[2:]:
    mark.leave() if step == "leave" else mark.enter("evil", step)
os._exit(0)
"""


def killed(folder, *steps):
    subprocess.run([sys.executable, "-c", KILLED, str(folder), *steps], check=True)


@pytest.mark.parametrize(
    ("steps", "running"),
    [
        ((), ("", "")),
        (("check_rows",), ("evil", "check_rows")),
        (("case open", "block_contacts"), ("evil", "block_contacts")),
        (("case open", "block_contacts", "leave"), ("evil", "case open")),
        (("check_rows", "leave"), ("", "")),
        (("x" * 400,), ("evil", "x" * 251)),
    ],
)
def test_what_ran_when_the_process_was_gone_is_reported_once(steps, running, tmp_path):
    killed(tmp_path, *steps)
    [ended] = take_ended(tmp_path)
    assert (ended.command, ended.began_at) == (
        "crmkit import",
        datetime(2026, 3, 31, 12, tzinfo=UTC),
    )
    assert (ended.plugin, ended.what) == running
    assert take_ended(tmp_path) == []


def test_a_command_that_runs_or_has_ended_is_not_reported(tmp_path):
    mark = Mark(tmp_path, "crmkit sql", AT)
    mark.enter("shop", "stock list")
    assert take_ended(tmp_path) == []
    mark.leave()
    mark.end()
    mark.end()
    assert take_ended(tmp_path) == []
    assert list(tmp_path.glob(".crmkit/running/*")) == []


def test_where_nothing_can_be_written_there_is_no_mark_and_no_fault(tmp_path):
    (tmp_path / ".crmkit").write_text("a file where the folder would be")
    mark = Mark(tmp_path, "crmkit sql", AT)
    mark.enter("shop", "stock list")
    mark.leave()
    mark.end()
    assert take_ended(tmp_path) == []


@pytest.mark.parametrize(
    "content", [b"", b"x", b" " * 256 + b"{", b" " * 256 + b'{"command": 1}', b"\xff" * 600]
)
def test_a_file_that_is_no_mark_stops_nobody(content, tmp_path):
    folder = tmp_path / ".crmkit" / "running"
    folder.mkdir(parents=True)
    (folder / "1-x").write_bytes(content)
    killed(tmp_path)
    assert [ended.command for ended in take_ended(tmp_path)] == ["crmkit import"]


def test_a_copy_of_the_process_does_not_end_the_mark(tmp_path):
    mark = Mark(tmp_path, "crmkit sql", AT)
    child = os.fork()
    if child == 0:
        mark.end()
        os._exit(0)
    os.waitpid(child, 0)
    assert len(list(tmp_path.glob(".crmkit/running/*"))) == 1
    mark.end()
