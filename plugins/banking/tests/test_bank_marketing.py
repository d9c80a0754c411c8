"""The public bank marketing file: who takes a term deposit when called (requirement B5)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import crmkit
from crmkit.errors import ConfigError
from crmkit.testing.clock import SettableClock
from crmkit.workspace import Crm

DATA = Path(os.environ["CRMKIT_DATA"])
FILE = DATA / "bank_marketing" / "bank_marketing.csv"
SCORE, LEAKING = "banking.propensity", "banking.propensity-with-talk"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FILE.exists(), reason="the public data are not here"),
]


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    """A workspace with the 45,211 calls."""
    folder = tmp_path_factory.mktemp("marketing") / "w"
    clock = SettableClock()
    with crmkit.init(folder, plugins=("banking",), currency="EUR", clock=clock) as crm:
        read = crm.import_file(FILE, profile="bank-marketing")
        assert (read.read, read.rejected) == (45_211, 0)
        clock.advance(days=1)
        yield crm


def test_the_line_is_the_place_in_time(bank: Crm) -> None:
    """Line 1 is the header: the 45,211 calls stand on lines 2 to 45,212."""
    places = [row[0] for row in bank.store.records.read("banking.offer", ["position"])]
    assert (min(places), max(places), len(set(places))) == (2, 45_212, 45_211)


def test_those_who_accept_are_found(bank: Crm) -> None:
    """The issue's marks by protocol D13 without the length of the call (measured 0.801 and 4.36)."""
    found = bank.scores.evaluate(SCORE, cv=5)
    assert (found["n"], found["positives"]) == (45_211, 5_289)
    assert found["auc"] >= 0.797
    assert found["lift_top_decile"] >= 4.3


def test_the_latest_quarter_is_tested_by_its_order(bank: Crm) -> None:
    """The last 25 % of 45,211 rows are 11,303; 3,145 of them accepted (counted in the file)."""
    found = bank.scores.evaluate(SCORE)
    assert "their order tells the time" in found["protocol"]
    assert (found["n"], found["positives"]) == (11_303, 3_145)
    # Years later campaigns called others and twice as many accepted: it ranks, and is not calibrated.
    assert 0.65 < found["auc"] < 0.797


def test_the_length_of_the_call_is_recognised_as_a_leak(bank: Crm) -> None:
    """0.808 alone (design D13)."""
    with pytest.raises(ConfigError, match=r"talk_seconds \(AUC 0\.808, ") as caught:
        bank.scores.evaluate(LEAKING, cv=5)
    assert caught.value.code == "E_LEAK"
    assert "--allow-leak" in caught.value.hint
    with_leak = bank.scores.evaluate(LEAKING, allow_leak=True)
    assert with_leak["auc"] > bank.scores.evaluate(SCORE)["auc"]
