"""Contribution, RFM, the pyramid and the concentration curve, worked by hand and against known truth."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

import crmkit
from crmkit.builtin.value.commands import _cost
from crmkit.declarations import CostDriver
from crmkit.entities import Money, NewInteraction
from crmkit.errors import NotFound, UsageError
from crmkit.warehouse.population import Population
from crmkit.warehouse.warehouse import Warehouse
from crmkit.workspace import Crm

ON = "2026-03-31"
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
Made = Callable[[int], list[int]]


@pytest.fixture
def crm(tmp_path: Path, crm_clock: Any) -> Any:
    with crmkit.init(tmp_path / "w", clock=crm_clock, actor="tester") as crm:
        yield crm


@pytest.fixture
def customers(crm: Crm, crm_clock: Any) -> Made:
    def make(count: int) -> list[int]:
        crm_clock.set(datetime(2023, 1, 1, tzinfo=UTC))
        with crm.store.begin("test") as tx:
            made = [crm.store.customers.add(tx=tx).id for _ in range(count)]
        crm_clock.set(NOW)
        return made

    return make


def event(
    customer: int, kind: str, days_before: int = 1, amount: str | None = None, **more: Any
) -> NewInteraction:
    money = None if amount is None else Money.parse(amount, more.pop("currency", "USD"))
    at = NOW.replace(hour=9) - days_before * DAY
    return NewInteraction(
        kind=f"core.{kind}", customer_id=customer, occurred_at=at, amount=money, **more
    )


def rows(crm: Crm, report: str, **parameters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = crm.reports.run(
        report, parameters=parameters, as_of=crm.as_of(ON)
    ).table.to_pylist()
    return found


# --- the desk -------------------------------------------------------------------------------------


def test_the_desk_shows_a_years_trade_by_currency_and_less_refunds(
    crm: Crm, customers: Made
) -> None:
    ann, _, cy = small_world(crm, customers)
    crm.store.interactions.log([event(ann, "order", 8, "7.50", currency="EUR")])
    texts = [
        row["text"] for row in crm.run("desk", who=str(ann)).rows if row["panel"] == "value.trade"
    ]
    assert texts == [
        "Purchases: 1; Purchases less refunds: 7.50; Last purchase: 2026-03-23 09:00Z",
        "Purchases: 2; Purchases less refunds: 130.00; Last purchase: 2026-03-21 09:00Z",
    ]
    assert "value.trade" not in {row["panel"] for row in crm.run("desk", who=str(cy)).rows}


# --- costs and contribution -----------------------------------------------------------------------


def small_world(crm: Crm, customers: Made) -> tuple[int, int, int]:
    """Ann brings 130.00 and costs 10.5 minutes and two e-mails, Bo 30.00 and a long visit."""
    ann, bo, cy = customers(3)
    for driver, cost in (("call_minute", "0.35"), ("email", "0.005"), ("visit_minute", "1.20")):
        crm.run("value set-cost", driver=f"value.{driver}", cost=cost)
    crm.store.interactions.log([
        event(ann, "order", 10, "100.00"), event(ann, "order", 300, "50.00"),
        event(ann, "refund", 5, "20.00"), event(ann, "order", 365, "999.00"),
        event(ann, "call", 3, payload={"minutes": 10.5}), event(ann, "call", 2),
        event(ann, "email", 4), event(ann, "email", 1),
        event(bo, "order", 20, "30.00"), event(bo, "visit", 20, payload={"minutes": 45.5}),
    ])  # fmt: skip
    return ann, bo, cy


def test_contribution_is_revenue_less_own_cost(crm: Crm, customers: Made) -> None:
    """Ann: 100 + 50 - 20 = 130.00; 10.5 × 0.35 + 2 × 0.005 = 3.685, shown as 3.69. Bo: 30 - 54.60.

    The order of 365 days ago is out; the call without minutes is counted and costs nothing.
    """
    ann, bo, _ = small_world(crm, customers)
    names = ("customer_id", "purchases", "activities", "revenue_minor", "cost_minor")
    found = rows(crm, "value.contribution")
    assert [tuple(row[n] for n in (*names, "contribution_minor")) for row in found] == [
        (ann, 2, 7, 13000, 369, 12631),
        (bo, 1, 2, 3000, 5460, -2460),
    ]
    features = crm.features.build(
        "customer", ["value.revenue_365d_minor", "value.own_cost_365d_minor", "value.contribution_365d_minor"],
        Population.at(crm.as_of(ON)),
    )  # fmt: skip
    values = [tuple(list(row.values())[2:]) for row in features.to_pylist()]
    assert sorted(values) == [(0, 0, 0), (3000, 5460, -2460), (13000, 369, 12631)]


def test_the_period_holds_as_many_days_as_it_says(crm: Crm, customers: Made) -> None:
    """Of 365 days the as-of day is the first and the 364th before it the last; so of a report's 30."""
    (ann,) = customers(1)
    crm.run("value set-cost", driver="value.call_minute", cost="0.35")
    for days, amount in ((0, "1"), (29, "2"), (30, "4"), (364, "8"), (365, "16")):
        crm.store.interactions.log(
            [
                event(ann, "order", days, amount),
                event(ann, "call", days, payload={"minutes": int(amount)}),
            ]
        )
    names = ("purchases", "activities", "revenue_minor", "cost_minor", "contribution_minor")
    # 15 and 3 minutes at 0.35 are 5.25 and 1.05; an order is an activity as a call is.
    for days, figures in ((365, (4, 8, 1500, 525, 975)), (30, (2, 4, 300, 105, 195))):
        (row,) = rows(crm, "value.contribution", days=days)
        assert tuple(row[n] for n in names) == figures
    features = crm.features.build(
        "customer",
        ["value.revenue_365d_minor", "value.own_cost_365d_minor"],
        Population.at(crm.as_of(ON)),
    )
    assert [list(row.values())[2:] for row in features.to_pylist()] == [[1500, 525]]


