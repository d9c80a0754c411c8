"""Contribution, tiers, wealth bands, profitability and forecast; every number worked by hand."""

from __future__ import annotations

from datetime import date

import pytest

from crmkit.builtin.ledger.tiers import Standing, review
from crmkit_banking.profit.tiers import KEY, RELATION, WEALTH


def test_contribution_of_deposits_and_loans(world, day) -> None:
    """A current account of 3650.00 for a whole year at a funds price of 3 %: 109.50; savings of 1000.00 at
    1 %: 20.00. Twelve statements of 1200.00 at 9 %: 1200 x 0.06 = 72.00. Fees 12.00. Two counter
    transactions at 1.50. Expected loss: 0.01 x 0.6 x 1200.00 = 7.20.
    """
    world.customers(1)
    world.add("banking_account", id=1, type="current")
    world.add("banking_account", id=2, type="savings")
    world.add("banking_transaction", record_id=1, occurred_on=day(420), amount_minor=365_000,
              balance_after_minor=365_000, type="transfer_in")  # fmt: skip
    world.add("banking_transaction", record_id=2, occurred_on=day(420), amount_minor=100_000,
              balance_after_minor=100_000, type="transfer_in")  # fmt: skip
    world.add("banking_transaction", occurred_on=day(30), amount_minor=-1_200, type="fee")
    world.add("banking_loan", id=7, rate=9.0, product="consumer")
    for number in range(12):
        world.add("banking_loan_statement", record_id=7, occurred_on=day(30 * number),
                  outstanding_minor=120_000, days_past_due=0)  # fmt: skip
    for _ in range(2):
        world.add("activity_cost", days_before=4, driver="banking.counter_transaction", scale=100_000_000,
                  kind="banking.transaction", quantity=1.0, rate=150_000_000)  # fmt: skip
    found = world.features("contribution")[1]
    assert found["net_interest_minor"] == 10_950 + 2_000 + 7_200
    assert (found["fees_minor"], found["cost_to_serve_minor"]) == (1_200, 300)
    assert found["expected_loss_minor"] == 720
    assert found["deposit_contribution_minor"] == 12_950 + 1_200 - 300
    assert found["loan_contribution_minor"] == 7_200 - 720
    assert found["contribution_minor"] == 20_330
    assert found["balance_trend"] == pytest.approx(0.0)


def test_the_banks_own_rates_and_costs_stand_before_ours(world, day) -> None:
    """At a funds price of 5 % and a cost of 4.00: 36.50 x 0.05 x 100 = 182.50 and 4.00."""
    world.customers(1)
    world.add("banking_account", id=1, type="current")
    world.add("banking_transaction", record_id=1, occurred_on=day(420), amount_minor=365_000,
              balance_after_minor=365_000, type="transfer_in")  # fmt: skip
    world.add("banking_assumption", subject_id=None, id=1, name="ftp_rate", value=0.05)
    world.add("value_cost", subject_id=None, id=1, driver="banking.counter_transaction", cost=4.0)
    world.add("activity_cost", days_before=4, driver="banking.counter_transaction", scale=100_000_000,
              kind="banking.transaction", quantity=1.0, rate=150_000_000)  # fmt: skip
    found = world.features("contribution")[1]
    assert (found["net_interest_minor"], found["cost_to_serve_minor"]) == (18_250, 400)


def test_places_go_by_contribution_among_those_who_have_an_account(world, day) -> None:
    """Fees of 9.00, 5.00 and 1.00; the fourth has closed its account. Places 1/3, 2/3 and 1."""
    world.customers(1, 2, 3, 4)
    for subject, fee in ((1, 500), (2, 900), (3, 100), (4, 5_000)):
        world.add("banking_account", id=subject, subject_id=subject,
                  status="closed" if subject == 4 else "open")  # fmt: skip
        world.add(
            "banking_transaction",
            subject_id=subject,
            occurred_on=day(9),
            amount_minor=-fee,
            type="fee",
        )
    found = world.features("contribution_rank")
    assert {s: row["contribution_place"] for s, row in found.items()} == pytest.approx(
        {2: 1 / 3, 1: 2 / 3, 3: 1.0}
    )


