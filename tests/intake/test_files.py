"""What is no file is refused before anything is read, and standard input still works."""

from __future__ import annotations

import io
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from crmkit.errors import InputRefused, NotFound
from crmkit.intake.guess.sample import read_sample

PROFILE = """
name = "people"
[source]
name = "crm"
key = ["id"]
[[emit]]
entity = "customer"
key = "id"
[emit.fields]
name = "name"
"""
ROWS = "id,name\n1,Ann\n,Bob\n"


@pytest.fixture
def odd(tmp_path: Path) -> dict[str, str]:
    """Things that are no files, by what they are; opening the pipe would wait for ever."""
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "link.csv").symlink_to("/dev/zero")
    (tmp_path / "dir.csv").mkdir()
    found = {
        "a device": "/dev/zero", "a pipe": str(tmp_path / "pipe.csv"),
        "a folder": str(tmp_path / "dir.csv"), "link": str(tmp_path / "link.csv"),
    }  # fmt: skip
    with socket.socket(socket.AF_UNIX) as made:
        # The path of a socket is short, so it is made from inside the folder.
        here = Path.cwd()
        os.chdir(tmp_path)
        try:
            made.bind("s.csv")
        finally:
            os.chdir(here)
    return {**found, "a socket": str(tmp_path / "s.csv")}


def test_what_is_no_file_is_refused(lite: Any, odd: dict[str, str]) -> None:
    profile = str(lite.write("p.toml", PROFILE))
    for what, path in odd.items():
        words = f"is {'a device' if what == 'link' else what}, not a file"
        with pytest.raises(InputRefused, match=words) as refused:
            lite.intake.import_file(path, profile)
        assert refused.value.exit_code == 2
        if what != "a folder":
            assert "- reads standard input" in str(refused.value.hint)
        with pytest.raises(InputRefused, match=words):
            read_sample(path)
    assert lite.store.imports.runs() == []


def test_rejects_are_not_written_over_a_device(lite: Any, odd: dict[str, str]) -> None:
    for path in (odd["a pipe"], "/dev/null"):
        with pytest.raises(InputRefused, match="not a file"):
            lite.load(ROWS, PROFILE, rejects=path)
    assert lite.store.imports.runs() == []
    assert Path("/dev/null").is_char_device()


def test_a_profile_or_file_that_is_not_there_is_said(lite: Any) -> None:
    with pytest.raises(NotFound):
        lite.intake.import_file("none.csv", str(lite.write("p.toml", PROFILE)))


def test_standard_input_is_read(lite: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = str(lite.write("p.toml", PROFILE))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ROWS.encode())))
    result = lite.intake.import_file("-", profile)
    assert (result.created, result.rejected) == (1, 1)


def test_a_finished_import_that_is_repeated_keeps_its_rejects_once(shop: Any) -> None:
    first = shop.load(ROWS, PROFILE)
    again = shop.load(ROWS, PROFILE)
    third = shop.load(ROWS, PROFILE)
    assert shop.one("SELECT count(*) FROM import_reject") == 1
    told = [shop.store.imports.rejects(r.import_id) for r in (first, again, third)]
    assert told[0] == told[1] == told[2]
    assert [r.rejected for r in shop.store.imports.runs()] == [1, 1, 1]
    assert Path(third.rejects_file).read_text() == Path(first.rejects_file).read_text()


def test_rejects_that_differ_are_kept_beside_the_earlier_ones(shop: Any) -> None:
    """The same file, whose owner is stored by the second time: another row is rejected then."""
    lines = (
        'name = "lines"\n[source]\nname = "crm"\nkey = ["id"]\n'
        '[[emit]]\nentity = "shop.line"\nkey = "id"\n'
        'owner = { entity = "customer", column = "owner" }\n[emit.fields]\nnumber = "number"\n'
    )
    content = "id,owner,number\nL1,1,7\nL2,1,x\n"
    assert shop.load(content, lines).rejected == 2
    shop.load("id,name\n1,Ann\n", PROFILE)
    assert shop.load(content, lines).rejected == 1
    assert shop.load(content, lines).rejected == 1
    assert shop.one("SELECT count(*) FROM import_reject") == 3