@pytest.mark.parametrize(("cost", "shown"), [("0.005", 1), ("0.004999", 0), ("0.014999", 1)])
def test_half_a_cent_of_cost_is_rounded_up(
    crm: Crm, customers: Made, cost: str, shown: int
) -> None:
    (ann,) = customers(1)
    crm.run("value set-cost", driver="value.email", cost=cost)
    crm.store.interactions.log(event(ann, "email"))
    (row,) = rows(crm, "value.contribution")
    assert (row["purchases"], row["revenue_minor"], row["cost_minor"]) == (0, 0, shown)
    features = crm.features.build(
        "customer", ["value.own_cost_365d_minor"], Population.at(crm.as_of(ON))
    )
    assert features.column("value_own_cost_365d_minor").to_pylist() == [shown]


def test_a_feature_knows_nothing_that_came_later(crm: Crm, customers: Made) -> None:
    """As of 20 March Ann's orders of 10 and 5 days before the end have not happened."""
    ann, _, _ = small_world(crm, customers)
    early = Population.of([ann], crm.as_of("2026-03-20"))
    name = "value.revenue_365d_minor"
    (before,) = crm.features.build("customer", [name], early).to_pylist()
    assert before["value_revenue_365d_minor"] == 5000 + 99900


def test_purchases_in_two_currencies_have_no_sum(crm: Crm, customers: Made) -> None:
    (ann,) = customers(1)
    crm.store.interactions.log(
        [event(ann, "order", 2, "5.00"), event(ann, "order", 1, "5.00", currency="EUR")]
    )
    (row,) = rows(crm, "value.contribution")
    assert (row["revenue_minor"], row["contribution_minor"], row["cost_minor"]) == (None, None, 0)


def test_costs_are_listed_set_and_refused(crm: Crm) -> None:
    assert "value.email" in crm.run("value costs").remarks[0]
    crm.run("value set-cost", driver="value.email", cost="0.02")
    crm.run("value set-cost", driver="value.email", cost="0.005")
    answer = crm.run("value costs")
    assert {row["driver"]: row["cost"] for row in answer.rows}["value.email"] == "0.005"
    assert "value.email" not in answer.remarks[0]
    with pytest.raises(NotFound, match=r"value\.emial"):
        crm.run("value set-cost", driver="value.emial", cost="1")
    for wrong in ("-1", "free", "0.0000001", "NaN"):
        with pytest.raises(UsageError, match="is not a decimal from 0"):
            crm.run("value set-cost", driver="value.email", cost=wrong)


