"""The generator: repeatable, and its truth is listed on the days on which it says so (W2)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

import crmkit
from crmkit_delivery.demo import DEMO, generate
from crmkit_delivery.demo.calendar import AS_OF, PLANT_FROM
from crmkit_delivery.demo.ills import EVERY
from crmkit_delivery.demo.verify import checks, ills, read_truth


def _bytes(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        generate(tmp_path / name, 40, seed)
    assert _bytes(tmp_path / "a") == _bytes(tmp_path / "b")
    assert _bytes(tmp_path / "a")["scans.csv"] != _bytes(tmp_path / "c")["scans.csv"]


@pytest.mark.parametrize("customers", [1, 2])
def test_a_very_small_firm_can_be_made(tmp_path: Path, customers: int) -> None:
    data = generate(tmp_path, customers, 3)
    assert all(file.path.exists() for file in data.files)


def test_every_kind_of_ill_is_planted_in_the_last_month(tmp_path: Path) -> None:
    data = generate(tmp_path, 300, 1)
    assert data.truth is not None
    truth = read_truth(data.truth)
    assert len(truth) >= 100
    assert {rule for rule, _ in truth} == {
        "D-R1", "D-R2", "D-R2 lost", "D-R3", "D-R3 unpaid", "D-R4", "D-R5", "D-R18 unowned",
        "D-R18 misrouted", "D-R18 skipped", "D-R18 impossible",
    }  # fmt: skip
    assert all(PLANT_FROM <= on <= AS_OF for on in truth.values())
    assert len(EVERY) == 12


def test_checks_fail_where_ills_are_missed_or_invented() -> None:
    day = PLANT_FROM
    truth = {("D-R1", f"W{i}"): day for i in range(100)}
    right, false = ills(dict(truth), truth)
    assert right.passed
    assert false.passed
    late = {
        **truth,
        ("D-R1", "W0"): day + timedelta(days=1),
        ("D-R1", "W1"): day + timedelta(days=1),
    }
    assert not ills(late, truth)[0].passed
    invented = {**truth, ("D-R2", "W7"): day, ("D-R2", "W8"): day}
    assert not ills(invented, truth)[1].passed


@pytest.mark.slow
def test_planted_ills_are_listed_on_the_right_day(tmp_path: Path) -> None:
    data = DEMO.generate(tmp_path / "files", 150, int(np.random.default_rng(5).integers(1000)))
    with crmkit.init(tmp_path / "w", plugins=("delivery",)) as crm:
        for file in data.files:
            assert crm.import_file(file.path, profile=file.profile).rejected == 0
        failed = [(c.name, c.found) for c in checks(crm, data) if not c.passed]
    assert failed == []


def test_some_deliveries_lack_their_proof_in_a_small_firm_too(tmp_path: Path) -> None:
    """Of the shipments without an ill every fortieth, the last among them: 2 of some fifty."""
    generate(tmp_path, 10, 1)
    scans = (tmp_path / "scans.csv").read_text(encoding="utf-8").splitlines()
    assert sum(",delivered," in line and ",none," in line for line in scans) in (1, 2)
