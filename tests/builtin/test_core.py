"""The built-in core: found by its manifest, its features, stages and reports worked by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import crmkit
from crmkit.builtin.core import features, kinds, lifecycle, reports
from crmkit.entities import Money, NewInteraction
from crmkit.errors import MoveRefused
from crmkit.hosting.manifest import find_manifests
from crmkit.warehouse.population import Population
from crmkit.warehouse.portable import check_sql
from crmkit.workspace import Crm

Log = Callable[..., None]


@pytest.fixture
def crm(tmp_path: Path, crm_clock: Any) -> Any:
    with crmkit.init(tmp_path / "w", clock=crm_clock, actor="tester") as crm:
        yield crm


@pytest.fixture
def file(crm: Crm, crm_clock: Any) -> Callable[[], int]:
    def one() -> int:
        now = crm_clock()
        crm_clock.set(datetime(2023, 1, 1, tzinfo=UTC))
        made = crm.store.customers.add().id
        crm_clock.set(now)
        return made

    return one


@pytest.fixture
def log(crm: Crm) -> Log:
    def go(customer: int, kind: str, *days: str, amount: str | None = None, **more: Any) -> None:
        money = None if amount is None else Money.parse(amount, more.pop("currency", "USD"))
        for day in days:
            at = datetime.fromisoformat(day).replace(hour=9, tzinfo=UTC)
            crm.store.interactions.log(
                NewInteraction(
                    kind=kind, customer_id=customer, occurred_at=at, amount=money, **more
                )
            )

    return go


def build(crm: Crm, *names: str, on: str = "2026-03-31") -> list[dict[str, Any]]:
    table = crm.features.build(
        "customer", [f"core.{n}" for n in names], Population.at(crm.as_of(on))
    )
    return table.drop_columns(["subject_id", "as_of"]).to_pylist()


# --- declarations ---------------------------------------------------------------------------------


def test_core_is_found_by_its_manifest_and_loads_without_faults(crm: Crm) -> None:
    manifest = find_manifests()["core"]
    assert (manifest.builtin, manifest.faults) == (True, ())
    assert crm.host.faults == []
    assert "core.complaint" in crm.catalog.interaction_kinds
    facts = {k.name.replace(".", "_") for k in kinds.interaction_kinds()}
    assert set(manifest.tables) == {"core_customer", *facts}


def test_words_of_customers_never_enter_the_warehouse() -> None:
    """Texts and headlines may name anybody (design D17)."""
    for kind in kinds.interaction_kinds():
        for field in kind.fields.fields:
            assert field.in_warehouse is (field.name not in ("text", "headline"))


def test_all_sql_is_portable() -> None:
    for sql in (
        *(s.sql for s in features.feature_sets()),
        *(r.sql for r in reports.reports()),
        str(lifecycle.CUSTOMER.propose),
    ):
        check_sql(sql)


def test_five_stages_are_in_order_and_nobody_becomes_a_prospect_again() -> None:
    core = lifecycle.CUSTOMER
    assert [s.kind for s in core.stages] == [
        "prospect", "development", "growth", "maturity", "termination",
    ]  # fmt: skip
    assert core.faults() == []
    assert not any(target == "prospect" for _, target in core.moves)
    assert core.next_stages("termination") == ("development",)
    with pytest.raises(MoveRefused, match="termination cannot move to maturity"):
        core.check_move("termination", "maturity")


# --- features -------------------------------------------------------------------------------------


def test_recency_frequency_and_complaints(crm: Crm, file: Any, log: Log) -> None:
    one, _silent = file(), file()
    log(one, "core.call", "2026-03-30", "2026-01-01", direction="in")
    log(one, "core.email", "2026-03-01", direction="out")
    log(one, "core.complaint", "2026-02-01", "2025-12-01", direction="in")
    names = (
        "days_since_last_interaction", "interactions_90d", "contacts_90d", "complaints_90d",
        "interaction_trend",
    )  # fmt: skip
    found = build(crm, *names)
    # Within 90 days of 31 March (from 1 January on): 30 March, 1 January, 1 March, 1 February.
    assert list(found[0].values()) == [1, 4, 3, 1, 4.0]
    assert list(found[1].values()) == [None, 0, 0, 0, None]


def test_revenue_is_what_was_charged_less_refunds(crm: Crm, file: Any, log: Log) -> None:
    buyer, prospect = file(), file()
    log(buyer, "core.order", "2025-06-01", "2026-03-01", amount="100.00")
    log(buyer, "core.order", "2025-01-01", amount="999.00")  # more than 365 days ago
    log(buyer, "core.refund", "2026-03-05", amount="30.00")
    log(prospect, "core.call", "2026-03-01")
    names = (
        "purchases_365d", "days_since_last_purchase", "days_since_first_purchase",
        "revenue_365d_minor",
    )  # fmt: skip
    found = build(crm, *names)
    # 1 March to 31 March are 30 days, 1 January 2025 to 31 March 2026 are 454.
    assert list(found[0].values()) == [2, 30, 454, 17000]
    assert list(found[1].values()) == [0, None, None, 0]


def test_revenue_in_two_currencies_has_no_sum(crm: Crm, file: Any, log: Log) -> None:
    one = file()
    log(one, "core.order", "2026-03-01", amount="100.00")
    log(one, "core.order", "2026-03-02", amount="100.00", currency="EUR")
    assert build(crm, "revenue_365d_minor") == [{"core_revenue_365d_minor": None}]


# --- the five stages ------------------------------------------------------------------------------


def test_behaviour_proposes_the_stage_with_its_ground(crm: Crm, file: Any, log: Log) -> None:
    made = [file() for _ in range(8)]
    prospect, new, growing, steady, rich, ended, angry, patient = made
    log(prospect, "core.call", "2026-03-01")
    log(new, "core.order", "2026-03-01", amount="1.00")
    log(growing, "core.order", "2025-12-01", "2026-03-01", amount="1.00")
    log(steady, "core.order", "2025-01-01", amount="1.00")
    log(steady, "core.order", *(f"2025-{m:02}-15" for m in range(6, 12)), amount="1.00")
    log(rich, "core.order", "2025-01-01", "2026-01-01", "2026-02-01", amount="5000.00")
    log(ended, "core.order", "2025-03-31", amount="1.00")  # 365 days
    log(angry, "core.order", "2025-09-01", amount="1.00")  # 211 days
    log(angry, "core.complaint", "2026-03-01", "2026-03-02")
    log(patient, "core.order", "2025-09-01", amount="1.00")
    crm.lifecycles.propose(crm.as_of("2026-03-31"), apply=True)
    found = {c: crm.lifecycles.history(c)[0] for c in made}
    assert [(found[c].to_stage, found[c].reason) for c in made] == [
        ("prospect", "no purchase yet"),
        ("development", "1 purchase in 365 days"),
        ("growth", "2 purchases in 365 days"),
        ("maturity", "6 purchases in 365 days"),
        ("maturity", "among the fifth with the most revenue"),
        ("termination", "no purchase for 365 days"),
        ("termination", "no purchase for 211 days after 2 complaints"),
        ("development", "1 purchase in 365 days"),
    ]
    assert found[rich].rule == "core.customer"


def test_who_buys_again_after_an_end_is_won_back(crm: Crm, file: Any, log: Log) -> None:
    one = file()
    log(one, "core.order", "2024-01-01", amount="1.00")
    crm.lifecycles.propose(crm.as_of("2025-06-30"), apply=True)
    log(one, "core.order", "2025-12-01", "2026-01-15", amount="1.00")
    for day in ("2026-01-31", "2026-02-28"):
        crm.lifecycles.propose(crm.as_of(day), apply=True)
    assert [(c.to_stage, c.reason) for c in crm.lifecycles.history(one)] == [
        ("termination", "no purchase for 546 days"),
        ("development", "won back"),
        # The only customer is the fifth with the most revenue.
        ("maturity", "among the fifth with the most revenue"),
    ]


# --- reports --------------------------------------------------------------------------------------


def run(crm: Crm, name: str, on: str = "2026-03-31", **parameters: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = crm.reports.run(name, parameters, crm.as_of(on)).table.to_pylist()
    return rows


@pytest.mark.parametrize("name", [r.name for r in reports.reports()])
def test_reports_run_on_no_customers_and_on_one(crm: Crm, file: Any, name: str) -> None:
    none = run(crm, name)
    assert none == [] or name == "core.funnel"
    file()
    assert len(run(crm, name)) >= len(none)


@pytest.fixture
def walked(crm: Crm, crm_clock: Any, file: Any) -> None:
    """Stays in development that ended lasted 10, 20, 30 and 40 days; one goes on for 31."""
    for days in (10, 20, 30, 40):
        one = file()
        crm_clock.set(datetime(2026, 1, 1, 12, tzinfo=UTC))
        crm.lifecycles.advance("core.customer", one, "development")
        crm_clock.advance(days=days)
        crm.lifecycles.advance("core.customer", one, "growth" if days < 40 else "termination")
    crm_clock.set(datetime(2026, 2, 28, 12, tzinfo=UTC))
    crm.lifecycles.advance("core.customer", file(), "development")
    crm_clock.set(datetime(2026, 4, 1, tzinfo=UTC))


def test_funnel_report_counts_and_converts(crm: Crm, walked: None) -> None:
    rows = run(crm, "core.funnel")
    found = [
        (r["stage"], r["customers"], r["reached"], r["conversion"], r["median_days"]) for r in rows
    ]
    assert found == [
        ("prospect", 0, 5, None, None),
        ("development", 1, 5, 1.0, 20),
        ("growth", 3, 3, pytest.approx(3 / 5), None),
        ("maturity", 0, 0, 0.0, None),
        ("termination", 1, 1, pytest.approx(1 / 5), None),
    ]


def test_stage_durations_are_quantiles_by_rank(crm: Crm, walked: None) -> None:
    rows = {r["stage"]: r for r in run(crm, "core.stage-durations")}
    development = rows["development"]
    assert (development["p25_days"], development["median_days"], development["p75_days"]) == (
        10,
        20,
        30,
    )
    assert (development["ended"], development["ongoing"]) == (4, 1)
    assert development["ongoing_median_days"] == 31
    assert (rows["growth"]["ended"], rows["growth"]["ongoing"]) == (0, 3)
    assert run(crm, "core.stage-durations", lifecycle="no.such") == []


def test_cohorts_are_followed_month_by_month(crm: Crm, file: Any, log: Log) -> None:
    first, second, third = file(), file(), file()
    log(first, "core.order", "2025-12-05", "2025-12-20", "2026-02-01")
    log(second, "core.order", "2025-12-31", "2026-01-01")
    log(third, "core.order", "2026-01-15", "2026-03-10")
    rows = run(crm, "core.cohort-retention", on="2026-03-15")
    # March is not over on the 15th. December: 2 of 2, then 1 in January, 1 in February.
    found = [
        (r["cohort_on"], r["months_after"], r["size"], r["active"], r["retention"]) for r in rows
    ]
    assert found == [
        (date(2025, 12, 1), 0, 2, 2, 1.0),
        (date(2025, 12, 1), 1, 2, 1, 0.5),
        (date(2025, 12, 1), 2, 2, 1, 0.5),
        (date(2026, 1, 1), 0, 1, 1, 1.0),
        (date(2026, 1, 1), 1, 1, 0, 0.0),
    ]
    # As of the end of March the month is over.
    assert len(run(crm, "core.cohort-retention", on="2026-03-31")) == 7
    assert len(run(crm, "core.cohort-retention", on="2026-03-31", months="0")) == 2


def test_customers_are_listed_with_behaviour_highest_revenue_first(
    crm: Crm, file: Any, log: Log
) -> None:
    small, large = file(), file()
    log(small, "core.order", "2026-03-01", amount="10.00")
    log(large, "core.order", "2026-03-01", amount="90.00")
    crm.lifecycles.propose(crm.as_of("2026-03-30"), apply=True)
    rows = run(crm, "core.customers")
    assert [(r["customer_id"], r["revenue_365d_minor"], r["stage"]) for r in rows] == [
        (large, 9000, "development"), (small, 1000, "development"),
    ]  # fmt: skip
    assert run(crm, "core.customers", stage="growth") == []