@pytest.mark.parametrize(
    ("per", "cost", "amount"),
    [
        ("interaction", "0", 0),
        ("interaction", "999999999", 999_999_999),
        ("interaction", "999999999.000001", None),
        ("interaction", "0.000001", 0.000001),
        ("interaction", "0.0000001", None),
        ("interaction", "-0.000001", None),
        ("interaction", "Infinity", None),
        ("amount", "1", 1),
        ("amount", "1.000001", None),
        ("amount", "0", 0),
    ],
)
def test_cost_is_from_nothing_to_a_milliard_and_a_share_to_the_whole(
    per: Any, cost: str, amount: float | None
) -> None:
    driver = CostDriver(name="shop.fee", kind="core.order", per=per, cost="0.1")
    if amount is None:
        with pytest.raises(UsageError, match="with at most 6 places"):
            _cost(driver, cost)
    else:
        assert _cost(driver, cost) == amount


# --- RFM ------------------------------------------------------------------------------------------


def test_rfm_gives_each_fifth_by_rank(crm: Crm, customers: Made) -> None:
    """Five customers, so each is a fifth: the most recent is not the one who buys most."""
    ids = customers(6)
    # days since last purchase, purchases, amount of each: by hand the cells beside them.
    story = [(50, 1, "10", "111"), (40, 5, "1", "251"), (30, 2, "20", "334"), (20, 3, "10", "443"),
             (10, 4, "30", "545")]  # fmt: skip
    # Sums: 10, 5, 40, 30, 120: monetary fifths 2, 1, 4, 3, 5.
    expected = ["112", "251", "324", "433", "545"]
    log = [
        event(ids[i], "order", days + n, amount)
        for i, (days, count, amount, _) in enumerate(story)
        for n in range(count)
    ]
    crm.store.interactions.log([*log, event(ids[5], "call")])
    found = {row["customer_id"]: row["cell"] for row in rows(crm, "value.rfm")}
    assert found == dict(zip(ids, expected, strict=False))


def test_rfm_counts_no_refund_as_a_purchase_and_money_of_another_currency_as_nothing(
    crm: Crm, customers: Made
) -> None:
    """Four who bought once are the first four fifths; who only gave back is in none."""
    ann, bo, cy, dee, eve = customers(5)
    crm.store.interactions.log(
        [
            event(ann, "order", 4, "50", currency="EUR"),
            event(bo, "order", 3, "5"),
            event(bo, "refund", 1, "2"),
            event(cy, "order", 2, "10"),
            event(dee, "refund", 1, "1"),
            event(eve, "order", 1, "20"),
            event(eve, "order", 365, "20"),
        ]
    )
    names = ("customer_id", "recency_days", "purchases", "revenue_minor", "cell")
    found = {row["customer_id"]: tuple(row[n] for n in names[1:]) for row in rows(crm, "value.rfm")}
    assert found == {
        ann: (4, 1, None, "111"),
        bo: (3, 1, 300, "222"),
        cy: (2, 1, 1000, "333"),
        eve: (1, 1, 2000, "444"),
    }


# --- pyramid --------------------------------------------------------------------------------------


def test_the_pyramid_cuts_by_share_and_shows_who_moved(crm: Crm, customers: Made) -> None:
    """Ten customers in 20 and 80 percent: two are the vital few.

    A year before, the two were others: 8 and 9 bought most then; 9 bought nothing since.
    """
    ids = customers(11)
    now = [event(ids[i], "order", 10, str(100 - 10 * i)) for i in range(9)] + [
        event(ids[10], "order", 10, "1")
    ]
    before = [event(ids[i], "order", 400, str(10 + 10 * i)) for i in range(10)]
    crm.store.interactions.log(now + before)
    few, many = rows(crm, "value.pyramid", scheme="pareto")
    names = ("customers", "revenue_minor", "contribution_minor", "risen", "fallen", "new", "gone")
    # Now: 100, 90 | 80, 70, 60, 50, 40, 30, 20 and 1. Before: 100 (9), 90 (8) | the others.
    assert (few["tier"], *[few[n] for n in names]) == ("vital few", 2, 19000, 19000, 2, 0, 0, 1)
    assert (many["tier"], *[many[n] for n in names]) == (
        "useful many", 8, 35100, 35100, 0, 1, 1, 0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("size", "tiers"), [(1, [1, 0, 0, 0]), (20, [1, 0, 3, 16]), (21, [1, 1, 3, 16])]
)
def test_a_tier_reaches_as_far_as_its_share_begins_and_an_empty_one_shows_nothing(
    crm: Crm, customers: Made, size: int, tiers: list[int]
) -> None:
    """One, five and twenty percent: of 20 one is the top and all of the first twentieth, and four are
    a fifth; of 21 the first twentieth begins with the second, and the fifth with the fifth."""
    ids = customers(size)
    crm.store.interactions.log([event(c, "order", 1, str(100 + n)) for n, c in enumerate(ids)])
    found = rows(crm, "value.pyramid")
    assert [row["tier"] for row in found] == ["top", "big", "medium", "small"]
    assert [row["customers"] for row in found] == tiers
    assert found[0]["revenue_minor"] == 100 * (100 + size - 1)
    for row in found:
        # Nobody bought in the year before.
        assert [row[n] for n in ("risen", "fallen", "gone", "cost_minor")] == [0, 0, 0, 0]
        assert row["new"] == row["customers"]
        if not row["customers"]:
            assert (row["revenue_minor"], row["contribution_minor"]) == (0, 0)


