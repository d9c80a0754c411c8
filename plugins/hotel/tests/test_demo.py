"""The demo: the same seed gives the same bytes, and what it shows holds against its truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmkit.testing.worlds import open_world
from crmkit_hotel.demo import DEMO, PROFILES


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        DEMO.generate(tmp_path / name, 40, 3)
    for file in (*PROFILES, "truth.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.slow
def test_true_preferences_are_learnt_and_false_ones_are_not(tmp_path: Path) -> None:
    """Issue 7: after five stays at least 80 % of the true ones with confidence 0.6, at most 5 % false."""
    with open_world(tmp_path, "hotel", DEMO, customers=500, seed=5) as world:
        for name in DEMO.commands:
            world.crm.run(name, as_of=world.data.as_of.isoformat())
        assert DEMO.verify is not None
        found = DEMO.verify(world.crm, world.data)
    assert [check.name for check in found if not check.passed] == []
    assert "preferences after 5 stays" in {check.name for check in found}
