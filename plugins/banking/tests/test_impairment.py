"""Stages, expected loss, its walk, migration and concentration; every number worked by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

import crmkit
from crmkit.entities import CustomerRef, Money, NewInteraction

MARCH, FEBRUARY = date(2026, 3, 31), date(2026, 2, 28)


@pytest.fixture
def book(world):
    """Loans without a rate, so that nothing is discounted, with a year left each."""
    world.customers(1)

    def lend(
        loan: int, past: int, owed: int = 100_000, on: date = MARCH, subject: int = 1, **values
    ):
        world.add("banking_loan_statement", subject_id=subject, occurred_on=on, record_id=loan,
                  outstanding_minor=owed, days_past_due=past, **values)  # fmt: skip

    def loan(number: int, subject: int = 1, **values):
        values = {"product": "consumer", "term_months": 12, "granted_on": MARCH, **values}
        world.add("banking_loan", id=number, subject_id=subject, **values)

    world.lend, world.loan = lend, loan
    return world


def test_stage_by_days_past_due(book) -> None:
    """Current, 30 and 90 days past due are stages 1, 2 and 3. Unsecured, the loss given default is 0.6.

    Stage 1: 0.01 x 0.6 x 1000.00 = 6.00. Stage 2, a year left: 0.25 x 600.00 = 150.00. Stage 3: 600.00.
    """
    for number, past in ((1, 0), (2, 30), (3, 90)):
        book.loan(number)
        book.lend(number, past)
    rows = {(r["scenario"], r["stage"]): r for r in book.report("expected-loss", by="all")}
    assert [rows["base", stage]["ecl_minor"] for stage in (1, 2, 3)] == [600, 15_000, 60_000]
    assert [rows["base", stage]["ead_minor"] for stage in (1, 2, 3)] == [100_000] * 3
    assert rows["base", 3]["coverage"] == pytest.approx(0.6)


def test_three_scenarios_and_their_weighted_mean(book) -> None:
    """Of 6.00: downturn x 1.6 x 1.2 = 11.52, upturn x 0.7 x 0.9 = 3.78;
    0.6 x 6.00 + 0.25 x 11.52 + 0.15 x 3.78 = 7.047."""
    book.loan(1)
    book.lend(1, 0)
    rows = {r["scenario"]: r for r in book.report("expected-loss")}
    assert {name: r["ecl_minor"] for name, r in rows.items()} == {
        "base": 600, "downturn": 1_152, "upturn": 378, "weighted": 705,
    }  # fmt: skip
    assert {r["part"] for r in rows.values()} == {"consumer"}


def test_stage_two_counts_all_years_of_a_falling_exposure(book) -> None:
    """Two years left, 30 days past due, collateral of 500.00 less 30 % against 1000.00: loss 0.65.

    1000 x 0.65 x 0.25 in the first year, 500 x 0.65 x 0.25 x 0.75 in the second: 162.50 + 60.94.
    """
    book.loan(1, term_months=24)
    book.lend(1, 30)
    book.add("banking_collateral", id=1, owner_id=1, value_minor=50_000, kind="vehicle")
    rows = {r["scenario"]: r for r in book.report("expected-loss")}
    assert rows["base"]["ecl_minor"] == 22_344
    assert rows["base"]["mean_lgd"] == pytest.approx(0.65)


def test_the_score_stands_before_the_assumption_and_the_bank_before_ours(book) -> None:
    """0.05 in 184 days is 1 - 0.95 ^ (365 / 184) a year; a score of 0.2 is above sicr_pd and stage 2.

    The bank assumes a loss given default of 0.4.
    """
    for number, subject, value in ((1, 1, 0.05), (2, 2, 0.2)):
        book.loan(number, subject)
        book.lend(number, 0, subject=subject)
        book.add("outcome", subject_id=subject, name="banking.behaviour", kind="score", value=value,
                 days_before=1, run="r")  # fmt: skip
    book.add("banking_assumption", subject_id=None, id=1, name="lgd_unsecured", value=0.5)
    book.add("banking_assumption", subject_id=None, id=2, name="lgd_unsecured", value=0.4)
    rows = {(r["scenario"], r["stage"]): r for r in book.report("expected-loss")}
    assert rows["base", 1]["mean_pd"] == pytest.approx(1 - 0.95 ** (365 / 184))
    assert rows["base", 1]["mean_lgd"] == pytest.approx(0.4)
    assert ("base", 2) in rows


def test_the_mean_probability_is_weighed_by_exposure(book) -> None:
    """1000.00 at 1 - 0.95 ^ (365 / 184) = 0.09675 and 3000.00 at the assumed 0.01: 0.03169."""
    for number, owed in ((1, 100_000), (2, 300_000)):
        book.loan(number, number)
        book.lend(number, 0, owed, subject=number)
    book.add("outcome", subject_id=1, name="banking.behaviour", kind="score", value=0.05,
             days_before=1, run="r")  # fmt: skip
    rows = {(r["scenario"], r["stage"]): r for r in book.report("expected-loss")}
    assert rows["base", 1]["mean_pd"] == pytest.approx(0.03169, abs=5e-6)


def test_the_walk_leads_from_opening_to_closing(book) -> None:
    """Opening: 6.00 + 196.88 + 600.00 + 6.00. The first falls to 30 days, the second recovers, the third
    is written off, the fourth is repaid, a fifth is granted: 6.00."""
    before = {1: 0, 2: 30, 3: 95, 4: 0}
    after = {1: 30, 2: 0, 5: 0}
    for number in (1, 2, 3, 4, 5):
        book.loan(number, term_months=13)
    for number, past in before.items():
        book.lend(number, past, on=FEBRUARY)
    for number, past in after.items():
        book.lend(number, past)
    book.lend(3, 126, written_off=True)
    rows = {r["step"]: (r["loans"], r["amount_minor"]) for r in book.report("expected-loss-walk")}
    # Stage 2 of 13 months: two years, (1 - 0.75 ** 2) x 600.00 x 0.75 = 196.875.
    assert rows["1 opening"] == (4, 600 + 19_688 + 60_000 + 600)
    steps = sum(amount for step, (_, amount) in rows.items() if step[0] in "234567")
    assert rows["8 closing"][1] == pytest.approx(rows["1 opening"][1] + steps, abs=3)
    assert {step: loans for step, (loans, _) in rows.items()} == {
        "1 opening": 4, "2 granted": 1, "3 repaid": 1, "4 written off": 1, "5 to a worse stage": 1,
        "6 to a better stage": 1, "8 closing": 3,
    }  # fmt: skip
    assert rows["4 written off"][1] == -60_000
    assert rows["2 granted"][1] == 600


def test_migration_of_stages_and_grades(book) -> None:
    """Of two loans in stage 1 one goes to stage 2; scores of 0.004 and 0.05 are G1 and G5."""
    for number, past in ((1, 0), (2, 31)):
        book.loan(number, number)
        book.lend(number, 0, on=FEBRUARY, subject=number)
        book.lend(number, past, subject=number)
    rows = book.report("migration")
    assert [(r["from_class"], r["to_class"], r["share"]) for r in rows] == [
        ("1", "1", 0.5), ("1", "2", 0.5),
    ]  # fmt: skip
    for days_before, value in ((31, 0.004), (0, 0.05)):
        book.add("outcome", subject_id=2, name="banking.behaviour", kind="score", value=value,
                 days_before=days_before, run=f"r{days_before}")  # fmt: skip
    rows = {
        (r["from_class"], r["to_class"]): r["loans"] for r in book.report("migration", by="grade")
    }
    assert rows == {("G1", "G5"): 1, ("none", "none"): 1}


def test_concentration_is_the_sum_of_squared_shares(book) -> None:
    """300.00 of cars and 100.00 of consumer loans: 0.75 and 0.25, index 0.5625 + 0.0625."""
    book.loan(1, product="auto")
    book.loan(2, 2)
    book.lend(1, 0, owed=30_000)
    book.lend(2, 95, owed=10_000, subject=2)
    first, second = book.report("concentration")
    assert (first["part"], first["share"], first["hhi"]) == ("auto", 0.75, 0.625)
    assert (second["share"], second["bad_share"]) == (0.25, 1.0)
    names = book.report("concentration", by="customer", most=1)
    assert [(r["customer_id"], r["part"]) for r in names] == [(1, None)]


def test_each_loan_has_its_stage_and_the_loss_by_weights(book) -> None:
    """Stage 1, a year left: 6.00, 11.52 and 3.78 weigh to 7.05. Stage 2 at 30 days with two years left:
    1 - 0.75 ** 2 = 0.4375 until the end. Stage 3: 600.00, in a downturn 720.00 and in an upturn 540.00,
    together 0.6 x 600 + 0.25 x 720 + 0.15 x 540 = 621.00."""
    for number, past, term in ((1, 0, 12), (2, 30, 24), (3, 90, 24)):
        book.loan(number, term_months=term)
        book.lend(number, past)
    rows = {row["loan_id"]: row for row in book.report("impairment")}
    assert [rows[n]["stage"] for n in (1, 2, 3)] == [1, 2, 3]
    assert [rows[n]["pd_12m"] for n in (1, 2, 3)] == pytest.approx([0.01, 0.25, 1.0])
    assert [rows[n]["pd_life"] for n in (1, 2, 3)] == pytest.approx([0.01, 0.4375, 1.0])
    assert {row["lgd"] for row in rows.values()} == {0.6}
    assert (rows[1]["ecl_minor"], rows[3]["ecl_minor"]) == (705, 62_100)
    assert rows[3]["coverage"] == pytest.approx(0.621)


def test_the_allowance_of_a_day_is_filed_and_goes_when_the_loan_ends(tmp_path, crm_clock) -> None:
    """1000.00 at 12 months and no rate, not past due: 7.05. A quarter later no statement shows it."""
    with crmkit.init(tmp_path / "bank", plugins=("banking",), clock=crm_clock) as crm:
        ann = crm.store.customers.add(refs=[CustomerRef("core", "ANN")]).id
        day = crm.as_of().on
        loan = crm.store.records.set(
            "banking.loan", source="core", ref="L1", owner_id=ann,
            values={"product": "consumer", "term_months": 12, "granted_on": day},
        )  # fmt: skip
        statement = NewInteraction(
            kind="banking.loan_statement", customer_id=ann, subject_id=loan.id,
            occurred_at=crm_clock() - timedelta(hours=1),
            payload={"outstanding": Money(100_000, "USD"), "days_past_due": 0},
        )  # fmt: skip
        crm.store.interactions.log([statement])
        crm_clock.advance(hours=1)
        (row,) = crm.run("impairment file").rows
        assert (row["stage"], row["loans"], row["ead_minor"], row["ecl_minor"]) == (
            1,
            1,
            100_000,
            705,
        )
        (filed,) = crm.store.records.list("banking.impairment")
        assert (filed.ref, filed.owner_id, filed.values["stage"]) == ("L1", loan.id, 1)
        assert filed.values["ecl"] == Money(705, "USD")
        assert filed.values["reported_on"] == day

        crm_clock.advance(days=92)
        done = crm.run("impairment file")
        assert done.rows == []
        assert done.remarks == ("1 loans that no longer run have nothing left to lose.",)
        ended = crm.store.records.get("banking.impairment", filed.id)
        assert (ended.values["stage"], ended.values["ecl"]) == (1, Money(0, "USD"))
        before = crm.store.records.at(
            "banking.impairment", filed.id, crm_clock() - timedelta(days=9)
        )
        assert before is not None and before.values["ecl"] == Money(705, "USD")
