"""Reports on who left, when, why and where to; expected numbers worked by hand or from the source."""

from __future__ import annotations

import csv
import math
import os
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

DATA = Path(os.environ["CRMKIT_DATA"])


def _line(world, number: int, **values) -> None:
    values.setdefault("status", "active")
    world.add(
        "telecom_subscription", id=number, subject_id=values.pop("subject_id", number), **values
    )


# --- survival -------------------------------------------------------------------------------------

# Five lines: ended after 2, 3 and 5 months, still running after 3 and 7.
FIVE = ((2, "terminated"), (3, "active"), (3, "ported_out"), (5, "terminated"), (7, "active"))


def test_survival_of_five_lines_by_hand(world) -> None:
    """At 2: 1 of 5 ends, 4/5. At 3: 1 of 4, 3/5. At 5: 1 of 2, 3/10. At 7 nothing ends."""
    for number, (months, status) in enumerate(FIVE, start=1):
        _line(world, number, tenure_months=months, status=status, contract_type="12m")
    rows = world.report("churn-survival")
    assert [(r["months"], r["at_risk"], r["ended"]) for r in rows] == [
        (2, 5, 1), (3, 4, 1), (5, 2, 1), (7, 1, 0),
    ]  # fmt: skip
    assert [r["survival"] for r in rows] == pytest.approx([0.8, 0.6, 0.3, 0.3])
    assert {r["line_group"] for r in rows} == {"12m"}


def test_survival_interval_is_log_log_with_greenwood(world) -> None:
    """At 3 months: variance of ln S is 1/(5*4) + 1/(4*3) = 2/15; S = 0.6."""
    for number, (months, status) in enumerate(FIVE, start=1):
        _line(world, number, tenure_months=months, status=status)
    row = next(r for r in world.report("churn-survival", by="all") if r["months"] == 3)
    spread = 1.96 * math.sqrt(2 / 15) / abs(math.log(0.6))
    assert row["survival_low"] == pytest.approx(0.6 ** math.exp(spread))
    assert row["survival_high"] == pytest.approx(0.6 ** math.exp(-spread))


def test_survival_is_zero_once_everybody_has_gone(world) -> None:
    _line(world, 1, tenure_months=1, status="terminated")
    _line(world, 2, tenure_months=4, status="terminated")
    rows = world.report("churn-survival", by="all")
    assert [r["survival"] for r in rows] == pytest.approx([0.5, 0.0])
    assert rows[-1]["survival_high"] == 0.0


def test_dated_lines_count_from_activation_to_their_end(world, day) -> None:
    _line(world, 1, activated_on=day(400), ended_on=day(300), status="terminated")  # 3.29 months
    _line(world, 2, activated_on=day(400))  # 13.14 months, running
    rows = world.report("churn-survival", by="all")
    assert [(r["months"], r["ended"]) for r in rows] == [(3, 1), (13, 0)]


@pytest.mark.skipif(not DATA.exists(), reason="the public data are not here")
@pytest.mark.parametrize(
    ("contract", "months", "survival"),
    [
        # The telecom brief, section 5, and lifelines 0.30.3 KaplanMeierFitter on the same rows.
        ("month_to_month", 24, 0.5859154739),
        ("month_to_month", 48, 0.3972637790),
        ("12m", 24, 0.9782723764),
        ("12m", 48, 0.9165468042),
        # The earliest of the 48 leavers with two years goes in month 25.
        ("24m", 24, 1.0),
        ("24m", 48, 0.9957189310),
    ],
)
def test_survival_on_the_ibm_sample(world, contract: str, months: int, survival: float) -> None:
    contracts = {"Month-to-month": "month_to_month", "One year": "12m", "Two year": "24m"}
    path = DATA / "telco_ibm" / "telco_churn.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if contracts[row["Contract"]] == contract]
    table = pa.table({
        "id": list(range(len(rows))),
        "tenure": [int(row["tenure"]) for row in rows],
        "status": ["terminated" if row["Churn"] == "Yes" else "active" for row in rows],
    })  # fmt: skip
    world.db.register("sample", table)
    world.db.execute(
        "INSERT INTO telecom_subscription (id, subject_id, tenure_months, status, contract_type) "
        "SELECT id, id, tenure, status, ? FROM sample",
        [contract],
    )
    found = [r for r in world.report("churn-survival") if r["months"] <= months]
    assert found[-1]["survival"] == pytest.approx(survival, abs=1e-9)


# --- composition ----------------------------------------------------------------------------------


