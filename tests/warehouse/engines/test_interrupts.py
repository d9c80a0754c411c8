"""Ctrl-C ends what the engine does, however many threads it works with."""

from __future__ import annotations

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
