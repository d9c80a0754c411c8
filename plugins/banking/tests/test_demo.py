"""The generator: repeatable, consistent with itself, and its truth is what it acts by."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from crmkit_banking.demo import DEMO, generate
from crmkit_banking.demo.calendar import AS_OF, TRAIN_UNTIL, WATCH_FROM, first_day
from crmkit_banking.demo.causes import BEGINS, INCOME_LOSS, NONE, OVERSPENDING, Trouble, begins
from crmkit_banking.demo.verify import Truth, drifted, least_rate, read_truth, slope_error
from crmkit_banking.demo.world import build_world, outstanding


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _bytes(folder: Path) -> dict[str, bytes]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Files of 120 customers."""
    folder = tmp_path_factory.mktemp("bank")
    generate(folder, 120, 7)
    yield folder


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    generate(tmp_path / "one", 12, 7)
    generate(tmp_path / "again", 12, 7)
    generate(tmp_path / "other", 12, 8)
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "again")
    assert _bytes(tmp_path / "one") != _bytes(tmp_path / "other")


def test_a_very_small_bank_can_be_made(tmp_path: Path) -> None:
    data = generate(tmp_path, 1, 3)
    assert all(file.path.exists() for file in data.files)


def test_the_days_are_those_of_three_years() -> None:
    assert first_day(0) == date(2023, 7, 1)
    assert date(2026, 6, 30) == AS_OF
    assert date(2025, 7, 1) == WATCH_FROM
    assert TRAIN_UNTIL < AS_OF


def test_balances_follow_from_the_movements(made: Path) -> None:
    """Each account's balance is the one before plus the amount, over both the shown and the later rows."""
    held: dict[str, float] = {}
    rows = _rows(made / "transactions.csv") + _rows(made / "later" / "transactions.csv")
    assert rows
    for row in rows:
        cents = round(float(row["amount"]) * 100)
        after = held.get(row["account"], 0) + cents
        assert round(float(row["balance"]) * 100) == after
        held[row["account"]] = after


def test_what_is_shown_ends_on_the_day_of_the_demo(made: Path) -> None:
    columns = {"transactions.csv": "occurred_at", "repayments.csv": "paid_on", "events.csv": "occurred_on",
               "loan_statements.csv": "on", "customers.csv": "since_on"}  # fmt: skip
    for name, column in columns.items():
        shown, later = _rows(made / name), _rows(made / "later" / name)
        assert max(row[column][:10] for row in shown) <= str(AS_OF)
        assert all(row[column][:10] > str(AS_OF) for row in later)


def test_a_default_is_ninety_days_after_the_oldest_unpaid_instalment(made: Path) -> None:
    """The truth's day less 90 is the due day that follows the last instalment paid."""
    truth = [t for t in read_truth(made / "truth.csv") if t.kind == "default"]
    assert truth
    paid: dict[str, str] = {}
    for row in _rows(made / "repayments.csv") + _rows(made / "later" / "repayments.csv"):
        paid[row["loan"]] = max(paid.get(row["loan"], ""), row["due_on"])
    for t in truth:
        loan = "L" + t.customer[1:]
        if loan in paid:
            last = date.fromisoformat(paid[loan])
            oldest = date.fromordinal(t.on.toordinal() - 90)
            assert (oldest.year * 12 + oldest.month) - (last.year * 12 + last.month) == 1
            assert oldest.day == last.day


def test_planted_withdrawals_are_in_the_files(made: Path) -> None:
    rows = _rows(made / "transactions.csv")
    planted = [t for t in read_truth(made / "truth.csv") if t.kind == "withdrawal"]
    for t in planted:
        account = "G" + t.customer[1:]
        mine = [r for r in rows if r["account"] == account and r["type"] == "cash_out"]
        on_day = [-float(r["amount"]) for r in mine if r["occurred_at"].startswith(str(t.on))]
        before = [-float(r["amount"]) for r in mine if r["occurred_at"] < str(t.on)]
        assert max(on_day) > 3 * np.median(before)


def test_trouble_by_hand() -> None:
    """Who works on a fixed term loses the income twice as often; who has no card does not overspend."""
    world = build_world(500, np.random.default_rng(1))
    chances = begins(world)
    loose = np.isin(world.employment, (1, 2)) & (world.life != 5) & (world.life != 0)
    assert chances[INCOME_LOSS][loose] == pytest.approx(2 * BEGINS[INCOME_LOSS])
    assert set(chances[OVERSPENDING][world.card_limit == 0]) == {0.0}
    trouble = Trouble.none(2)
    assert trouble.misses().tolist() == [0.0, 0.0]
    trouble.cause[:] = INCOME_LOSS
    trouble.months[1] = 1
    assert trouble.misses().tolist() == [0.0, 0.55]
    assert NONE not in trouble.cause


def test_what_is_owed_of_an_annuity() -> None:
    """1000.00 at 12 % a year and 100.00 a month: after one 1010 - 100 = 910, after two 919.10 - 100."""
    found = outstanding(
        np.array([100_000.0] * 3),
        np.array([12.0] * 3),
        np.array([10_000.0] * 3),
        np.array([0, 1, 2]),
    )
    assert found.tolist() == [100_000, 91_000, 81_910]


def test_the_drift_alarm_is_judged_on_the_last_run_alone() -> None:
    in_time = drifted([(0.03, False), (0.1, False), (0.4, True)])
    assert [c.passed for c in in_time] == [True, True]
    early = drifted([(0.3, True), (0.2, False)])
    assert [c.passed for c in early] == [False, False]
    few = drifted([(0.03, False), (0.2, False)], enough=False)
    assert [c.passed for c in few] == [True, True]
    assert few[1].expected.endswith("not judged with fewer than 20 defaults")


def test_the_error_of_a_calibration_slope_is_that_of_two_groups() -> None:
    """100 rows of 0.2 and 50 of 0.5: 20 and 80, 25 and 25 are expected, and the variance of the log odds
    ratio is 1/20 + 1/80 + 1/25 + 1/25 = 0.1425 (Woolf 1955), over the distance ln 4 of the log-odds."""
    value = np.array([0.2] * 100 + [0.5] * 50)
    assert slope_error(value) == pytest.approx(0.1425**0.5 / np.log(4))


def test_truth_is_read_as_written(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("customer,kind,on,until,cause\nC1,card_use,2026-01-02,2026-01-02,new_country\n")
    on = date(2026, 1, 2)
    assert read_truth(path) == [Truth("C1", "card_use", on, on, "new_country")]


def test_a_rate_is_judged_by_the_lower_end_of_its_interval() -> None:
    """Wilson's interval of 10 in 500 is 0.0109 to 0.0364, of 0 in 50 from 0 on."""
    assert least_rate(10, 500) == pytest.approx(0.0109, abs=5e-5)
    assert least_rate(0, 50) == 0.0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_crmkit_finds_the_truth(tmp_path: Path) -> None:
    """The whole of ``crmkit demo banking --verify``, through the Python face, with a third of its customers."""
    import crmkit

    data = generate(tmp_path / "files", 1000, 2)
    with crmkit.init(tmp_path / "workspace", plugins=("banking",)) as crm:
        for file in data.files:
            result = crm.import_file(file.path, profile=file.profile)
            assert result.rejected == 0
        crm.scores.train("banking.behaviour", until=data.train_until)
        assert DEMO.verify is not None
        checks = DEMO.verify(crm, data)
    assert [check for check in checks if not check.passed] == []
    assert [check.name for check in checks if "not judged" in check.expected] == []
