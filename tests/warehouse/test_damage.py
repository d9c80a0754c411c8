"""Damaged files of the warehouse are found before an answer comes from them, and read anew."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crmkit.errors import StorageError
from crmkit.warehouse import checksums, session, snapshot
from crmkit.warehouse.manifest import FILE, LatestManifest, read_manifest

SUM = "SELECT sum(minutes) AS n FROM gym_visit"
MINUTES = 20 * 21 / 2  # 1 + 2 + ... + 20


@pytest.fixture
def visits(world: Any) -> Any:
    ann = world.customer("2026-01-01")
    for n in range(1, 21):
        world.visit(ann, f"2026-02-{n:02} 10:00", minutes=float(n))
    world.ann = ann
    world.warehouse.refresh()
    return world


def part_of(world: Any, table: str = "gym_visit") -> Path:
    (part,) = read_manifest(world.warehouse.folder).tables[table].parts
    return world.warehouse.folder / part.file


def flip(path: Path, bit: int) -> None:
    """Turns one bit of a file over and leaves its length and its times as they were."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_every_flipped_bit_is_found_before_an_answer(visits: Any) -> None:
    """Bits all over the file: pages, footer, statistics and magic numbers."""
    draw = random.Random(0)
    size = part_of(visits).stat().st_size * 8
    for bit in (0, size - 1, *(draw.randrange(size) for _ in range(10))):
        flip(part_of(visits), bit)
        visits.warehouse.replaced.clear()
        assert visits.ask(SUM) == [(MINUTES,)]
        assert len(visits.warehouse.replaced) == 1, f"bit {bit} was not found"


@pytest.mark.parametrize("table", ["gym_visit", "customer"])
@pytest.mark.parametrize("harm", ["gone", "cut", "empty", "other"])
def test_what_is_missing_or_cut_is_read_anew_by_the_next_snapshot(
    visits: Any, table: str, harm: str
) -> None:
    path = part_of(visits, table)
    if harm == "gone":
        path.unlink()
    else:
        content = path.read_bytes()
        path.write_bytes({"cut": content[:-7], "empty": b"", "other": b"x" * len(content)}[harm])
    made = visits.warehouse.refresh(suspects=None)
    assert (made.full, made.replaced) == (False, (f"{table}/{path.name}",))
    assert visits.warehouse.damaged() == []
    assert visits.warehouse.verify() == []
    assert visits.warehouse.refresh(suspects=None).replaced == ()


