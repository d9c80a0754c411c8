"""Small worlds with the tables of the hotel, the ledger and the service desk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import crmkit_hotel
from crmkit.builtin import contact, ledger, service
from crmkit.testing.small import SmallWorld
from crmkit.testing.small import day as days_before


@pytest.fixture
def world() -> Iterator[SmallWorld]:
    """An empty small world, as of 2026-03-31."""
    with SmallWorld(crmkit_hotel, contact, ledger, service) as made:
        yield made


@pytest.fixture(name="day")
def day_fixture() -> Any:
    """The function that gives the day so many days before the as-of day, 2026-03-31."""
    return days_before
