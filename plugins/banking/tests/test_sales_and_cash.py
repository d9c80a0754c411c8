"""Next product, cross-sell, closing, and cash by branch; every number worked by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import product

import pytest

from crmkit_banking.acceptance import ACCEPTANCE
from crmkit_banking.sales import SEGMENTS

SAID = datetime(2026, 1, 5, 9)  # noqa: DTZ001  the tables carry UTC without a zone


def test_a_consent_holds_of_a_customer_of_whom_the_bank_has_no_file(world) -> None:
    world.customers(1)
    world.add("contact_consent", channel="phone", purpose="marketing", state="given", at=SAID)
    person = world.features("person")[1]
    assert (person["consent_marketing"], person["customer_type"]) == (True, None)


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ([], False),
        ([("any", "marketing", "given", 0)], True),
        ([("phone", "any", "given", 0)], True),
        ([("phone", "service", "given", 0)], False),
        ([("phone", "marketing", "withdrawn", 0)], False),
        ([("any", "marketing", "given", 0), ("any", "marketing", "withdrawn", 1)], False),
        ([("any", "marketing", "withdrawn", 0), ("any", "marketing", "given", 1)], True),
        ([("any", "marketing", "given", 0), ("any", "any", "withdrawn", 1)], False),
        # By phone no more, and by the other channels still.
        ([("any", "marketing", "given", 0), ("phone", "marketing", "withdrawn", 1)], True),
        # A consent to everything is one to offers no more, and lifts no word against offers.
        ([("any", "any", "given", 0), ("any", "marketing", "withdrawn", 1)], False),
        ([("any", "marketing", "withdrawn", 0), ("any", "any", "given", 1)], False),
        ([("email", "marketing", "withdrawn", 0), ("email", "any", "given", 1)], False),
        ([("any", "any", "withdrawn", 0), ("email", "marketing", "given", 1)], True),
    ],
)
def test_a_consent_to_offers_is_read_from_the_ledger_of_consents(world, said, holds) -> None:
    """What was said, in days after 5 January."""
    world.customers(1)
    world.add("banking_customer")
    for number, (channel, purpose, state, after) in enumerate(said, start=1):
        world.add("contact_consent", id=number, channel=channel, purpose=purpose, state=state,
                  at=SAID + timedelta(days=after))  # fmt: skip
    assert world.features("person")[1]["consent_marketing"] is holds
    world.add("banking_account", status="open")
    assert len(world.query(ACCEPTANCE.population)) == holds


def test_a_first_salary_is_an_event_of_who_was_seen_before(world, day) -> None:
    """Customer 1 was seen 120 days ago and gets a first salary; of customer 2 nothing was seen before."""
    world.customers(1, 2)
    world.add("banking_customer", subject_id=1, life_situation="first_job",
              relationship_since_on=day(400))  # fmt: skip
    world.add("contact_consent", channel="phone", purpose="marketing", state="given", at=SAID)
    world.add("banking_transaction", occurred_on=day(120), type="transfer_in", amount_minor=1)
    for subject in (1, 2):
        world.add(
            "banking_transaction",
            subject_id=subject,
            occurred_on=day(5),
            type="salary",
            amount_minor=1,
        )
    found = world.features("relation")
    assert (found[1]["life_event"], found[1]["next_product"]) == ("salary_start", "savings")
    person = world.features("person")[1]
    assert (person["relationship_months"], person["consent_marketing"]) == (13, True)
    assert (found[2]["life_event"], found[2]["next_product"]) == (None, "savings")


@pytest.mark.parametrize(
    ("kind", "event", "product"),
    [
        ("pension", "retirement", "term_deposit"),
        ("child_benefit", "child_benefit", "savings"),
    ],
)
def test_other_changes_in_life(world, day, kind, event, product) -> None:
    world.customers(1)
    world.add("banking_transaction", occurred_on=day(120), type="salary", amount_minor=1)
    world.add("banking_transaction", occurred_on=day(5), type=kind, amount_minor=1)
    found = world.features("relation")[1]
    assert (found["life_event"], found["next_product"]) == (event, product)


def test_who_asks_about_a_home_loan_is_offered_one_and_who_holds_it_is_not(world, day) -> None:
    world.customers(1, 2)
    for subject in (1, 2):
        world.add(
            "banking_branch_appointment",
            subject_id=subject,
            occurred_on=day(20),
            purpose="mortgage",
        )
    world.add("banking_loan", id=1, subject_id=2, product="mortgage", granted_on=day(300))
    world.add("banking_account", id=1, subject_id=2, type="savings", status="open")
    found = world.features("relation")
    assert (found[1]["life_event"], found[1]["next_product"]) == ("home_loan_inquiry", "mortgage")
    assert (found[2]["next_product"], found[2]["products"]) == (None, 2)


def test_open_watch_items_and_cases_are_seen(world, day) -> None:
    world.customers(1, 2, 3)
    world.add("banking_watch_item", id=1, subject_id=1, raised_on=day(9))
    world.add("service_case", id=1, subject_id=2, kind="banking.watch", is_open=True)
    world.add("banking_watch_item", id=2, subject_id=3, raised_on=day(9), cleared_on=day(2))
    found = world.features("relation")
    assert [found[s]["on_watch"] for s in (1, 2, 3)] == [True, True, False]


def _offered(world, subject: int, day, response: str, product: str = "savings") -> None:
    world.add("banking_product_offer", subject_id=subject, occurred_on=day(50), product=product,
              response=response)  # fmt: skip


CALM = {
    "banking_consent_marketing": True, "banking_open_accounts": 1, "banking_days_past_due": 0,
    "banking_on_watch": False, "banking_open_complaint": False, "banking_unusual_withdrawal": False,
    "banking_unusual_card_payment": False, "banking_life_situation": "family",
    "banking_next_product": "savings",
}  # fmt: skip


def test_the_next_product_list_leaves_in_peace_whom_it_should(world, day) -> None:
    """Six like one another and ten alike who accepted 4 of 10 offers: (4 + 20 x 0.4) / (10 + 20) = 0.4."""
    troubles = ({}, {"banking_on_watch": True}, {"banking_days_past_due": 3},
                {"banking_open_complaint": True}, {"banking_consent_marketing": False},
                {"banking_income_change_3m": -0.5})  # fmt: skip
    for subject, trouble in enumerate(troubles, 1):
        world.add("feature", subject_id=subject, **{**CALM, **trouble})
    for number in range(10):
        _offered(world, 1, day, "accepted" if number < 4 else "declined")
    (row,) = world.report("next-product")
    assert (row["customer_id"], row["product"]) == (1, "savings")
    assert row["propensity"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("values", "segment"),
    [
        ({"wealth_band": "affluent"}, "person"),
        ({"capacity_to_affluent": 0.75, "education": "tertiary"}, "person"),
        ({"capacity_to_affluent": 0.8, "wish_to_invest": True}, "person"),
        ({"capacity_to_affluent": 0.74, "education": "tertiary", "wish_to_invest": True}, None),
        ({"capacity_to_affluent": 0.9}, None),
        ({"wealth_band": "affluent", "open_accounts": 0}, None),
        ({"customer_type": "sme", "contribution_place": 0.05}, "firm"),
        ({"customer_type": "corporate", "assets_to_private": 1.0}, "firm"),
        ({"customer_type": "sme", "contribution_place": 0.06}, None),
        ({"customer_type": "sme", "contribution_place": 0.01, "contribution_minor": -1}, None),
    ],
)
def test_who_is_high_end(world, values, segment) -> None:
    """By income with education or a wish to invest, and by assets; firms by contribution and assets."""
    calm = {"customer_type": "retail", "open_accounts": 1, "wealth_band": "mass", "wish_to_invest": False,
            "capacity_to_affluent": 0.2, "contribution_minor": 100, "contribution_place": 0.5,
            "assets_to_private": 0.1}  # fmt: skip
    world.add("feature", **{f"banking_{name}": value for name, value in {**calm, **values}.items()})
    held = {
        s.name for s in SEGMENTS if world.query(f"SELECT 1 FROM feature WHERE {s.where}")
    } & {"banking.high-end-person", "banking.high-end-firm"}  # fmt: skip
    assert held == ({f"banking.high-end-{segment}"} if segment else set())


def test_a_wish_to_invest_is_a_talk_an_appointment_or_a_purchase_of_the_year(world, day) -> None:
    world.customers(1, 2, 3, 4, 5)
    world.add("banking_customer", subject_id=1, customer_type="sme", education="tertiary")
    world.add("banking_adviser_meeting", subject_id=1, occurred_on=day(364), topic="investing")
    world.add("banking_branch_appointment", subject_id=2, occurred_on=day(9), purpose="investment")
    _offered(world, 3, day, "accepted", "investment")
    _offered(world, 4, day, "declined", "investment")
    world.add("banking_adviser_meeting", subject_id=5, occurred_on=day(365), topic="investing")
    found = world.features("relation")
    assert [found[s]["wish_to_invest"] for s in (1, 2, 3, 4, 5)] == [True, True, True, False, False]
    world.add("banking_customer", subject_id=2)
    person = world.features("person")
    assert (person[1]["customer_type"], person[1]["education"]) == ("sme", "tertiary")
    assert person[2]["customer_type"] == "retail"


def test_tenths_go_by_what_the_score_said_before_the_offer(world, day) -> None:
    """Offers of day 50: the run of day 60 said 0.8 of customer 1 and 0.2 of customer 2, who come into the
    first two tenths; that of day 10 knows who accepted, and customer 3 has no run before the offer."""
    for subject, before, after in ((1, 0.8, 0.1), (2, 0.2, 0.9), (3, None, 0.5)):
        world.add("feature", subject_id=subject, banking_open_accounts=1)
        _offered(world, subject, day, "accepted" if subject == 1 else "declined")
        for age, value in ((60, before), (10, after)):
            if value is not None:
                world.add("outcome", subject_id=subject, name="banking.acceptance", kind="score", value=value,
                          days_before=age, run="r")  # fmt: skip
    rows = {row["propensity_tenth"]: row for row in world.report("cross-sell")}
    assert {tenth: (row["offers"], row["accepted"]) for tenth, row in rows.items()} == {
        0: (1, 0), 1: (1, 1), 2: (1, 0),
    }  # fmt: skip


def test_who_is_not_asked_teaches_the_score_nothing(world, day) -> None:
    """1 accepts one of two offers, 2 declines, 3 is asked after the 31 days, 4 is never asked."""
    world.customers(1, 2, 3, 4)
    for subject, ahead, response in (
        (1, 5, "declined"),
        (1, 31, "accepted"),
        (2, 1, "no_answer"),
        (3, 32, "accepted"),
    ):
        world.add("banking_product_offer", subject_id=subject, occurred_on=day(-ahead), product="savings",
                  response=response)  # fmt: skip
    labels = {row["subject_id"]: row["label"] for row in world.query(ACCEPTANCE.target)}
    assert labels == {1: 1, 2: 0, 3: None, 4: None}


def test_cross_sell_by_product_with_uplift(world, day) -> None:
    """Two of four customers hold savings. Of three offered two accept; treated 1 of 1 and control 0 of 1."""
    for subject in (1, 2, 3, 4):
        world.add("feature", subject_id=subject, banking_open_accounts=1)
    for subject in (1, 2):
        world.add("banking_account", id=subject, subject_id=subject, type="savings")
    for subject, answer in ((1, "accepted"), (2, "accepted"), (3, "declined")):
        _offered(world, subject, day, answer)
    world.add("outreach_row", id=1, subject_id=1, state="done", offer="savings", outcome="reached")
    world.add("outreach_row", id=2, subject_id=4, state="control", offer="savings")
    (row,) = world.report("cross-sell")
    assert (row["product"], row["holders"], row["penetration"]) == ("savings", 2, 0.5)
    assert (row["offers"], row["accepted"]) == (3, 2)
    assert row["acceptance"] == pytest.approx(2 / 3)
    assert row["uplift"] == 1.0


def test_closures_by_reason_and_deposits_at_risk(world, day) -> None:
    """The most that the leaver held within 90 days of closing was 800.00; at risk is the mean balance
    before of who cancels orders while the balance falls by 70 %."""
    world.add(
        "banking_transaction",
        record_id=1,
        occurred_on=day(60),
        amount_minor=-1,
        balance_after_minor=80_000,
    )
    world.add(
        "banking_transaction",
        record_id=1,
        occurred_on=day(40),
        amount_minor=-1,
        balance_after_minor=100,
    )
    world.add(
        "banking_account_closure", occurred_on=day(35), reason="competitor", competitor="Otherbank"
    )
    world.add("feature", subject_id=2, banking_open_accounts=1, banking_balance_change_30d=-0.7,
              banking_average_balance_before_minor=60_000, banking_assets_minor=9_000,
              banking_orders_cancelled_30d=2, banking_salary_stopped=False)  # fmt: skip
    risk, closed = world.report("closing")
    assert (risk["what"], risk["customers"], risk["deposits_minor"]) == ("at risk", 1, 60_000)
    assert (closed["reason"], closed["competitor"]) == ("competitor", "Otherbank")
    assert (closed["month_on"], closed["deposits_minor"]) == (date(2026, 2, 1), 80_000)


@pytest.fixture
def till(world, day):
    """A branch that pays out 100.00 on weekdays and 300.00 on Fridays, nothing at weekends, for 20 weeks.

    2026-03-31 is a Tuesday. The limit is 250.00 a day.
    """
    world.customers(1)
    world.add("banking_branch", subject_id=None, id=1, branch_name="Main", cash_limit_minor=25_000)
    for before in range(140):
        on = day(before)
        out = (10_000, 10_000, 10_000, 10_000, 30_000, 0, 0)[on.weekday()]
        world.add("banking_cash_day", subject_id=None, record_id=1, occurred_on=on, cash_out_minor=out,
                  cash_in_minor=5_000)  # fmt: skip
    return world


def test_cash_is_expected_by_weekday_and_an_order_proposed(till) -> None:
    """Wednesday to Sunday: 100, 100, 300, 0 and 0; Friday is above the limit. Weekdays fall unevenly on the
    parts of the months, which a factor near 1 makes good."""
    rows = [r for r in till.report("cash-position") if r["period"] == "ahead"]
    assert [r["day_on"] for r in rows] == [date(2026, 4, 1) + timedelta(days=n) for n in range(5)]
    assert [r["out_expected_minor"] for r in rows] == [10_000, 10_000, 30_000, 0, 0]
    assert [r["order_cash"] for r in rows] == [False, False, True, False, False]
    assert {r["in_expected_minor"] for r in rows} == {5_000}
    assert rows[0]["out_low_minor"] == rows[0]["out_high_minor"] == 10_000  # it was never off


def test_the_interval_is_as_wide_as_such_days_were_off(world, day) -> None:
    """Days of 90.00 and 110.00 in turn, so that a weekday has both: 100.00 is expected, and each was off by 10.00, by the root of
    10,000 cents 10. 112 days with 9 degrees of freedom spent: 10 x sqrt(112 / 103) = 10.43. A new day, of
    a mean of 16: 10.43 x sqrt(10,000 x 17 / 16) = 1,074.9; 1.28 of it on each side are 13.76. Parts of the
    month have not quite as many days of either kind, which moves it by some cents."""
    world.customers(1)
    world.add("banking_branch", subject_id=None, id=1, branch_name="Main")
    for before in range(140):
        out = 9_000 if before % 2 else 11_000
        world.add("banking_cash_day", subject_id=None, record_id=1, occurred_on=day(before), cash_out_minor=out,
                  cash_in_minor=0)  # fmt: skip
    rows = [r for r in world.report("cash-position") if r["period"] == "ahead"]
    for row in rows:
        half = (row["out_high_minor"] - row["out_low_minor"]) / 2
        assert half == pytest.approx(1_376, abs=20)
        assert row["in_low_minor"] == row["in_high_minor"] == 0


def test_the_back_test_knows_only_the_days_before(till) -> None:
    """Nothing changes, so the forecast has no error, as the same day of the week before has none."""
    (row,) = till.report("cash-accuracy")
    assert (row["branch"], row["days"]) == ("Main", 28)
    assert row["error"] == pytest.approx(0, abs=1e-9)
    assert (row["error_of_last_week"], row["within_interval"]) == (0.0, 1.0)


def test_a_branch_that_reports_nothing_is_told_from_transactions(world, day) -> None:
    """Eight Tuesdays with 50.00 out by machine, of an account of branch B1: a Tuesday is 50.00."""
    world.customers(1)
    world.add("banking_account", id=4, branch="B1")
    for week in range(9):
        world.add("banking_transaction", record_id=4, occurred_on=day(7 * week), type="cash_out", via="atm",
                  amount_minor=-5_000)  # fmt: skip
    rows = {r["day_on"]: r for r in world.report("cash-position", ahead=7, days=1)}
    assert rows[date(2026, 4, 7)]["branch"] == "B1"
    # Tuesdays alone have movements, and parts of the month share them evenly enough: 8 to 10 a third.
    assert rows[date(2026, 4, 7)]["out_expected_minor"] > 0
    assert rows[date(2026, 4, 6)]["out_expected_minor"] == 0


def test_the_rule_about_cash_sees_the_same_as_the_report(till) -> None:
    """The feature's subject is the branch, so its rows belong to it: 300.00 on one day above 250.00."""
    till.db.execute("UPDATE banking_cash_day SET subject_id = 1")
    till.db.execute("UPDATE banking_branch SET subject_id = 1")
    found = till.features("cash_forecast")[1]
    assert (found["cash_out_expected_minor"], found["days_above_cash_limit"]) == (30_000, 1)
    assert (found["cash_limit_minor"], found["cash_in_expected_minor"]) == (25_000, 5_000)
    assert found["cash_out_bound_minor"] == 30_000