def test_wealth_rises_with_assets_and_falls_due(world, day) -> None:
    """60,000.00 in the account since day 200 and a deposit of 50,000.00 of day 20: 110,000.00 are affluent,
    and were 60,000.00 and mass 90 days ago. The deposit matures in 40 days."""
    world.customers(1)
    world.add("banking_transaction", record_id=1, occurred_on=day(200), amount_minor=6_000_000,
              balance_after_minor=6_000_000, type="transfer_in")  # fmt: skip
    world.add(
        "banking_term_deposit", id=1, amount_minor=5_000_000, opened_on=day(20), matures_on=day(-40)
    )
    found = world.features("wealth")[1]
    assert (found["assets_minor"], found["wealth_band"]) == (11_000_000, "affluent")
    assert found["wealth_risen"] is True
    assert found["assets_to_affluent"] == pytest.approx(1.1)
    assert (found["days_to_maturity"], found["maturing_deposit_minor"]) == (40, 5_000_000)


def test_who_is_paid_elsewhere_has_capacity_all_the_same(world, day) -> None:
    """5000.00 of 8000.00 a month, verified a hundred days ago: 0.625, though nothing comes in here. A salary
    of 6000.00 counts where it is more, and an income verified four years ago tells nothing."""
    world.customers(1, 2, 3)
    for subject, verified in ((1, 100), (2, 100), (3, 1_500)):
        world.add(
            "banking_customer",
            subject_id=subject,
            income_minor=500_000,
            income_verified_on=day(verified),
        )
    for month in range(3):
        world.add("banking_transaction", subject_id=2, occurred_on=day(10 + 30 * month), type="salary",
                  amount_minor=600_000)  # fmt: skip
    found = world.features("wealth")
    assert [found[s]["capacity_to_affluent"] for s in (1, 2, 3)] == pytest.approx(
        [0.625, 0.75, 0.0]
    )
    assert [found[s]["income_to_affluent"] for s in (1, 2, 3)] == pytest.approx([0.0, 0.75, 0.0])


def _tier(scheme, world, values: dict) -> str:
    world.add("feature", **values)
    held = [
        tier.name for tier in scheme.tiers[1:]
        if world.query(f"SELECT 1 FROM feature WHERE {tier.enter}")
    ]  # fmt: skip
    return held[-1] if held else scheme.tiers[0].name


@pytest.mark.parametrize(
    ("contribution", "place", "more", "tier"),
    [
        (-100, 0.99, {}, "restricted"),
        (100, 0.9, {}, "ordinary"),
        (
            100,
            0.9,
            {"banking_share_of_wallet": 0.2, "banking_capacity_to_affluent": 0.6},
            "potential",
        ),
        (100, 0.2, {}, "main"),
        (100, 0.05, {}, "premium"),
        (100, 0.05, {"banking_days_past_due": 40}, "main"),
        (100, 0.05, {"banking_balance_trend": -0.5}, "main"),
    ],
)
def test_tiers_by_contribution_trend_and_relation(world, contribution, place, more, tier) -> None:
    values = {
        "banking_contribution_minor": contribution, "banking_contribution_place": place,
        "banking_days_past_due": 0, "banking_share_of_wallet": 0.9, "banking_capacity_to_affluent": 0.1,
        **more,
    }  # fmt: skip
    assert _tier(RELATION, world, values) == tier