def test_composition_counts_customers_by_their_dearest_line(world) -> None:
    """Four customers, one gone; the second holds a running line beside an ended one and stays."""
    _line(world, 1, status="terminated", contract_type="month_to_month", tenure_months=3)
    _line(world, 2, status="active", contract_type="24m", monthly_fee_minor=5000, tenure_months=60)
    _line(world, 3, subject_id=2, status="terminated", contract_type="12m", monthly_fee_minor=900)
    _line(world, 4, subject_id=3, contract_type="month_to_month", tenure_months=8)
    _line(world, 5, subject_id=4, contract_type="month_to_month", tenure_months=30)
    rows = {(r["dimension"], r["value"]): r for r in world.report("churn-composition")}
    everyone = rows["all", "all"]
    assert (everyone["customers"], everyone["leavers"], everyone["churn_rate"]) == (4, 1, 0.25)
    free = rows["contract", "month_to_month"]
    assert (free["customers"], free["leavers"]) == (3, 1)
    assert free["lift"] == pytest.approx((1 / 3) / (1 / 4))
    assert free["share_of_leavers"] == 1.0
    assert rows["tenure", "00-05 months"]["leavers"] == 1
    assert ("contract", "12m") not in rows


def test_composition_interval_is_wilsons(world) -> None:
    """One of four: (p + z2/2n -+ z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n), z = 1.96 (Wilson 1927)."""
    for number in (1, 2, 3, 4):
        _line(world, number, status="terminated" if number == 1 else "active")
    row = world.report("churn-composition")[0]
    p, n, z = 0.25, 4, 1.96
    centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert row["churn_rate_low"] == pytest.approx((centre - half) / (1 + z * z / n), abs=1e-4)
    assert row["churn_rate_high"] == pytest.approx((centre + half) / (1 + z * z / n), abs=1e-4)


def test_a_dimension_of_which_nothing_is_known_is_left_out(world) -> None:
    _line(world, 1)
    assert {r["dimension"] for r in world.report("churn-composition")} == {"all"}


# --- reasons, rate, porting -----------------------------------------------------------------------


def test_reasons_by_destination(world, day) -> None:
    for number, (reason, to, before) in enumerate(
        (("price", "Norfone", 20), ("price", "Norfone", 500), ("network", None, 30)), start=1
    ):
        _line(world, number, status="terminated", churn_reason=reason, churn_to=to,
              activated_on=day(before + 61), ended_on=day(before), monthly_fee_minor=1000)  # fmt: skip
    rows = {(r["reason"], r["destination"]): r for r in world.report("churn-reasons")}
    assert rows["price", "Norfone"]["lines"] == 2
    assert rows["price", "Norfone"]["share"] == pytest.approx(2 / 3)
    assert rows["network", "not named"]["mean_tenure_months"] == pytest.approx(61 / 30.4375)
    recent = world.report("churn-reasons", days=365)
    assert sum(r["lines"] for r in recent) == 2


def test_rate_of_a_month_is_lines_ended_over_lines_at_its_start(world) -> None:
    """Ten lines in January; in February one is won and two are lost: 20 % gross, 10 % net."""
    for number in range(1, 11):
        gone = number <= 2
        _line(world, number, activated_on=date(2026, 1, 5),
              ended_on=date(2026, 2, 10) if gone else None,
              status="terminated" if gone else "active",
              churn_kind=("voluntary", "involuntary")[number - 1] if gone else None)  # fmt: skip
    _line(world, 11, activated_on=date(2026, 2, 20))
    january, february = world.report("churn-rate")
    assert (january["opening"], january["won"], january["churn_rate"]) == (0, 10, None)
    assert february["month_on"] == date(2026, 2, 1)
    assert (february["opening"], february["won"]) == (10, 1)
    assert (february["voluntary"], february["involuntary"]) == (1, 1)
    assert february["churn_rate"] == pytest.approx(0.2)
    assert february["voluntary_rate"] == pytest.approx(0.1)
    assert february["involuntary_rate"] == pytest.approx(0.1)
    assert february["net_churn_rate"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("on", "openings"),
    [
        # (month, plan): lines at its start. A month is shown where something happened in the plan.
        (date(2026, 1, 31), {(1, "A"): 2}),
        (date(2026, 2, 28), {(1, "A"): 2, (2, "A"): 2, (2, "B"): 0}),
        (date(2026, 3, 31), {(1, "A"): 2, (2, "A"): 2, (2, "B"): 0, (3, "B"): 1}),
    ],
)
def test_past_months_keep_the_plan_of_that_time(world_of, on, openings) -> None:
    """Lines 1 and 2 began on plan A in December; 1 went to B on 10 February and left on 5 March."""
    world = world_of(on)
    moved, ended = date(2026, 2, 10), date(2026, 3, 5)
    _line(world, 1, activated_on=date(2025, 12, 3), plan_code="B" if moved <= on else "A",
          ended_on=ended if ended <= on else None,
          status="ported_out" if ended <= on else "active", churn_kind="voluntary")  # fmt: skip
    _line(world, 2, activated_on=date(2025, 12, 4), plan_code="A")
    _line(world, 3, activated_on=date(2026, 1, 5), plan_code="A", ended_on=date(2026, 1, 20),
          status="terminated")  # fmt: skip
    if moved <= on:
        world.add("telecom_plan_change", occurred_on=moved, record_id=1, from_plan="A", to_plan="B")
    rows = world.report("churn-rate", by="plan", days=(on - date(2026, 1, 1)).days + 1)
    found = {(r["month_on"].month, r["line_group"]): r["opening"] for r in rows}
    assert found == openings
    left = {(r["month_on"].month, r["line_group"]): r["voluntary"] for r in rows if r["voluntary"]}
    assert left == ({(3, "B"): 1} if ended <= on else {})


