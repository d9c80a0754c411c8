"""The demo: the same seed gives the same bytes, and what it shows holds against its truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crmkit.testing.postgresql import fresh_database
from crmkit.testing.worlds import open_world
from crmkit_hotel.demo import DEMO, PROFILES


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        DEMO.generate(tmp_path / name, 40, 3)
    for file in (*PROFILES, "truth.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


# The days asked, and the reports that say why they are empty.
DAYS = ("2025-12-31", "2026-03-01", "2026-03-31")
EMPTY = {"hotel.calibration": "Shows nothing while the score has not been run"}


def test_every_report_shows_rows_on_the_demo_at_three_days(tmp_path: Path) -> None:
    """Issue 14, line 15: or says why not. The club, its points and marked lines are there at each."""
    with open_world(tmp_path, "hotel", DEMO, customers=400, seed=1) as world:
        crm = world.crm
        assert DEMO.history is not None
        DEMO.history(crm, world.data)
        for name in DEMO.commands:
            crm.run(name, as_of=world.data.as_of.isoformat())
        names = [n for n in crm.catalog.reports if n.startswith(("hotel.", "ledger."))]
        for day in DAYS:
            found = {n: crm.reports.run(n, {}, crm.as_of(day)).table for n in names}
            empty = {name for name, table in found.items() if not table.num_rows}
            assert empty == EMPTY.keys(), day
            for name, table in found.items():
                for row in table.to_pylist():
                    lists = [v for v in row.values() if isinstance(v, str) and v.startswith("[")]
                    assert lists == [], name
        for name, reason in EMPTY.items():
            assert reason in crm.catalog.reports[name].notes
        assert len(crm.run("loyalty post").rows) == 1
        assert crm.run("loyalty post").rows == [{"stays": 0, "points": 0}]


def test_the_club_of_a_past_day_stays_as_it_was(tmp_path: Path) -> None:
    """Issue 14, line 12: points are owed from the day on which they were posted, and not before."""
    with open_world(tmp_path, "hotel", DEMO, customers=60, seed=2) as world:
        crm = world.crm

        def owed(day: str) -> int:
            rows = crm.reports.run("hotel.loyalty", {}, crm.as_of(day)).table.to_pylist()
            return sum(row["outstanding"] for row in rows)

        crm.run("loyalty post", as_of="2025-12-31")
        year_end = owed("2025-12-31")
        crm.run("loyalty post", as_of="2026-02-28")
        assert 0 < year_end < owed("2026-02-28")
        assert [owed(day) for day in ("2025-12-30", "2025-12-31", "2026-01-31")] == [
            0, year_end, year_end,
        ]  # fmt: skip
        # Posted again for the earlier day, nothing of the later one is taken back.
        assert crm.run("loyalty post", as_of="2025-12-31").rows == [{"stays": 0, "points": 0}]


def _verified(folder: Path, **settings: Any) -> list[str]:
    """The names of the checks that a chain of 500 guests passes; all have to."""
    with open_world(folder, "hotel", DEMO, customers=500, seed=5, **settings) as world:
        assert DEMO.history is not None
        DEMO.history(world.crm, world.data)
        for name in DEMO.commands:
            world.crm.run(name, as_of=world.data.as_of.isoformat())
        assert DEMO.verify is not None
        found = DEMO.verify(world.crm, world.data)
        _merged_and_taken_back(world.crm)
    assert [check.name for check in found if not check.passed] == []
    return [check.found for check in found if check.name.startswith("preferences")]


def _merged_and_taken_back(crm: Any) -> None:
    """Of the pairs found one is merged and taken back: each is counted where it belongs."""

    def told() -> tuple[int, int]:
        (row,) = crm.run("guest duplicates").rows
        return row["merged"], row["undone"]

    pair = crm.duplicates.find(0.9)[0]
    assert told() == (0, 0)
    (merge,) = crm.duplicates.merge([(pair.a_id, pair.b_id)])
    assert told() == (1, 0)
    crm.duplicates.unmerge([merge])
    assert told() == (0, 1)


@pytest.mark.slow
def test_true_preferences_are_learnt_and_false_ones_are_not(
    tmp_path: Path, postgresql_server: str
) -> None:
    """Issue 7: after five stays at least 80 % of the true ones with confidence 0.6, at most 5 % false.

    On either database, with the same figures.
    """
    on_sqlite = _verified(tmp_path / "sqlite")
    assert len(on_sqlite) == 3
    with fresh_database(postgresql_server) as url:
        assert _verified(tmp_path / "postgresql", database=url) == on_sqlite
