"""Files of a workspace are for their owner, or for a group, whatever the mask of the process."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmkit import private
from crmkit.cli.main import main
from crmkit.private import file_mode, users_own
from crmkit.workspace import init_workspace, open_workspace


@pytest.fixture(params=[0o000, 0o022], ids=["000", "022"])
def mask(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A process whose own mask lets others read, and that has no workspace open."""
    monkeypatch.setattr(private, "_open", [])
    before = os.umask(request.param)
    yield request.param
    # Whatever the test left open must not have changed the mask for good.
    left = os.umask(before)
    assert left == request.param


def _mask() -> int:
    """What the process takes away from new files now."""
    now = os.umask(0)
    os.umask(now)
    return now


def modes(folder: Path) -> dict[str, int]:
    """Mode of every file and folder below one, and of itself."""
    return {
        str(path.relative_to(folder.parent)): stat.S_IMODE(path.stat().st_mode)
        for path in (folder, *folder.rglob("*"))
    }


def use(folder: Path, tmp_path: Path) -> None:
    """Commands that make every kind of file that a workspace has."""
    people = tmp_path / "people.csv"
    people.write_text("no,name\n1,Ann\n,Nobody\n", encoding="utf-8")
    profile = tmp_path / "people.toml"
    profile.write_text(
        'name = "p"\n[source]\nname = "p"\nformat = "csv"\nkey = ["no"]\n[[emit]]\n'
        'entity = "customer"\nkey = "no"\n[emit.fields]\nname = "name"\n',
        encoding="utf-8",
    )
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Ann", encoding="utf-8")
    at = ("-w", str(folder))
    assert main([*at, "import", str(people), "--profile", str(profile)]) in (0, 3)
    assert main([*at, "snapshot"]) == 0
    assert main([*at, "rule", "run"]) == 0
    assert main([*at, "document", "add", "p:1", str(letter), "--type", "letter"]) == 0
    assert (
        main([*at, "report", "publish", "core.customers", "--output", str(folder / "reports")]) == 0
    )
    assert main([*at, "plugin", "check", "core"]) == 0


def test_files_are_0600_and_folders_0700(mask: int, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    assert main(["init", str(folder)]) == 0
    use(folder, tmp_path)
    with open_workspace(folder) as crm:  # with the files that SQLite has while it is open
        crm.store.customers.add(name="Bob")
        found = modes(folder)
    kinds = {name.split("/")[1] for name in found if "/" in name}
    assert {"crmkit.db", "crmkit.db-wal", "crmkit.toml", "warehouse", "rejects", "documents", "reports"} <= kinds  # fmt: skip
    assert {n: oct(m) for n, m in found.items() if m not in (0o600, 0o700)} == {}


def test_a_workspace_of_a_group_is_0660_and_2770(mask: int, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    assert main(["init", str(folder), "--group"]) == 0
    use(folder, tmp_path)
    with open_workspace(folder) as crm:
        crm.store.customers.add(name="Bob")
        found = modes(folder)
    assert 'permissions = "group"' in (folder / "crmkit.toml").read_text()
    assert {n: oct(m) for n, m in found.items() if m not in (0o660, 0o2770)} == {}


def test_what_the_user_names_is_made_by_the_users_mask(mask: int, tmp_path: Path) -> None:
    folder, page = tmp_path / "w", tmp_path / "page.html"
    assert main(["init", str(folder)]) == 0
    assert main(["-w", str(folder), "customer", "list", "-o", str(page)]) == 0
    assert main(["-w", str(folder), "report", "publish", "core.customers", "--output", str(tmp_path / "pages")]) == 0  # fmt: skip
    assert stat.S_IMODE(page.stat().st_mode) == 0o666 & ~mask
    for path, mode in modes(tmp_path / "pages").items():
        assert mode in (0o666 & ~mask, 0o777 & ~mask), path


def test_of_several_open_workspaces_the_strictest_mask_holds(mask: int, tmp_path: Path) -> None:
    own = init_workspace(tmp_path / "own")
    group = init_workspace(tmp_path / "group", permissions="group")
    assert file_mode() == 0o600
    own.close()
    assert file_mode() == 0o660
    with users_own():
        assert _mask() == mask
    assert _mask() == 0o007
    group.close()
    group.close()
    assert _mask() == mask


def test_other_permissions_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "w"
    assert main(["init", str(folder)]) == 0
    with (folder / "crmkit.toml").open("a") as settings:
        settings.write('permissions = "all"\n')
    assert main(["-w", str(folder), "customer", "list"]) == 5
    assert "permissions 'all' is not private or group" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "pipe", "device"])
def test_only_a_plain_file_becomes_a_document(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, source = tmp_path / "w", tmp_path / "letter.txt"
    assert main(["init", str(folder)]) == 0
    assert main(["-w", str(folder), "customer", "add", "Ann", "--ref", "c:1"]) == 0
    (tmp_path / "secret.txt").write_text("sesame")
    if kind == "link":
        source.symlink_to(tmp_path / "secret.txt")
    elif kind == "dangling":
        source.symlink_to(tmp_path / "nowhere.txt")
    elif kind == "folder":
        source.mkdir()
    elif kind == "pipe":
        os.mkfifo(source)
    else:
        source.symlink_to("/dev/zero")
    capsys.readouterr()
    assert main(["-w", str(folder), "document", "add", "c:1", str(source), "--type", "letter"]) == 2
    said = capsys.readouterr().err
    assert ("symbolic link" in said) == (kind in ("link", "device"))
    assert ("plain file" in said) == (kind not in ("folder", "dangling"))
    assert (
        list((folder / "documents").rglob("*.txt") if (folder / "documents").exists() else []) == []
    )