@pytest.mark.parametrize(("on", "lost"), [(1, 1), (0, 1), (-1, 0)])
def test_a_port_out_that_is_announced_is_not_lost_yet(world, day, on, lost) -> None:
    _line(world, 1, activated_on=date(2025, 1, 1), ported_from="ALPHA")
    _line(world, 2, activated_on=date(2025, 1, 1), churn_to="ALPHA", ended_on=day(on))
    (row,) = world.report("porting-balance", days=0)
    assert (row["won"], row["lost"]) == (1, lost)


def test_rate_by_tenure_takes_the_band_at_the_start_of_the_month(world) -> None:
    """On 1 February the line of 5 September is 149 days old and that of 1 August is 184.

    Six months are 182.6 days: the first is new, the second is in its second half-year, and leaves.
    On 1 March the first is 177 days old, still new, beside the one that came in February.
    """
    _line(world, 1, activated_on=date(2025, 9, 5))
    _line(world, 2, activated_on=date(2025, 8, 1), ended_on=date(2026, 2, 10), status="terminated",
          churn_kind="voluntary")  # fmt: skip
    _line(world, 3, activated_on=date(2026, 2, 5))
    _line(world, 4, activated_on=date(2026, 3, 9))
    rows = {
        (r["month_on"].month, r["line_group"]): (r["opening"], r["won"], r["voluntary"])
        for r in world.report("churn-rate", by="tenure", days=60)
    }
    assert rows == {
        (2, "00-05 months"): (1, 1, 0), (2, "06-11 months"): (1, 0, 1), (3, "00-05 months"): (2, 1, 0),
    }  # fmt: skip


def test_the_band_of_a_line_changes_on_its_anniversary(world_of) -> None:
    """365 days are twelve months: the line of 1 March 2025 begins March 2026 in the second band."""
    world = world_of(date(2026, 3, 31))
    _line(world, 1, activated_on=date(2025, 3, 1))
    _line(world, 2, activated_on=date(2025, 3, 2))
    _line(world, 3, activated_on=date(2026, 3, 20))
    rows = world.report("churn-rate", by="tenure", days=60)
    found = {row["line_group"]: row["opening"] for row in rows if row["opening"]}
    assert found == {"06-11 months": 1, "12-23 months": 1}


def test_a_cohort_of_the_last_day_of_january_has_lasted_a_month_at_the_end_of_february(
    world_of,
) -> None:
    world = world_of(date(2026, 2, 28))
    _line(world, 1, activated_on=date(2026, 1, 31))
    rows = world.report("cohort-retention")
    assert [(r["months_after"], r["kept"]) for r in rows] == [(0, 1), (1, 1)]


def test_cohorts_keep_who_lasted_so_long(world) -> None:
    """Activated on 5 and 20 January: on 31 March both could reach two months. One left on 25 February,
    after one month and five days."""
    _line(world, 1, activated_on=date(2026, 1, 5))
    _line(world, 2, activated_on=date(2026, 1, 20), ended_on=date(2026, 2, 25), status="terminated")
    _line(world, 3, activated_on=date(2026, 3, 25))
    rows = world.report("cohort-retention")
    found = [(r["cohort_on"].month, r["months_after"], r["size"], r["kept"]) for r in rows]
    assert found == [(1, 0, 2, 2), (1, 1, 2, 2), (1, 2, 2, 1), (3, 0, 1, 1)]
    assert rows[2]["retention"] == 0.5


def test_porting_balance(world, day) -> None:
    _line(world, 1, ported_from="Norfone", activated_on=day(100))
    _line(world, 2, ported_from="Norfone", activated_on=day(400))
    _line(
        world, 3, churn_to="Norfone", ended_on=day(10), status="ported_out", monthly_fee_minor=2500
    )
    _line(world, 4, churn_to="not_named", ended_on=day(10), status="terminated")
    assert world.report("porting-balance") == [
        {"competitor": "Norfone", "won": 1, "lost": 1, "balance": 0, "lost_per_won": 1.0,
         "lost_monthly_fee_minor": 2500}
    ]  # fmt: skip
    assert world.report("porting-balance", days=0)[0]["won"] == 2
