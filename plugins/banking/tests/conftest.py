"""Small worlds with banking's tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from typing import Any

import pytest

import crmkit_banking
from crmkit.builtin import contact, ledger, outreach, service, value
from crmkit.testing.small import SmallWorld
from crmkit.testing.small import day as days_before


@pytest.fixture
def world() -> Iterator[SmallWorld]:
    """An empty small world, as of 2026-03-31."""
    with SmallWorld(crmkit_banking, contact, service, ledger, value, outreach) as made:
        yield made


@pytest.fixture(name="day")
def day_fixture() -> Any:
    """The function that gives the day so many days before the as-of day, 2026-03-31."""
    return days_before


@pytest.fixture
def world_of() -> Iterator[Callable[[date], SmallWorld]]:
    """Makes empty small worlds as of given days."""
    with ExitStack() as made:
        yield lambda on: made.enter_context(SmallWorld(crmkit_banking, contact, as_of_on=on))