def test_how_machines_are_used_and_why_it_changed(world, day) -> None:
    """Three draws of 10.00 by two customers, after one of 10.00 by one: +200 %, of it +100 % customers."""
    for subject, before in ((1, 5), (1, 6), (2, 7), (1, 20)):
        world.add("banking_transaction", subject_id=subject, occurred_on=day(before), type="cash_out", via="atm",
                  branch="B1", amount_minor=-1_000)  # fmt: skip
    (row,) = world.report("branch-use", days=14)
    assert (row["movements"], row["customers"], row["amount_minor"]) == (3, 2, 3_000)
    assert (row["movements_change"], row["customers_change"]) == (2.0, 1.0)
    assert row["mean_amount_change"] == 0.0


def test_a_branch_is_shown_by_its_name_wherever_its_code_is_known(world, day) -> None:
    """B1 is Main Street in the report on cash and in that on use; B2 is no branch on file."""
    world.customers(1)
    world.add("banking_branch", subject_id=None, id=1, code="B1", branch_name="Main Street")
    for week, branch in product(range(9), ("B1", "B2")):
        world.add("banking_transaction", occurred_on=day(7 * week), type="cash_out", via="atm", branch=branch,
                  amount_minor=-5_000)  # fmt: skip
    for report in ("branch-use", "cash-position"):
        assert {row["branch"] for row in world.report(report)} == {"Main Street", "B2"}