@pytest.mark.parametrize(
    ("contribution", "place", "past", "trend", "tier"),
    [
        (0, 0.99, 0, 0.0, "let-go"), (1, 0.9, 3, 0.0, "restricted"), (1, 0.9, 0, -0.4, "restricted"),
        (1, 0.9, 0, 0.0, "general"), (1, 0.2, 0, 0.0, "key"), (1, 0.05, 0, 0.0, "gold"),
    ],
)  # fmt: skip
def test_the_other_set_of_names(world, contribution, place, past, trend, tier) -> None:
    values = {
        "banking_contribution_minor": contribution, "banking_contribution_place": place,
        "banking_days_past_due": past, "banking_balance_trend": trend,
    }  # fmt: skip
    assert _tier(KEY, world, values) == tier


def test_a_step_down_comes_after_two_months_and_one_at_a_time() -> None:
    """Premium at rank 4; at place 0.06 it is kept; at 0.3 grace begins, 60 days later it is main."""
    now = Standing(rank=4, since_on=date(2026, 1, 1))
    kept, move = review(RELATION, now, 3, 4, date(2026, 2, 1))
    assert (kept.rank, move) == (4, None)
    graced, move = review(RELATION, now, 1, 1, date(2026, 2, 1))
    assert (graced.rank, graced.grace_until, move) == (4, date(2026, 4, 2), "grace")
    same, move = review(RELATION, graced, 1, 1, date(2026, 4, 2))
    assert (same.rank, move) == (4, None)
    lower, move = review(RELATION, graced, 1, 1, date(2026, 4, 3))
    assert (lower.rank, move) == (3, "down")


@pytest.mark.parametrize(
    ("assets", "private", "band"),
    [(0.7, 0.07, "mass"), (1.0, 0.1, "affluent"), (10.0, 1.0, "private")],
)
def test_wealth_bands(world, assets, private, band) -> None:
    values = {
        "banking_assets_to_affluent": assets, "banking_assets_to_private": private,
        "banking_income_to_affluent": 0.1,
    }  # fmt: skip
    assert _tier(WEALTH, world, values) == band


def test_the_tiers_report_adds_up_and_cumulates_from_the_best(world) -> None:
    """Premium brings 80.00 and ordinary 20.00: 0.8, and 1.0 with the next tier; one rose into premium."""
    for subject, tier, rank, brings in (
        (1, "premium", 4, 8_000),
        (2, "ordinary", 1, 1_500),
        (3, "ordinary", 1, 500),
    ):
        world.add("ledger_standing", id=subject, subject_id=subject, scheme="banking.relation", tier=tier,
                  rank=rank)  # fmt: skip
        world.add("feature", subject_id=subject, banking_contribution_minor=brings, banking_assets_minor=10_000,
                  banking_outstanding_minor=0)  # fmt: skip
    world.add(
        "ledger_tier_change", scheme="banking.relation", move="up", to_tier="premium", days_before=9
    )
    ordinary, premium = world.report("tiers")
    assert (premium["customers"], premium["contribution_share"], premium["risen"]) == (1, 0.8, 1)
    assert (ordinary["customers"], ordinary["deposits_minor"]) == (2, 20_000)
    assert (premium["cumulated_share"], ordinary["cumulated_share"]) == (0.8, 1.0)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("branch", [("B1", 30), ("B2", -5)]),
        ("product", [("deposits and payments", 20), ("loans and cards", 5)]),
        ("customer", [(None, 30), (None, -5)]),
        ("department", [("retail", 30), ("unknown", -5)]),
    ],
)
def test_profitability_by_branch_product_and_customer(world, by, expected) -> None:
    for subject, branch, of_deposits, of_loans in ((1, "B1", 18, 12), (2, "B2", 2, -7)):
        world.add("banking_customer", subject_id=subject, branch=branch)
        world.add("customer", subject_id=subject, team="retail" if subject == 1 else None)
        world.add("feature", subject_id=subject, banking_contribution_minor=of_deposits + of_loans,
                  banking_deposit_contribution_minor=of_deposits, banking_loan_contribution_minor=of_loans,
                  banking_net_interest_minor=40)  # fmt: skip
    rows = world.report("profitability", by=by)
    assert [(r["part"], r["contribution_minor"]) for r in rows] == expected
    assert sum(r["at_a_loss"] for r in rows) == 1


