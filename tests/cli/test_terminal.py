"""What a person at a terminal sees: width, colours, pager."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from attrs import frozen

from .conftest import Crmkit


@frozen
class Seen:
    """What a terminal was sent, and what went to stderr."""

    text: str
    err: str

    @property
    def plain(self) -> list[str]:
        return re.sub(r"\x1b\[[0-9;]*m", "", self.text).splitlines()


def at_terminal(*args: str, columns: int = 80, lines: int = 50, **environment: str) -> Seen:
    """Runs a command whose stdin and stdout are a terminal of that size."""
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    unset = {"COLUMNS", "LINES", "NO_COLOR", "PAGER", "LESS"}
    kept = {k: v for k, v in os.environ.items() if k not in unset}
    with subprocess.Popen(
        [sys.executable, "-m", "crmkit.cli.main", *args],
        stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
        env={**kept, "TERM": "xterm", **environment},
    ) as process:  # fmt: skip
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(mine, 65536)
            except OSError:  # Linux says so at the end of a terminal
                break
            if not part:
                break
            parts.append(part)
        assert process.stderr is not None
        err = process.stderr.read().decode()
    os.close(mine)
    return Seen(b"".join(parts).decode().replace("\r\n", "\n"), err)


@pytest.fixture
def people(crmkit: Crmkit, shop: Path) -> Path:
    for number in range(3):
        crmkit(
            "customer",
            "add",
            f"Ann Example-{number}",
            "--ref",
            f"billing:{number}",
            "--region",
            "north",
        )
    return shop


def test_a_list_fits_the_terminal_and_says_what_it_left_out(people: Path) -> None:
    seen = at_terminal("customer", "list", columns=80)
    assert max(map(len, seen.plain)) <= 80
    assert seen.plain[0].split() == ["ref", "name", "kind", "region", "created_at", "updated_at"]
    assert "Left out, empty here: locale, time_zone, owner, team." in seen.err
    assert "Left out for lack of room: version." in seen.err
    wide = at_terminal("customer", "list", columns=160)
    assert wide.plain[0].split()[-1] == "version"
    assert "lack of room" not in wide.err


def test_a_pipe_and_every_other_format_keep_all_columns(crmkit: Crmkit, people: Path) -> None:
    piped = crmkit("customer", "list")
    assert {"locale", "team", "version"} <= set(piped.out.splitlines()[0].split())
    assert "Left out" not in piped.err
    assert {"locale", "team", "version"} <= set(
        crmkit("customer", "list", "--format", "json").rows[0]
    )


def test_colours_are_for_terminals_and_no_color_turns_them_off(people: Path) -> None:
    assert "\x1b[1m" in at_terminal("customer", "list").text
    assert "\x1b" not in at_terminal("customer", "list", NO_COLOR="1").text


def test_a_table_longer_than_the_terminal_goes_through_the_pager(people: Path) -> None:
    """A pager that shouts shows that the table went through it."""
    pager = f"{sys.executable} -c 'import sys; print(sys.stdin.read().upper())'"
    shouted = at_terminal("customer", "list", lines=4, PAGER=pager).text
    assert "ANN EXAMPLE-1" in shouted
    assert "Ann Example-1" in at_terminal("customer", "list", lines=50, PAGER=pager).text
    for args in (["--no-pager", "customer", "list"], ["customer", "list", "--no-pager"]):
        assert "Ann Example-1" in at_terminal(*args, lines=4, PAGER=pager).text
    assert "Ann Example-1" in at_terminal("customer", "list", lines=4, PAGER="no-such-pager").text
