"""Long work shows that it goes on, and short work shows nothing."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest

from crmkit import progress
from crmkit.cli import working
from crmkit.cli.working import Working
from crmkit.cycle import Cycle
from crmkit.workspace import Crm

from .conftest import Crmkit


class Terminal(io.StringIO):
    """A stderr that is a terminal."""

    def isatty(self) -> bool:
        return True


def worked(stream: io.StringIO, seconds: float) -> str:
    """What is written while work of three steps goes on."""
    shown = Working(stream)
    shown.start()
    with progress.listening(shown.told), progress.within("scores"):
        for _ in progress.steps(["a", "b", "c"], lambda name: f"telecom.{name}"):
            time.sleep(seconds / 3)
    shown.stop()
    return stream.getvalue()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "QUIET_SECONDS", 0.02)
    monkeypatch.setattr(working, "LINE_SECONDS", 0.02)
    monkeypatch.setattr(working, "_REDRAW_SECONDS", 0.02)


def test_short_work_shows_nothing() -> None:
    assert worked(Terminal(), 0.03) == ""
    assert worked(io.StringIO(), 0.03) == ""


@pytest.mark.usefixtures("quick")
def test_a_terminal_gets_a_bar_that_is_gone_at_the_end() -> None:
    text = worked(Terminal(), 0.6)
    assert "1 of 3  scores: telecom.b" in text
    assert "[########................]" in text
    assert "\n" not in text
    assert text.endswith("\r\x1b[K")


@pytest.mark.usefixtures("quick")
def test_elsewhere_whole_lines_say_what_goes_on() -> None:
    text = worked(io.StringIO(), 0.6)
    assert "\r" not in text
    assert "\x1b" not in text
    assert text.endswith("\n")
    assert any(
        line == "still working: 0 s  2 of 3  scores: telecom.c" for line in text.splitlines()
    )


def told(crm: Crm, work: object) -> list[str]:
    """The steps that a piece of work tells."""
    said: list[str] = []
    with progress.listening(lambda what, done, total: said.append(what)):
        work()  # type: ignore[operator]
    return said


def test_every_long_command_says_what_it_is_at(crmkit: Crmkit, shop: Path) -> None:
    """Publish, report, snapshot, lifecycle and the daily run name their parts."""
    import crmkit as package

    crmkit("customer", "add", "Ann")
    with package.open(shop) as crm:
        at = crm.as_of(None)
        assert "snapshot of customer" in told(crm, lambda: crm.warehouse.refresh(full=True))
        assert "report core.funnel" in told(crm, lambda: crm.reports.run("core.funnel", {}, at))
        assert "lifecycle core.customer" in told(crm, lambda: crm.lifecycles.propose(at))
        pages = told(crm, lambda: crm.publish_reports(shop / "pages", ["core.funnel"], at))
        assert "report core.funnel" in pages
        day = told(crm, lambda: Cycle(crm).run(at))
        assert {"snapshot", "lifecycle", "scores", "reports"} <= set(day)
        assert "lifecycle: lifecycle core.customer" in day


def test_a_command_under_two_seconds_says_nothing_of_its_work(crmkit: Crmkit, shop: Path) -> None:
    assert "working" not in crmkit("report", "list").err