def test_a_scheme_of_ones_own_is_data(crm: Crm, customers: Made) -> None:
    """Halves of five customers: three and two, as a tier reaches as far as its share begins."""
    ids = customers(5)
    crm.store.interactions.log([event(c, "order", 1, str(n + 1)) for n, c in enumerate(ids)])
    for rank, (tier, up_to) in enumerate((("upper", 0.5), ("lower", 1.0)), start=1):
        crm.store.records.set(
            "value.tier", source="crmkit", ref=tier,
            values={"scheme": "halves", "tier": tier, "rank": rank, "up_to": up_to},
        )  # fmt: skip
    found = rows(crm, "value.pyramid", scheme="halves", measure="revenue")
    assert [(r["tier"], r["customers"], r["revenue_minor"]) for r in found] == [
        ("upper", 3, 1200), ("lower", 2, 300),
    ]  # fmt: skip
    assert rows(crm, "value.pyramid", scheme="nobody's") == []


# --- concentration --------------------------------------------------------------------------------


def concentrated(best: float, size: int, seed: int) -> list[int]:
    """Contributions in minor units of which the best share of customers brings 80 %.

    A third of the others costs more than it brings.
    """
    rng = random.Random(seed)
    top = [int(100_000 * rng.lognormvariate(0, 0.5)) + 50_000 for _ in range(round(best * size))]
    rest = [rng.randint(-500, 1500) for _ in range(size - len(top))]
    # What is missing to a quarter of the top is spread evenly, well below the least of the top.
    lift, more = divmod(sum(top) // 4 - sum(rest), len(rest))
    rest = [value + lift + (i < more) for i, value in enumerate(rest)]
    assert max(rest) < min(top)
    return top + rest


def smallest_share(values: list[int], share: float = 0.8) -> float:
    """Of the customers, best first, how many bring the share of the net sum: the definition."""
    together, whole = 0, sum(values)
    for place, value in enumerate(sorted(values, reverse=True), start=1):
        together += value
        if together >= share * whole:
            return place / len(values)
    raise AssertionError("no customer brings anything")


@pytest.mark.parametrize(("best", "within", "size"), [(0.20, 0.01, 200), (0.04, 0.005, 400)])
def test_the_curve_reports_how_few_bring_most_of_the_profit(
    crm: Crm, customers: Made, best: float, within: float, size: int
) -> None:
    """Each brings an order and costs a complaint of 12.50, so that orders alone would mislead."""
    values = concentrated(best, size, seed=7)
    random.Random(8).shuffle(values)
    crm.run("value set-cost", driver="value.complaint", cost="12.50")
    ids = customers(size)
    log = []
    for customer, value in zip(ids, values, strict=True):
        complaints = 1 + max(0, -value) // 1250
        amount = Decimal(value + 1250 * complaints) / 100
        log += [event(customer, "order", 9, str(amount))]
        log += [event(customer, "complaint", 5) for _ in range(complaints)]
    crm.store.interactions.log(log)
    found = rows(crm, "value.concentration")
    (answer,) = [row for row in found if row["what"] == "answer"]
    assert answer["customer_share"] == pytest.approx(best, abs=within)
    assert answer["customer_share"] == smallest_share(values)
    curve = [row for row in found if row["what"] == "curve"]
    assert [row["position"] for row in curve] == list(range(1, 101))
    ordered = sorted(values, reverse=True)
    for row in curve[::9]:
        assert row["together_minor"] == sum(ordered[: row["customers"]])
    assert curve[-1]["measure_share"] == 1.0


def test_losses_lift_the_curve_above_the_whole(crm: Crm, customers: Made) -> None:
    """60 + 50 - 10 = 100 net: the first brings 60 %, the second 110 %, and 80 % needs both."""
    ids = customers(4)
    crm.run("value set-cost", driver="value.complaint", cost="10")
    crm.store.interactions.log([
        event(ids[0], "order", 1, "60"), event(ids[1], "order", 1, "50"),
        event(ids[2], "complaint", 1),
    ])  # fmt: skip
    found = rows(crm, "value.concentration")
    assert [(r["position"], r["measure_share"]) for r in found if r["what"] == "curve"] == [
        (33, 0.6), (66, 1.1), (100, 1.0),
    ]  # fmt: skip
    (answer,) = [row for row in found if row["what"] == "answer"]
    assert (answer["customers"], answer["customer_share"]) == (2, pytest.approx(2 / 3))
    # Of everybody on file, half; and of revenue, which nobody loses, two of 110 too.
    every = rows(crm, "value.concentration", base="all", measure="revenue")
    assert [r["customer_share"] for r in every if r["what"] == "answer"] == [0.5]


@pytest.mark.parametrize(("best", "count"), [("80.00", 1), ("79.99", 2)])
def test_the_answer_is_who_completes_the_share(
    crm: Crm, customers: Made, best: str, count: int
) -> None:
    """Of 100.00 the first brings just 80 %, or a cent less; who has no purchase is not counted."""
    first, second, _ = customers(3)
    rest = str(Decimal(100) - Decimal(best))
    crm.store.interactions.log([event(first, "order", 1, best), event(second, "order", 1, rest)])
    found = rows(crm, "value.concentration")
    (answer,) = [row for row in found if row["what"] == "answer"]
    assert (answer["customers"], answer["customer_share"]) == (count, count / 2)
    curve = [(r["position"], r["customers"]) for r in found if r["what"] == "curve"]
    assert curve == [(50, 1), (100, 2)]


def test_where_all_lose_there_is_no_answer(crm: Crm, customers: Made) -> None:
    (ann,) = customers(1)
    crm.run("value set-cost", driver="value.complaint", cost="10")
    crm.store.interactions.log(event(ann, "complaint", 1))
    assert [row["what"] for row in rows(crm, "value.concentration")] == ["curve"]


# --- declared drivers -----------------------------------------------------------------------------


def test_a_kind_without_drivers_is_one_itself(crm: Crm, customers: Made) -> None:
    """Two notes at 0.75 are 1.50; before a cost is set they are not counted."""
    (ann,) = customers(1)
    crm.store.interactions.log([
        event(ann, "order", 1, "10.00"),
        event(ann, "note", 2, payload={"text": "a"}), event(ann, "note", 1, payload={"text": "b"}),
    ])  # fmt: skip
    (row,) = rows(crm, "value.contribution")
    assert (row["cost_minor"], row["activities"]) == (0, 1)
    assert "core.note" not in {row["driver"] for row in crm.run("value costs").rows}
    crm.run("value set-cost", driver="core.note", cost="0.75")
    (row,) = rows(crm, "value.contribution")
    assert (row["cost_minor"], row["activities"], row["contribution_minor"]) == (150, 3, 850)
    assert "core.note" in {row["driver"] for row in crm.run("value costs").rows}


def test_a_share_of_the_amount_and_a_channel(crm: Crm, customers: Made) -> None:
    """A fee of 2.5 % of web orders: of 40.00 and 0.20 it is 1.005, shown as 1.01."""
    (ann,) = customers(1)
    crm.store.interactions.log([
        event(ann, "order", 1, "40.00", channel="web"), event(ann, "order", 2, "0.20", channel="web"),
        event(ann, "order", 2, "1000", channel="counter"),
    ])  # fmt: skip
    fee = CostDriver(name="shop.fee", kind="core.order", channel="web", per="amount", cost="0.025")
    catalog = evolve(crm.catalog, cost_drivers={"shop.fee": fee})
    warehouse = Warehouse(
        crm.settings.warehouse, catalog, crm.store, time_zone="UTC", runs=crm.settings.runs,
        currency="USD",
    )  # fmt: skip
    report = catalog.reports["value.contribution"]
    with warehouse.session() as session:
        frame = session.frame(Population.at(crm.as_of(ON)))
        (row,) = frame.query(report.sql, {"days": 365}).to_pylist()
    assert (row["cost_minor"], row["activities"]) == (101, 2)