@pytest.mark.parametrize(
    ("basis", "premium", "ordinary"),
    [("composite", 300, 100), ("deposit", 180, 140), ("loan", 120, -40)],
)
def test_the_tiers_report_tells_deposits_loans_and_moves(
    world, basis: str, premium: int, ordinary: int
) -> None:
    """Two of three customers of the scheme are ordinary, one of them in grace and one without any figure;
    other schemes count in nothing. Moves count within 90 days: the one of day 90 is past."""
    for subject, scheme, tier, rank, grace in (
        (1, "banking.relation", "premium", 4, None),
        (2, "banking.relation", "ordinary", 1, date(2026, 4, 30)),
        (3, "banking.relation", "ordinary", 1, None),
        (1, "banking.key", "gold", 4, None),
    ):
        world.add(
            "ledger_standing",
            id=subject,
            subject_id=subject,
            scheme=scheme,
            tier=tier,
            rank=rank,
            grace_until=grace,
        )
    for subject, assets, owed, deposit, loan in ((1, 7_000, 500, 180, 120), (2, 40, 60, 140, -40)):
        world.add(
            "feature",
            subject_id=subject,
            banking_assets_minor=assets,
            banking_outstanding_minor=owed,
            banking_deposit_contribution_minor=deposit,
            banking_loan_contribution_minor=loan,
            banking_contribution_minor=deposit + loan,
        )
    for scheme, tier, move, before in (
        ("banking.relation", "premium", "up", 0),
        ("banking.relation", "premium", "up", 89),
        ("banking.relation", "premium", "up", 90),
        ("banking.relation", "premium", "enter", 5),
        ("banking.relation", "ordinary", "down", 89),
        ("banking.relation", "ordinary", "enter", 89),
        ("banking.relation", "ordinary", "enter", 3),
        ("banking.key", "ordinary", "down", 3),
    ):
        world.add("ledger_tier_change", scheme=scheme, to_tier=tier, move=move, days_before=before)
    low, high = world.report("tiers", basis=basis)
    assert (high["tier"], high["customers"], high["in_grace"]) == ("premium", 1, 0)
    assert (low["tier"], low["customers"], low["in_grace"]) == ("ordinary", 2, 1)
    assert (high["customer_share"], low["customer_share"]) == pytest.approx((1 / 3, 2 / 3))
    assert (high["deposits_minor"], high["loans_minor"]) == (7_000, 500)
    assert (low["deposits_minor"], low["loans_minor"]) == (40, 60)
    assert (high["contribution_minor"], low["contribution_minor"]) == (premium, ordinary)
    share = premium / (premium + ordinary)
    assert (high["contribution_share"], high["cumulated_share"]) == pytest.approx((share, share))
    assert low["cumulated_share"] == pytest.approx(1.0)
    assert [high[name] for name in ("risen", "fallen", "entered")] == [2, 0, 1]
    assert [low[name] for name in ("risen", "fallen", "entered")] == [0, 1, 2]


def test_tiers_that_bring_nothing_have_no_share_of_it(world) -> None:
    """Nobody has a figure, so that a share of nothing is asked for; of 1 and 2 they are a third and two."""
    for subject, rank in ((1, 1), (2, 0)):
        world.add(
            "ledger_standing",
            id=subject,
            subject_id=subject,
            scheme="banking.wealth",
            tier=str(rank),
            rank=rank,
        )
    shown = [
        "deposits_minor",
        "loans_minor",
        "contribution_minor",
        "contribution_share",
        "cumulated_share",
        "risen",
        "fallen",
        "entered",
    ]
    for basis in ("composite", "deposit", "loan"):
        for row in world.report("tiers", scheme="banking.wealth", basis=basis):
            assert [row[name] for name in shown] == [0, 0, 0, None, None, 0, 0, 0]
    world.add("feature", subject_id=1, banking_contribution_minor=1)
    shares = [row["contribution_share"] for row in world.report("tiers", scheme="banking.wealth")]
    assert shares == [0.0, 1.0]


