"""A workspace with one customer, and cases opened at a moment that the test names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import crmkit
from crmkit.builtin.service.cases import Cases
from crmkit.testing.clock import SettableClock
from crmkit.workspace import Crm

At = Callable[[str], datetime]


@pytest.fixture
def crm(tmp_path: Path, crm_clock: SettableClock) -> Iterator[Crm]:
    """A workspace in Berlin."""
    made = crmkit.init(tmp_path / "w", clock=crm_clock, actor="ann", time_zone="Europe/Berlin")
    with made as crm:
        yield crm


@pytest.fixture
def cases(crm: Crm) -> Cases:
    """The service that other plugins use."""
    service = crm.service("service.cases")
    assert isinstance(service, Cases)
    return service


@pytest.fixture
def customer(crm: Crm, crm_clock: SettableClock) -> int:
    """A customer known since 2020, with the key ``crm:1042``."""
    now = crm_clock()
    crm_clock.set(datetime(2020, 1, 1, tzinfo=UTC))
    from crmkit.entities import CustomerRef

    made = crm.store.customers.add(name="Ann", refs=[CustomerRef("crm", "1042")], region="north")
    crm_clock.set(now)
    return made.id


@pytest.fixture
def at(crm_clock: SettableClock) -> At:
    """``at("2026-03-18T10:00")`` sets the clock to that time in Berlin."""
    from zoneinfo import ZoneInfo

    def go(text: str) -> datetime:
        when = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))
        crm_clock.set(when.astimezone(UTC))
        return when.astimezone(UTC)

    return go


@pytest.fixture
def do(crm: Crm) -> Callable[..., dict[str, Any]]:
    """``do("answer", key)`` runs ``case answer`` and returns its row."""

    def go(verb: str, *keys: str, **values: Any) -> dict[str, Any]:
        command = crm.catalog.commands[f"case {verb}"]
        named = [p.name for p in command.parameters if p.positional]
        answer = crm.run(f"case {verb}", **dict(zip(named, keys, strict=False)), **values)
        return dict(answer.rows[0])

    return go