def test_an_increment_sees_what_is_missing_without_reading_the_rest(
    visits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    part_of(visits).unlink()
    read: list[Path] = []
    whole = checksums.Checksum.fits
    monkeypatch.setattr(
        checksums.Checksum, "fits", lambda self, path: read.append(path) or whole(self, path)
    )
    visits.customer("2026-03-01")
    made = visits.warehouse.refresh()
    assert (len(made.replaced), read) == (1, [])
    assert visits.ask(SUM) == [(MINUTES,)]


def test_only_the_files_that_a_question_touches_are_read(
    visits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    sound = session.is_sound
    monkeypatch.setattr(
        session, "is_sound", lambda folder, part: asked.append(part.file) or sound(folder, part)
    )
    visits.ask("SELECT count(*) AS n FROM gym_room")
    assert [file for file in asked if file.startswith("gym_visit/")] == []
    visits.ask(SUM)
    assert [file for file in asked if file.startswith("gym_visit/")] != []


def test_a_file_is_read_once_in_a_process_unless_it_changes(
    visits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    hashed = checksums.Checksum.of.__func__  # type: ignore[attr-defined]
    monkeypatch.setattr(
        checksums.Checksum, "of",
        classmethod(lambda cls, path: read.append(path.parent.name) or hashed(cls, path)),
    )  # fmt: skip
    for _ in range(2):
        visits.warehouse.close()
        assert visits.ask(SUM) == [(MINUTES,)]
    assert read.count("gym_visit") == 1
    flip(part_of(visits), 4000)
    assert visits.ask(SUM) == [(MINUTES,)]
    assert len(visits.warehouse.replaced) == 1


def test_a_damaged_file_is_not_compacted_into_a_sound_one(
    visits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the checksum of the new file would vouch for the damage."""
    monkeypatch.setattr(snapshot, "MOST_SMALL", 1)
    flip(part_of(visits), 4000)
    visits.visit(visits.ann, "2026-03-01 10:00", minutes=1.0)
    visits.warehouse.refresh()
    assert visits.ask(SUM) == [(MINUTES + 1,)]
    assert visits.warehouse.verify() == []


def test_damage_of_a_disabled_plugins_files_is_mended_too(visits: Any, gym_catalog: Any) -> None:
    from crmkit.hosting.catalog import Catalog

    path = part_of(visits)
    visits.reopen(Catalog())
    flip(path, 4000)
    assert visits.ask("SELECT count(*) AS n FROM interaction") == [(20,)]
    visits.reopen(gym_catalog())
    assert visits.ask(SUM) == [(MINUTES,)]


@pytest.mark.parametrize("bit", [3, 100, 1000, 5000, -2])
def test_a_flipped_bit_of_the_manifest_means_building_anew(visits: Any, bit: int) -> None:
    path = visits.warehouse.folder / FILE
    flip(path, bit % (path.stat().st_size * 8))
    assert visits.ask(SUM) == [(MINUTES,)]
    assert visits.warehouse.damaged() == []


def test_a_reader_keeps_its_files_when_the_manifest_is_lost(visits: Any, at: Any) -> None:
    """Files of the lost manifest stay, and new ones take none of their names."""
    with visits.warehouse.session() as reader:
        old = part_of(visits)
        (visits.warehouse.folder / FILE).write_text("{")
        visits.warehouse.refresh()
        assert part_of(visits) != old
        assert reader.frame(at("2026-12-31")).query(SUM).to_pylist() == [{"n": MINUTES}]


def test_a_session_goes_on_over_a_table_that_was_read_anew(visits: Any, at: Any) -> None:
    with visits.warehouse.session() as reading:
        frame = reading.frame(at("2026-12-31"))
        assert frame.query("SELECT count(*) AS n FROM customer").to_pylist() == [{"n": 1}]
        flip(part_of(visits), 4000)
        assert frame.query(SUM).to_pylist() == [{"n": MINUTES}]
    assert visits.ask(SUM) == [(MINUTES,)]


def test_a_session_does_not_mix_two_snapshots(visits: Any, at: Any) -> None:
    """What was read before the damage was found is of another state than what is read anew."""
    with pytest.raises(StorageError, match=r"gym_visit.*Run the same command again"):
        with visits.warehouse.session() as reading:
            frame = reading.frame(at("2026-12-31"))
            frame.query("SELECT count(*) AS n FROM customer")
            flip(part_of(visits), 4000)
            visits.visit(visits.ann, "2026-03-01 10:00", minutes=1.0)
            frame.query(SUM)
    assert visits.ask(SUM) == [(MINUTES + 1,)]


def test_another_process_may_have_mended_it_already(visits: Any, at: Any) -> None:
    with visits.warehouse.session() as reading:
        flip(part_of(visits), 4000)
        visits.warehouse.refresh(suspects=None)
        found = reading.frame(at("2026-12-31")).query(SUM)
        assert found.to_pylist() == [{"n": MINUTES}]


def test_another_process_finds_the_damage(visits: Any) -> None:
    """What this process has found sound says nothing to the next one."""
    assert visits.ask(SUM) == [(MINUTES,)]
    flip(part_of(visits), 4000)
    code = (
        "import sys; from pathlib import Path; "
        "from crmkit.warehouse.manifest import read_manifest; "
        "from crmkit.warehouse.snapshot import damaged_files; "
        "folder = Path(sys.argv[1]); print(list(damaged_files(folder, read_manifest(folder))))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, visits.warehouse.folder], capture_output=True, check=True
    )
    assert found.stdout.strip() == b"['gym_visit']"


def test_a_forked_reader_keeps_to_what_was_found_sound(visits: Any) -> None:
    latest = LatestManifest(visits.warehouse.folder)
    assert visits.ask(SUM) == [(MINUTES,)]
    (part,) = latest.read().tables["gym_visit"].parts
    child = os.fork()
    if not child:
        os._exit(0 if snapshot.is_sound(visits.warehouse.folder, part) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