def test_profitability_tells_each_term_and_who_makes_a_loss(world) -> None:
    """Of three customers of a region one makes a loss, one neither, one brings; the fourth has no region and
    the fifth no contribution. Equal parts stand by their name."""
    for subject, contribution, region in (
        (1, -1, "north"),
        (2, 0, "north"),
        (3, 9, "north"),
        (4, 8, None),
        (5, None, "south"),
    ):
        world.add("customer", subject_id=subject, region=region)
        world.add(
            "feature",
            subject_id=subject,
            banking_contribution_minor=contribution,
            banking_net_interest_minor=10,
            banking_fees_minor=5,
            banking_cost_to_serve_minor=3,
            banking_expected_loss_minor=2,
            banking_deposit_contribution_minor=4,
            banking_loan_contribution_minor=-4,
        )
    north, unknown = world.report("profitability", by="region")
    assert north == {
        "place": 1,
        "part": "north",
        "customer_id": None,
        "customers": 3,
        "net_interest_minor": 30,
        "fees_minor": 15,
        "cost_minor": 9,
        "expected_loss_minor": 6,
        "contribution_minor": 8,
        "at_a_loss": 1,
    }
    assert (unknown["place"], unknown["part"], unknown["contribution_minor"]) == (2, "unknown", 8)
    deposits, loans = world.report("profitability", by="product")
    assert (deposits["fees_minor"], deposits["expected_loss_minor"]) == (20, None)
    assert (loans["fees_minor"], loans["expected_loss_minor"], loans["at_a_loss"]) == (None, 8, 4)


@pytest.mark.parametrize(
    ("most", "customers"), [(1, [2]), (2, [2, 3]), (3, [2, 3, 1]), (9, [2, 3, 1])]
)
def test_profitability_shows_the_best_so_many(world, most: int, customers: list[int]) -> None:
    for subject, contribution in ((1, 5), (2, 9), (3, 7)):
        world.add("feature", subject_id=subject, banking_contribution_minor=contribution)
    rows = world.report("profitability", by="customer", most=most)
    assert [(row["place"], row["customer_id"]) for row in rows] == list(
        enumerate(customers, start=1)
    )


@pytest.mark.parametrize("by", ["life_situation", "wealth_band", "branch", "region", "department"])
def test_what_is_not_known_of_a_customer_is_a_part_of_its_own(world, by: str) -> None:
    world.add("feature", subject_id=1, banking_contribution_minor=7)
    (row,) = world.report("profitability", by=by)
    assert (row["part"], row["customers"], row["contribution_minor"]) == ("unknown", 1, 7)


def test_income_is_told_from_the_months_before(world, day) -> None:
    """Fees of 1, 2, ... 7 from September to March. Of March, from September to February: the mean of
    4, 5 and 6 and two steps of 1 more: 7, which came. April, from October on: 6 + 2 = 8."""
    world.customers(1)
    world.add("banking_customer", subject_id=1, branch="B1")
    for number, (year, month) in enumerate(
        [(2025, 9), (2025, 10), (2025, 11), (2025, 12), (2026, 1), (2026, 2), (2026, 3)]
    ):
        world.add("banking_transaction", occurred_on=date(year, month, 15), type="fee",
                  amount_minor=-100 * (number + 1))  # fmt: skip
    rows = {r["month_on"]: r for r in world.report("income-forecast")}
    march = rows[date(2026, 3, 1)]
    assert (march["period"], march["expected_minor"], march["actual_minor"]) == ("past", 700, 700)
    assert march["error"] == pytest.approx(0)
    ahead = [rows[date(2026, month, 1)]["expected_minor"] for month in (4, 5, 6)]
    assert ahead == [800, 900, 1000]
    assert len(rows) == 4
