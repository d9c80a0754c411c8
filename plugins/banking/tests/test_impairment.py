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


def assume(book, **values: float) -> None:
    """Files assumptions of the bank; what is filed later stands before."""
    for name, value in values.items():
        book.rows += 1
        book.add("banking_assumption", subject_id=None, id=book.rows, name=name, value=value)


def score(
    book, subject: int, value: float | None, days_before: int, name: str = "behaviour"
) -> None:
    book.add(
        "outcome",
        subject_id=subject,
        name=f"banking.{name}",
        kind="score",
        value=value,
        days_before=days_before,
        run=f"r{days_before}",
    )


def test_stage_and_probability_of_each_day_past_due_and_who_else_is_in_stage_two(book) -> None:
    """Assumed are 0.01, 0.08 from 1 day, 0.25 from 30, 0.5 from 60, and 90 days are default itself."""
    expected = {}

    def case(shown, past: int = 0, ago: int = 0, owed: int = 100_000, values=None, **lent) -> int:
        number = len(expected) + 1
        book.loan(number, number, **lent)
        book.lend(number, past, owed, MARCH - timedelta(days=ago), number, **(values or {}))
        expected[number] = shown
        return number

    for past, shown in (
        (0, (1, 0.01)),
        (1, (1, 0.08)),
        (29, (1, 0.08)),
        (30, (2, 0.25)),
        (59, (2, 0.25)),
        (60, (2, 0.5)),
        (89, (2, 0.5)),
        (90, (3, 1.0)),
    ):
        case(shown, past)
    # Eased terms and a watch list are stage 2 without a day past due.
    case((2, 0.01), forborne=True)
    case((2, 0.01), watch=True)
    # Arrears of a statement grow by the day, 20 days of ten days ago are 30; none stay none.
    case((2, 0.25), 20, ago=10)
    case((1, 0.08), 1, ago=28)
    case((1, 0.01), 0, ago=45)
    case(None, 0, ago=46)
    # What runs: something owed and not written off, by the last statement.
    case((1, 0.01), owed=1)
    case(None, owed=0)
    case(None, values={"written_off": True})
    book.lend(case((1, 0.01)), 95, on=FEBRUARY, subject=len(expected))
    # The score of 61 days ago is known, that of 62 days is too old.
    year = 1 - 0.99 ** (365 / 184)
    score(book, case((1, year)), 0.01, 61)
    score(book, case((1, 0.01)), 0.3, 62)
    # The last score of that name which has a value; in default it does not matter.
    number = case((1, year))
    for value, ago, name in (
        (0.3, 9, "behaviour"),
        (0.01, 8, "behaviour"),
        (None, 7, "behaviour"),
        (0.3, 6, "application"),
    ):
        score(book, number, value, ago, name)
    score(book, case((3, 1.0), 90), 0.01, 1)
    rows = {r["loan_id"]: (r["stage"], r["pd_12m"]) for r in book.report("impairment")}
    assert {n: rows.get(n) for n in expected} == {
        n: shown and (shown[0], pytest.approx(shown[1])) for n, shown in expected.items()
    }


@pytest.mark.parametrize(("sicr_pd", "stage"), [(0.08, 2), (0.0801, 1)])
def test_the_risk_has_risen_from_the_assumed_probability_on(book, sicr_pd, stage) -> None:
    """One day past due is assumed to be 0.08."""
    assume(book, sicr_pd=sicr_pd)
    book.loan(1)
    book.lend(1, 1)
    assert [r["stage"] for r in book.report("impairment")] == [stage]


def test_years_left_are_begun_years_of_what_is_left_of_the_term_and_one_at_least(book) -> None:
    """At 0.01 a year the probability until the end is 1 - 0.99 ^ years. A month has 30.4375 days: 365
    days are 11.99 months, so that of 24 months more than a year is left, and after 366 days less."""
    cases = {
        1: (12, 0, 1),
        2: (13, 0, 2),
        3: (24, 365, 2),
        4: (24, 366, 1),
        5: (12, 2_000, 1),
        6: (None, 0, 1),
        7: (25, None, 3),
        8: (36, 0, 3),
    }
    for number, (term, ago, _) in cases.items():
        on = None if ago is None else MARCH - timedelta(days=ago)
        book.loan(number, term_months=term, granted_on=on)
        book.lend(number, 0)
    # Of a loan without a record nothing is known: a year is taken.
    book.lend(9, 0)
    rows = {r["loan_id"]: r for r in book.report("impairment")}
    assert {n: r["pd_life"] for n, r in rows.items()} == {
        n: pytest.approx(1 - 0.99**years) for n, (_, _, years) in {**cases, 9: (0, 0, 1)}.items()
    }
    assert (rows[9]["product"], rows[9]["branch"]) == ("unknown", "unknown")


