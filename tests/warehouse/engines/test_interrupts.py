"""Ctrl-C ends what the engine does, however many threads it works with."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crmkit.warehouse.engine import Limits
from crmkit.warehouse.engines.duckdb import DuckDbEngine, SealedEngine

# A thousand numbers, five times over: 10^15 rows, which no machine counts in a minute.
DIGITS = f"(VALUES {', '.join(f'({n})' for n in range(1000))})"
ENDLESS = (
    "SELECT sum((a.x * b.x + c.x * d.x + e.x) % 7) AS n FROM "
    + ", ".join(f"{DIGITS} {letter}(x)" for letter in "abcde")
)  # fmt: skip
LONG = 10_000
RESCUE = 60.0


@pytest.fixture(params=["folders", "sealed"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DuckDbEngine]:
    made = DuckDbEngine([tmp_path]) if request.param == "folders" else SealedEngine(Limits(LONG, 0))
    yield made
    made.close()


@pytest.mark.parametrize("act", ["query", "keep"])
def test_ctrl_c_ends_the_work_at_once_every_time(
    engine: DuckDbEngine, ctrl_c: Callable[[float], None], act: str
) -> None:
    """While its threads work, DuckDB itself looks for no signal; then a third thread has to end it."""
    rescued = threading.Event()

    def rescue() -> None:
        rescued.set()
        engine._connection.interrupt()

    for seconds in (0.0, 0.3, 0.9):
        late = threading.Timer(RESCUE, rescue)
        late.start()
        with pytest.raises(KeyboardInterrupt):
            ctrl_c(seconds)
            if act == "query":
                engine.query(ENDLESS, {})
            else:
                engine.keep("kept", ENDLESS, {})
        late.cancel()
        assert not rescued.is_set()
    assert engine.query("SELECT 1 AS one", {}).to_pylist() == [{"one": 1}]


def test_work_that_ctrl_c_has_ended_never_begins(
    engine: DuckDbEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy machine may begin a thread only after Ctrl-C has ended the wait for it."""
    begun: list[threading.Timer] = []

    class Late(threading.Thread):
        def start(self) -> None:
            begun.append(threading.Timer(0.5, self.run))
            begun[-1].start()
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading, "Thread", Late)
        with pytest.raises(KeyboardInterrupt):
            engine.query(ENDLESS, {})
    (late,) = begun
    late.join(RESCUE)
    assert not late.is_alive()
    assert engine.query("SELECT 1 AS one", {}).to_pylist() == [{"one": 1}]


class Enough(Exception):
    """Raised by a handler of another signal, as a limit of a test's time does."""


def test_any_other_end_stops_the_work_too(engine: DuckDbEngine) -> None:
    """What runs on for nobody would keep the connection from closing."""

    def enough(number: int, frame: object) -> None:
        raise Enough

    before = signal.signal(signal.SIGUSR1, enough)
    alarm = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGUSR1))
    try:
        with pytest.raises(Enough):
            alarm.start()
            engine.query(ENDLESS, {})
    finally:
        alarm.cancel()
        signal.signal(signal.SIGUSR1, before)
    assert engine.query("SELECT 1 AS one", {}).to_pylist() == [{"one": 1}]
