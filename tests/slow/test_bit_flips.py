"""One bit turned over on the disk, anywhere in a workspace: found, or said how often it is not.

The seed is fixed, so a failure can be run again. The figures are told in docs/explanation/damage.md.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

import crmkit
from crmkit.cli.main import main
from crmkit.declarations import CUSTOMER
from crmkit.errors import CrmkitError
from crmkit.warehouse import checksums, existence
from crmkit.warehouse.engine import quoted
from crmkit.warehouse.manifest import FILE, read_manifest
from crmkit.warehouse.runs import current_files, read_run, told_by

SEED = 20261130
SLOW = [pytest.param(50, marks=pytest.mark.slow), pytest.param(1_000, marks=pytest.mark.soak)]
# Each flip of the database is looked at by two runs of doctor.
SLOW_DATABASE = [
    pytest.param(10, marks=pytest.mark.slow),
    pytest.param(200, marks=pytest.mark.soak),
]


@pytest.fixture(scope="module")
def telecom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of a demo, with a snapshot, runs and a model, that no test changes."""
    folder = tmp_path_factory.mktemp("flips") / "telecom"
    assert main(["demo", "telecom", str(folder), "--customers", "200", "--seed", "1"]) == 0
    with crmkit.open(folder) as crm:
        crm.warehouse.refresh()
    with sqlite3.connect(folder / "crmkit.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return folder


@pytest.fixture
def workspace(telecom: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return shutil.copytree(telecom, tmp_path / "telecom")


def flip(path: Path, draw: random.Random) -> int:
    """Turns one bit over, the length unchanged; which one."""
    content = bytearray(path.read_bytes())
    bit = draw.randrange(len(content) * 8)
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    return bit


def answers(crm: crmkit.Crm, table: str) -> list[dict[str, object]]:
    """Something of every column of a table, so that no value may differ unseen."""
    with crm.warehouse.session() as session:
        session.bind_base(table)
        # A sum over rows, for versions of one id come in any order.
        whole = ", ".join(quoted(c) for c in session.engine.types(f"base_{table}"))
        sql = f"SELECT count(*) AS n, sum(hash({whole}) % 1000003) AS told FROM base_{table}"
        found: list[dict[str, object]] = session.engine.query(sql, {}).to_pylist()
    return found


def drawn(crm: crmkit.Crm, draw: random.Random) -> tuple[Path, str]:
    """A file of the warehouse and a table that is read from it."""
    held = read_manifest(crm.settings.warehouse)
    assert held is not None
    # Rows of version 0 are read with those of the customers that they precede.
    files = {
        part.file: CUSTOMER if name == existence.TABLE else name
        for name, state in held.tables.items()
        for part in state.parts
    }
    file = draw.choice(sorted([*files, FILE]))
    return crm.settings.warehouse / file, files.get(file) or draw.choice(sorted(set(files.values())))  # fmt: skip


@pytest.mark.parametrize("flips", SLOW)
def test_every_flip_in_a_warehouse_is_found_before_an_answer(
    workspace: Path, flips: int, capsys: pytest.CaptureFixture[str]
) -> None:
    draw, missed, found = random.Random(SEED), [], Counter[str]()
    with crmkit.open(workspace) as crm:
        sound = {
            name: answers(crm, name)
            for name in read_manifest(crm.settings.warehouse).tables
            if name != existence.TABLE
        }
        for _ in range(flips):
            # As in a process of its own, which has opened nothing and found nothing sound yet.
            crm.warehouse.close()
            del crm.__dict__["warehouse"]
            checksums._verified.clear()
            path, table = drawn(crm, draw)
            bit = flip(path, draw)
            told = answers(crm, table)
            if not crm.warehouse.replaced:
                missed.append(f"{path.parent.name}/{path.name}, bit {bit}: not found")
            elif told != sound[table]:
                missed.append(f"{path.parent.name}/{path.name}, bit {bit}: found, and {told}")
            found["manifest" if path.name == FILE else "Parquet"] += 1
        with capsys.disabled():
            print(f"\n{flips - len(missed)} of {flips} found before an answer: {dict(found)}")
        assert missed == []
        assert crm.warehouse.verify() == []


@pytest.mark.parametrize("flips", SLOW)
def test_every_flip_in_a_run_is_refused_by_its_name(workspace: Path, flips: int) -> None:
    draw = random.Random(SEED)
    runs = workspace / "runs"
    files = sorted(path for path in runs.glob("*/*") if path.suffix in (".parquet", ".sha256"))
    current = {path.name for path in current_files(runs)}
    with crmkit.open(workspace) as crm:
        for _ in range(flips):
            path = draw.choice(files)
            sound = path.read_bytes()
            bit = flip(path, draw)
            name = path.name.removesuffix(".sha256")
            with pytest.raises(CrmkitError, match=name):
                if name in current:
                    crm.query("SELECT count(*) AS n FROM outcome")
                else:
                    told_by(path.with_name(name))
                    read_run(path.with_name(name))
                pytest.fail(f"{path.name}, bit {bit} was not found")
            path.write_bytes(sound)
        assert crm.query("SELECT count(*) AS n FROM outcome")["n"][0].as_py() > 0


def doctor(workspace: Path, capsys: pytest.CaptureFixture[str], *options: str) -> bool:
    """Whether doctor finds a fault, having said so in its own words."""
    capsys.readouterr()
    code = main(["-w", str(workspace), "doctor", "--format", "json", *options])
    said = capsys.readouterr()
    assert code in (0, 5, 7, 8), said.err
    assert any(row["status"] == "fault" for row in json.loads(said.out)) == bool(code)
    return bool(code)


@pytest.mark.parametrize("flips", SLOW_DATABASE)
def test_flips_in_the_database_are_found_in_part(
    workspace: Path, flips: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """SQLite keeps no checksum of a page: what still reads as rows is found by nobody."""
    draw, file = random.Random(SEED), workspace / "crmkit.db"
    sound = file.read_bytes()
    found = Counter[str]()
    for _ in range(flips):
        for beside in workspace.glob("crmkit.db-*"):
            beside.unlink()
        file.write_bytes(sound)
        flip(file, draw)
        quick = doctor(workspace, capsys)
        deep = doctor(workspace, capsys, "--deep")
        assert deep or not quick, "the deep check finds what the quick one does"
        found["quick"] += quick
        found["deep"] += deep
    with capsys.disabled():
        print(f"\nof {flips} flips doctor found {found['quick']}, doctor --deep {found['deep']}")
    assert 0 < found["quick"] <= found["deep"] <= flips


@pytest.mark.slow
def test_a_sound_copy_has_no_fault(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Else every flip would be found, whatever doctor looks at."""
    assert doctor(workspace, capsys, "--deep") is False