def test_a_loss_lies_between_the_floor_and_the_whole_exposure(book) -> None:
    """Of 1000.00 owed, collateral covers 70 % of its value; at least a tenth is lost, at most all."""
    cases = {
        1: ([], 0.6),
        2: ([50_000], 0.65),
        3: ([50_000, 50_000], 0.3),
        4: ([200_000], 0.1),
        5: ([0], 1.0),
    }
    for number, (values, _) in cases.items():
        book.loan(number)
        book.lend(number, 0)
        for value in values:
            book.add("banking_collateral", owner_id=number, value_minor=value, kind="vehicle")
    found = {r["loan_id"]: r["lgd"] for r in book.report("impairment")}
    assert found == {number: pytest.approx(lgd) for number, (_, lgd) in cases.items()}
    # Were selling to cost more than it brings, no more than all could be lost.
    assume(book, collateral_haircut=1.5)
    found = {r["loan_id"]: r["lgd"] for r in book.report("impairment")}
    assert found == {1: pytest.approx(0.6), 2: 1.0, 3: 1.0, 4: 1.0, 5: 1.0}


def test_losses_are_discounted_from_the_middle_of_their_years(book) -> None:
    """At 21 % half a year is a factor 1.1: stage 1 loses 6.00 / 1.1. Stage 2 with two years: 150.00 / 1.1
    and of half the exposure 56.25 / 1.331, together 178.63. Stage 3 loses 600.00 now."""
    for number, past in ((1, 0), (2, 30), (3, 90)):
        book.loan(number, term_months=24, rate=21.0)
        book.lend(number, past)
    rows = {(r["scenario"], r["stage"]): r for r in book.report("expected-loss", by="all")}
    assert [rows["base", stage]["ecl_minor"] for stage in (1, 2, 3)] == [545, 17_863, 60_000]


def test_stage_two_counts_fifty_years(book) -> None:
    """At 0.1 a year and an exposure that falls by a fiftieth of it each year, the parts of the loss sum to
    1 - 0.9 (1 - 0.9 ^ 50) / (50 x 0.1) = 0.82092768: of 600,000.00 lost at once, 492,556.61."""
    assume(book, pd_30_59=0.1)
    book.loan(1, term_months=600)
    book.lend(1, 30, 100_000_000)
    rows = {r["scenario"]: r for r in book.report("expected-loss")}
    assert rows["base"]["ecl_minor"] == 49_255_661


def test_no_scenario_loses_more_than_all_and_weights_need_not_sum_to_one(book) -> None:
    """In default with an assumed loss of 0.9: in a downturn all of it and not 1.08, in an upturn 0.81.

    Weights of 1.6, 0.25 and 0.15 sum to 2: (1.6 x 900 + 0.25 x 1000 + 0.15 x 810) / 2 = 905.75; the
    probability is (1.6 + 0.25 + 0.15 x 0.7) / 2 and the loss (1.6 x 0.9 + 0.25 + 0.15 x 0.81) / 2.
    """
    assume(book, lgd_unsecured=0.9, weight_base=1.6)
    book.loan(1)
    book.lend(1, 90)
    rows = book.report("expected-loss")
    assert {r["scenario"]: (r["mean_pd"], r["mean_lgd"], r["ecl_minor"]) for r in rows} == {
        "base": (1.0, 0.9, 90_000),
        "downturn": (1.0, 1.0, 100_000),
        "upturn": (pytest.approx(0.7), pytest.approx(0.81), 81_000),
        "weighted": (pytest.approx(0.9775), pytest.approx(0.90575), 90_575),
    }


@pytest.fixture
def four_loans(book):
    """400.00 and 100.00 of the first customer, 300.00 in default of the second, 200.00 of the third."""
    book.add("customer", subject_id=1, region="north")
    book.add("customer", subject_id=2, region="south")
    book.add("banking_branch", subject_id=None, code="B1", branch_name="Main Street")
    book.add("banking_customer", subject_id=1, job="baker", customer_type="private")
    book.add("banking_customer", subject_id=2, customer_type="business")
    for number, subject, owed, past, product, branch in (
        (1, 1, 40_000, 0, "auto", "B1"),
        (2, 1, 10_000, 0, "consumer", "B2"),
        (3, 2, 30_000, 90, "consumer", "B1"),
        (4, 3, 20_000, 0, "consumer", None),
    ):
        book.loan(number, subject, product=product, branch=branch)
        book.lend(number, past, owed, subject=subject)
    return book


