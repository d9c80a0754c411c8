"""The collector runs once a batch during an import, and as before after it."""

from __future__ import annotations

import gc
import weakref

import pytest

from crmkit.intake.collecting import collecting_by_batch


class Knot:
    """An object in a cycle, which only the collector can free."""

    def __init__(self) -> None:
        self.self = self


@pytest.fixture(autouse=True)
def collector_as_before():
    enabled = gc.isenabled()
    gc.enable()
    yield
    if not enabled:
        gc.disable()


def test_the_collector_rests_and_comes_back_after_an_error():
    with pytest.raises(ValueError, match="boom"), collecting_by_batch():
        assert not gc.isenabled()
        raise ValueError("boom")
    assert gc.isenabled()


def test_a_cycle_made_in_a_batch_is_freed_after_it():
    with collecting_by_batch() as collect:
        seen = weakref.ref(Knot())
        collect()
        assert seen() is None


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    with collecting_by_batch():
        pass
    assert not gc.isenabled()
