"""What all tests of the project share, those of the core and those of the four industries."""

from __future__ import annotations

import gc
import os
import resource
import signal
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent
# The folder of public data sets, which are too large to live in the repository. Tests read the name
# from the environment; what needs an absent file is skipped with these words.
DATA = Path(os.environ.setdefault("CRMKIT_DATA", str(ROOT.parent / "shared" / "data")))
ABSENT = "the public data are not here"
DEAREST = 20

# A busy machine makes examples slow to draw and slow to run, which says nothing about the code.
settings.register_profile(
    "crmkit",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("crmkit")


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets; a test that needs them is skipped without."""
    if not DATA.is_dir():
        pytest.skip(ABSENT)
    return DATA


@pytest.fixture
def ctrl_c() -> Iterator[Callable[[float], None]]:
    """Ctrl-C so many seconds from now."""
    timers: list[threading.Timer] = []

    def press(seconds: float) -> None:
        if not python_hears(signal.SIGINT):
            pytest.fail("a library took the signal, which would end the process of the tests")
        timers.append(threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)))
        timers[-1].start()

    yield press
    for timer in timers:
        timer.cancel()


def python_hears(number: signal.Signals) -> bool:
    """Whether the process handles the signal. A library in C may have changed that behind Python."""
    if not (status := Path("/proc/self/status")).exists():
        return callable(signal.getsignal(number))
    caught = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def cpu_seconds() -> float:
    """Processor time of this process and of the children that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


class Spent:
    """Notes with each report how much processor time its phase took, fixtures included."""

    def __init__(self) -> None:
        self._until = cpu_seconds()

    def pytest_collection_finish(self) -> None:
        """What collecting took is nobody's."""
        self._until = cpu_seconds()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, Any, Any]:
        report = yield
        now = cpu_seconds()
        report.user_properties.append(("cpu_seconds", now - self._until))
        self._until = now
        return report


def pytest_collection_finish() -> None:
    """Leaves what was collected out of every later search for garbage, which took a sixth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_configure(config: pytest.Config) -> None:
    """Adds the clock of processor time, and lets Ctrl-C through."""
    # A shell starts what it runs in the background with Ctrl-C ignored, and tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(Spent(), "spent")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails a run that skipped a test for want of data that are there."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = terminal.stats.get("skipped", []) if terminal else []
    unread = [report for report in skipped if ABSENT in str(report.longrepr)]
    if DATA.is_dir() and unread:
        terminal.write_line(f"{len(unread)} tests did not find their file in {DATA}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints the processor time of the run and of its dearest tests."""
    spent: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, seconds in getattr(report, "user_properties", ()):
                if name == "cpu_seconds":
                    spent[report.nodeid] += seconds
    if len(spent) < DEAREST:
        return
    # The workers have ended and are among the children; what collecting took is in their time alone.
    whole = max(cpu_seconds(), sum(spent.values()))
    terminalreporter.section(f"processor time {whole / 60:.1f} min, the dearest tests")
    for nodeid, seconds in spent.most_common(DEAREST):
        terminalreporter.write_line(f"{seconds:7.1f} s  {nodeid}")