CONCENTRATIONS = [
    ("product", [("consumer", 60_000, 0.5), ("auto", 40_000, 0)]),
    ("branch", [("Main Street", 70_000, 3 / 7), ("unknown", 20_000, 0), ("B2", 10_000, 0)]),
    ("region", [("north", 50_000, 0), ("south", 30_000, 1), ("unknown", 20_000, 0)]),
    ("sector", [("baker", 50_000, 0), ("business", 30_000, 1), ("unknown", 20_000, 0)]),
    ("customer", [(None, 50_000, 0), (None, 30_000, 1), (None, 20_000, 0)]),
]


@pytest.mark.parametrize(("by", "parts"), CONCENTRATIONS)
def test_concentration_lists_parts_from_the_largest(four_loans, by, parts) -> None:
    """Shares of the 1000.00 that are owed, and how much of each part is in default."""
    rows = four_loans.report("concentration", by=by)
    assert [(r["part"], r["ead_minor"], r["share"], r["bad_share"]) for r in rows] == [
        (part, ead, pytest.approx(ead / 100_000), pytest.approx(bad)) for part, ead, bad in parts
    ]
    assert [r["place"] for r in rows] == list(range(1, len(parts) + 1))
    index = sum((ead / 100_000) ** 2 for _, ead, _ in parts)
    assert [r["hhi"] for r in rows] == [pytest.approx(index)] * len(parts)
    customers = [1, 2, 3] if by == "customer" else [None] * len(parts)
    assert [r["customer_id"] for r in rows] == customers
    assert len(four_loans.report("concentration", by=by, most=2)) == 2


def test_expected_loss_by_part(four_loans) -> None:
    """Loans and what is owed by stage; the figures of a part are those of its own loans."""
    expected = {
        "all": {("all", 1): (3, 70_000), ("all", 3): (1, 30_000)},
        "branch": {
            ("Main Street", 1): (1, 40_000),
            ("Main Street", 3): (1, 30_000),
            ("B2", 1): (1, 10_000),
            ("unknown", 1): (1, 20_000),
        },
        "region": {
            ("north", 1): (2, 50_000),
            ("south", 3): (1, 30_000),
            ("unknown", 1): (1, 20_000),
        },
    }
    for by, parts in expected.items():
        rows = four_loans.report("expected-loss", by=by)
        for name in ("base", "weighted"):
            assert {
                (r["part"], r["stage"]): (r["loans"], r["ead_minor"])
                for r in rows
                if r["scenario"] == name
            } == parts


def test_loss_at_a_month_end_by_days_past_due(book) -> None:
    """Loans of 1000.00 that were not there a month before, all lose 0.6 of it with a year left.

    Stage 1: 0.01 at 0 days, 0.08 at 1 and 29: 6.00 + 2 x 48.00. Stage 2: 0.25 at 30 and 59, 0.5 at 60 and
    89: 2 x 150.00 + 2 x 300.00. Stage 3 from 90 days: 600.00 each. The last statement of a month counts.
    """
    for number, past in enumerate((0, 1, 29, 30, 59, 60, 89, 90, 91), 1):
        book.loan(number)
        book.lend(number, 45, 7_000, on=date(2026, 3, 30))
        book.lend(number, past)
    rows = {(r["from_class"], r["to_class"]): r for r in book.report("migration")}
    assert {
        key: (r["loans"], r["to_ead_minor"], r["ecl_change_minor"]) for key, r in rows.items()
    } == {
        ("granted", "1"): (3, 300_000, 10_200),
        ("granted", "2"): (4, 400_000, 90_000),
        ("granted", "3"): (2, 200_000, 120_000),
    }
    assert {r["from_ead_minor"] for r in rows.values()} == {0}
    assert {r["share"] for r in rows.values()} == {3 / 9, 4 / 9, 2 / 9}


