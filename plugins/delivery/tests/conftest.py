"""Small worlds with delivery's tables, and a workspace with the Olist files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import crmkit
import crmkit_delivery
from crmkit.testing.small import SmallWorld
from crmkit.testing.small import day as days_before

DATA = Path(os.environ["CRMKIT_DATA"]) / "olist"
FILES = (
    ("customers.csv", "olist-customers"), ("sellers.csv", "olist-sellers"),
    ("products.csv", "olist-products"), ("orders.csv", "olist-orders"),
    ("order_items.csv", "olist-items"), ("order_reviews.csv", "olist-reviews"),
)  # fmt: skip


class ReusedWorld(SmallWorld):
    """A small world that is emptied after each test: making its sixty tables takes longer than most."""

    def __init__(self) -> None:
        super().__init__(crmkit_delivery)
        self.touched = {"population"}

    def add(self, table: str, **values: Any) -> None:
        self.touched.add(table)
        super().add(table, **values)

    def empty(self) -> None:
        """Takes every row out again."""
        for table in self.touched:
            self.db.execute(f"DELETE FROM {table}")
        self.touched = {"population"}
        self.rows = 0


@pytest.fixture(scope="session")
def one_world() -> Iterator[ReusedWorld]:
    """The world that all tests take turns in."""
    with ReusedWorld() as made:
        yield made


@pytest.fixture
def world(one_world: ReusedWorld) -> Iterator[SmallWorld]:
    """An empty small world, as of 2026-03-31."""
    yield one_world
    one_world.empty()


@pytest.fixture(name="day")
def day_fixture() -> Any:
    """The function that gives the day so many days before the as-of day, 2026-03-31."""
    return days_before


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The function that opens an empty workspace in a folder: a copy of one that was made once."""
    blank = tmp_path_factory.mktemp("blank") / "workspace"
    crmkit.init(blank, plugins=("delivery",), currency="EUR").close()

    def opened(folder: Path, **options: Any) -> Any:
        shutil.copytree(blank, folder)
        return crmkit.open(folder, **options)

    return opened


@pytest.fixture(scope="session")
def olist(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A workspace with the Olist files, statuses computed, and the results of the imports."""
    if not DATA.exists():
        pytest.skip("the public data are not here")
    folder = tmp_path_factory.mktemp("olist") / "workspace"
    with crmkit.init(
        folder, plugins=("delivery",), currency="BRL", time_zone="America/Sao_Paulo"
    ) as opened:
        results = {
            profile: opened.import_file(DATA / name, profile=profile) for name, profile in FILES
        }
        opened.run("waybill recompute")
        yield opened, results