def test_years_and_collateral_at_a_month_end(book) -> None:
    """Stage 2 with a year loses 0.25, with two years (1 - 0.75 ^ 2) x 0.75 = 0.328125 of what is lost.

    Lost are 600.00 without collateral, 300.00 with 1000.00 of it in two, a tenth with much of it, and all
    with what is worth nothing. A year has 365.25 days; without a term it is one year."""
    one, two = 0.25, 0.328125
    cases = {
        1: (12, 0, [], 60_000 * one),
        2: (13, 0, [], 60_000 * two),
        3: (24, 365, [], 60_000 * two),
        4: (24, 366, [], 60_000 * one),
        5: (12, 2_000, [], 60_000 * one),
        6: (None, 0, [], 60_000 * one),
        7: (12, 0, [50_000, 50_000], 30_000 * one),
        8: (12, 0, [500_000], 10_000 * one),
        9: (12, 0, [0], 100_000 * one),
        10: (13, None, [], 60_000 * two),
    }
    for number, (term, ago, collateral, _) in cases.items():
        on = None if ago is None else MARCH - timedelta(days=ago)
        book.loan(number, number, term_months=term, granted_on=on)
        book.lend(number, 30, subject=number)
        for value in collateral:
            book.add("banking_collateral", owner_id=number, value_minor=value, kind="vehicle")
        (row,) = book.report("migration")
        # Half a cent counts as one.
        lost = sum(loss for *_, loss in list(cases.values())[:number])
        assert row["ecl_change_minor"] == int(lost + 0.5)
    book.lend(99, 30, subject=99)
    (row,) = book.report("migration")
    assert row["ecl_change_minor"] == int(lost + 60_000 * one + 0.5)


def test_a_month_more_is_left_at_the_end_of_the_month_before(book) -> None:
    """Of 13 months since 28 February 12.98 were left then, which is two years begun, and 11.98 on 31
    March: 600.00 x 0.328125 = 196.88 becomes 150.00. A loan that was written off before stays nothing,
    and one of which nothing is owed has nothing to lose, whatever secures it."""
    book.loan(1, term_months=13, granted_on=FEBRUARY)
    for on in (FEBRUARY, MARCH):
        book.lend(1, 30, on=on)
        book.lend(2, 200, on=on, written_off=True)
        book.lend(3, 0, 0, on=on)
    book.add("banking_collateral", owner_id=3, value_minor=500, kind="vehicle")
    rows = {r["step"]: (r["loans"], r["amount_minor"]) for r in book.report("expected-loss-walk")}
    assert rows == {
        "1 opening": (2, 19_688),
        "7 within its stage": (3, -4_687),
        "8 closing": (2, 15_000),
    }
    (same,) = (r for r in book.report("migration") if r["from_class"] == "written off")
    assert (same["to_class"], same["loans"], same["ecl_change_minor"]) == ("written off", 1, 0)


def test_an_empty_book_opens_and_closes_with_nothing(book) -> None:
    assert [
        (r["step"], r["loans"], r["amount_minor"]) for r in book.report("expected-loss-walk")
    ] == [
        ("1 opening", 0, 0),
        ("8 closing", 0, 0),
    ]


@pytest.mark.parametrize(
    ("as_of", "months", "classes"),
    [
        ("2026-01-15", 1, ("2", "3")),
        ("2026-01-30", 1, ("2", "3")),
        ("2026-01-31", 1, ("3", "1")),
        ("2026-01-31", 2, ("2", "1")),
        ("2025-12-31", 1, ("2", "3")),
    ],
)
def test_month_ends_are_the_last_that_are_over(world_of, as_of, months, classes) -> None:
    """30 days past due in November, 90 in December, none in January, which ends on the 31st."""
    on = date.fromisoformat(as_of)
    world = world_of(on)
    world.customers(1)
    for end, past in (("2025-11-30", 30), ("2025-12-31", 90), ("2026-01-31", 0)):
        shown = min(on, date.fromisoformat(end))
        if shown >= date.fromisoformat(end[:8] + "01"):
            world.add(
                "banking_loan_statement",
                occurred_on=shown,
                record_id=1,
                outstanding_minor=500,
                days_past_due=past,
            )
    (row,) = world.report("migration", months=months)
    assert (row["from_class"], row["to_class"]) == classes


def test_grades_begin_at_their_bounds_and_the_last_score_of_each_month_end_counts(book) -> None:
    """Bounds 0.5, 1, 2, 4, 8, 16 and 32 percent: just below is the better grade, the bound itself the
    next. A score of 28 days ago is that of the month before, one of 27 days that of this one."""
    for number, bound in enumerate((0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32), 1):
        for on in (FEBRUARY, MARCH):
            book.lend(number, 0, on=on, subject=number)
        score(book, number, bound - 1e-9, 28)
        score(book, number, bound, 27)
        score(book, number, 0.9, 29)
        score(book, number, None, 3)
        score(book, number, 0.9, 3, "application")
    # The newer of two scores of this month.
    score(book, 1, 0.9, 20)
    rows = {
        (r["from_class"], r["to_class"]): r["loans"] for r in book.report("migration", by="grade")
    }
    assert rows == {("G1", "G8"): 1} | {(f"G{n}", f"G{n + 1}"): 1 for n in range(2, 8)}
