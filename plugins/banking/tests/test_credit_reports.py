"""Reports and rules on credit decisions, with figures worked by hand (the brief, section 9)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from crmkit_banking.application.rules import RULES
from crmkit_banking.cards.declaration import SCALE

AT = datetime(2026, 3, 1, 9)  # noqa: DTZ001  the tables carry UTC without a zone


def decide(
    world: Any, application: int, points: int, outcome: str, bad: bool | None, *,
    customer: int = 0, role: str = "champion", proposed: str = "", hour: int = 9, grade: str = "C",
    filed: bool = False, by: str = "system", pd: float = 0.1, known: bool | None = None,
) -> None:  # fmt: skip
    """An application with its decision; ``filed`` where the application is there already."""
    subject = customer or application
    if not filed:
        world.add(
            "banking_application", id=application, subject_id=subject, owner_id=subject, bad=bad
        )
    world.add(
        "banking_decision", id=application * 100 + hour + (50 if role != "champion" else 0),
        subject_id=subject, owner_id=application, role=role, points=points, pd=pd, grade=grade,
        proposed=proposed or outcome, outcome=outcome, decided_at=AT.replace(hour=hour),
        card_version=1, decided_by=by, outcome_known=known,
    )  # fmt: skip


def test_approval_and_bad_rate_by_band(world: Any) -> None:
    """540 to 559: three decided, one each way; two outcomes are known, one of them bad. 560 to 579:
    one declined by the card and approved by a person later, which is the decision that stands."""
    decide(world, 1, 540, "approve", True)
    decide(world, 2, 550, "refer", False)
    decide(world, 3, 559, "decline", None)
    decide(world, 4, 560, "decline", False, hour=9)
    decide(world, 4, 560, "approve", False, hour=10, filed=True, proposed="decline", by="ann")
    low, high = world.report("approval-by-band")
    assert (low["points_from"], low["points_to"], low["applications"]) == (540, 559, 3)
    assert (low["approved"], low["referred"], low["declined"]) == (1, 1, 1)
    assert (low["outcomes_known"], low["bads"], low["bad_rate"], low["bad_rate_approved"]) == (
        2, 1, 0.5, 1.0,
    )  # fmt: skip
    assert (high["applications"], high["approved"], high["declined"]) == (1, 1, 0)
    # One of four is declined in the end, and that stands beside every band.
    assert (low["reject_share"], high["reject_share"]) == (0.25, 0.25)


def test_the_swap_set_of_two_cards(world: Any) -> None:
    """Two that both approve, one only the champion takes (bad), two only the challenger takes."""
    said = [("approve", "approve", False), ("approve", "approve", None), ("approve", "decline", True),
            ("decline", "approve", False), ("refer", "approve", True)]  # fmt: skip
    for i, (champion, challenger, bad) in enumerate(said, start=1):
        decide(world, i, 550, champion, bad)
        decide(world, i, 540, challenger, bad, role="challenger", filed=True)
    rows = {(r["champion"], r["challenger"]): r for r in world.report("swap-set")}
    assert {key: (r["swap"], r["applications"], r["bad_rate"]) for key, r in rows.items()} == {
        ("approve", "approve"): ("same", 2, 0.0),
        ("approve", "decline"): ("swapped out", 1, 1.0),
        ("decline", "approve"): ("swapped in", 1, 0.0),
        ("refer", "approve"): ("swapped in", 1, 1.0),
    }
    assert rows["approve", "approve"]["share"] == pytest.approx(0.4)


def test_grades_move_from_one_application_to_the_next(world: Any) -> None:
    """Customer 1: B, then C, then C; customer 2: B, then A. From B one to A and one to C."""
    for application, customer, hour, grade in ((1, 1, 9, "B"), (2, 1, 10, "C"), (3, 1, 11, "C"),
                                               (4, 2, 9, "B"), (5, 2, 10, "A")):  # fmt: skip
        decide(world, application, 550, "approve", None, customer=customer, hour=hour, grade=grade)
    found = {
        (r["from_grade"], r["to_grade"]): (r["moves"], r["share"])
        for r in world.report("grade-migration")
    }
    assert found == {("B", "A"): (1, 0.5), ("B", "C"): (1, 0.5), ("C", "C"): (1, 1.0)}


def test_quality_by_grade(world: Any) -> None:
    """Points 500 bad, 520 good, 540 bad, 560 good: of 4 pairs the good is above in 3: Gini 0.5.

    KS: after 500 half of the bads and no good are below: 0.5, the widest gap. Brier of PD 0.1:
    (0.81 + 0.01 + 0.81 + 0.01) / 4 = 0.41. Wilson of 2 in 4 with z = 1.96: 0.1500 to 0.8500.
    """
    for i, (points, bad) in enumerate(
        ((500, True), (520, False), (540, True), (560, False)), start=1
    ):
        decide(world, i, points, "approve", bad)
    decide(world, 9, 600, "approve", None)
    (row,) = world.report("scorecard-quality")
    assert (row["grade"], row["loans"], row["bads"], row["observed"]) == ("C", 4, 2, 0.5)
    assert row["gini"] == pytest.approx(0.5)
    assert row["ks"] == pytest.approx(0.5)
    assert row["brier"] == pytest.approx(0.41)
    assert row["observed_expected"] == pytest.approx(5.0)
    assert (row["low"], row["high"]) == (
        pytest.approx(0.1500, abs=5e-5),
        pytest.approx(0.8500, abs=5e-5),
    )


def test_what_a_card_may_have_learnt_from_does_not_prove_it(world: Any) -> None:
    """Outcomes known before the decision part goods and bads without fault: Gini 1. Of those that came
    after it the good is above the bad in 3 pairs of 4: Gini 0.5, by Hanley & McNeil with A = 0.75
    sqrt((0.1875 + 0.6 - 0.5625 + 1.125 / 1.75 - 0.5625) / 4) = 0.27630, so from 0.5 - 3.92 x 0.27630
    = -0.58308 to 1."""
    for i, (points, bad, known) in enumerate((
        (500, True, True), (505, True, True), (550, False, True), (560, False, True),
        (500, True, False), (520, False, False), (540, True, False), (560, False, False),
    ), start=1):  # fmt: skip
        decide(world, i, points, "approve", bad, known=known)
    decide(world, 9, 600, "approve", False)
    after, before, unknown = world.report("scorecard-quality")
    assert (after["sample"], after["loans"], after["gini"]) == ("after the decision", 4, 0.5)
    assert after["gini_low"] == pytest.approx(-0.58308, abs=5e-5)
    assert after["gini_high"] == 1
    assert (before["sample"], before["loans"], before["gini"]) == ("before the decision", 4, 1.0)
    assert (unknown["sample"], unknown["loans"], unknown["gini"]) == ("not recorded", 1, None)


def test_fairness_against_the_best_group_of_thirty(world: Any) -> None:
    """Men 20 of 40 approved, women 12 of 32, another group 2 of 2, which is too few to compare with."""
    groups = [("male", 20, 40), ("female", 12, 32), ("other", 2, 2)]
    application = 0
    for gender, approved, size in groups:
        for i in range(size):
            application += 1
            decide(world, application, 550, "approve" if i < approved else "decline", i % 4 == 0)
            world.add(
                "banking_customer", subject_id=application, customer_id=application, gender=gender
            )
    rows = {r["member"]: r for r in world.report("fairness") if r["attribute"] == "gender"}
    assert rows["male"]["approval_rate"] == 0.5
    assert rows["female"]["impact_ratio"] == pytest.approx(0.75)
    assert rows["other"]["impact_ratio"] == pytest.approx(2.0)
    # Of 40 men every fourth went bad: 30 goods, of whom those from the 21st on were not approved.
    assert rows["male"]["goods_not_approved"] == pytest.approx(15 / 30)
    assert rows["male"]["bads_approved"] == pytest.approx(5 / 10)


def test_the_log_marks_overrides_only(world: Any) -> None:
    decide(world, 1, 500, "approve", None, proposed="decline", by="ann")
    decide(world, 2, 540, "approve", None, proposed="refer", by="ann")
    decide(world, 3, 500, "withdrawn", None, proposed="decline", by="ann")
    assert [r["override"] for r in world.report("decision-log")] == [True, False, False]


@pytest.mark.parametrize(
    ("points", "age", "bankrupt", "dsti", "kyc", "unknown", "rules"),
    [
        (548, 30, False, 0.30, "valid", False, {"approve"}),
        (547, 30, False, None, None, False, {"refer"}),
        (534, None, None, 0.45, "due", False, {"refer"}),
        (533, 30, False, 0.30, "valid", False, {"decline"}),
        (600, 17, False, 0.10, "valid", False, {"policy-decline"}),
        (600, 18, True, 0.10, "valid", False, {"policy-decline"}),
        (600, 30, False, 0.46, "expired", False, {"policy-decline"}),
        (600, 30, False, 0.10, "expired", False, {"policy-hold"}),
        (500, 30, False, 0.10, "expired", False, {"decline", "policy-hold"}),
        (600, 30, False, None, "valid", True, {"policy-hold"}),
        (600, 17, False, None, "valid", True, {"policy-decline"}),
    ],
)
def test_rules_one_and_two(
    points: int, age: int | None, bankrupt: bool | None, dsti: float | None, kyc: str | None,
    unknown: bool, rules: set[str],
) -> None:  # fmt: skip
    """Rule 1 by points, rule 2 whatever the points; what is not known holds."""
    row = {
        "score_banking_application": SCALE.probability(points), "banking_applicant_age": age,
        "banking_applicant_bankrupt": bankrupt, "banking_application_dsti": dsti,
        "banking_applicant_kyc_status": kyc, "banking_applicant_unknown": unknown,
    }  # fmt: skip
    types = ("DOUBLE", "BIGINT", "BOOLEAN", "DOUBLE", "VARCHAR", "BOOLEAN")
    columns = ", ".join(f"CAST(? AS {t}) AS {name}" for name, t in zip(row, types, strict=True))
    with duckdb.connect() as db:
        held = {
            rule.name.removeprefix("banking.")
            for rule in RULES
            if db.execute(
                f"SELECT 1 FROM (SELECT {columns}) WHERE {rule.when}", list(row.values())
            ).fetchall()
        }
    assert held == rules


def test_an_applicant_comes_of_age_on_the_birthday(world: Any) -> None:
    """As of 2026-03-31: born on 2008-03-31 is 18 today, on 2008-04-01 tomorrow; else as the file states."""
    for customer, values in (
        (1, {"born_on": date(2008, 3, 31)}), (2, {"born_on": date(2008, 4, 1)}), (3, {"age_years": 44}),
    ):  # fmt: skip
        world.add("banking_application", id=customer, subject_id=customer)
        world.add("banking_customer", subject_id=customer, kyc_status="valid", **values)
    found = world.features("applicant")
    assert [found[customer]["applicant_age"] for customer in (1, 2, 3)] == [18, 17, 44]
    assert found[1]["applicant_kyc_status"] == "valid"


def test_debt_service_to_income_is_counted_where_both_are_stated(world: Any) -> None:
    """900.00 of 2,000.00 are 0.45, whatever the file states; without income, or in another currency, the
    file's own figure counts."""
    euros = {"debt_service_minor": 90_000, "debt_service_currency": "EUR", "income_currency": "EUR"}
    for number, values in enumerate((
        {"income_minor": 200_000, "dsti": 0.1}, {"income_minor": None, "dsti": 0.1},
        {"income_minor": 0, "dsti": None}, {"income_minor": 200_000, "income_currency": "USD", "dsti": 0.2},
    ), start=1):  # fmt: skip
        world.add("banking_application", id=number, subject_id=number, **{**euros, **values})
    found = world.features("application_data")
    assert [found[n]["application_dsti"] for n in (1, 2, 3, 4)] == [0.45, 0.1, None, 0.2]


def test_the_policy_says_what_may_be_unknown(world: Any) -> None:
    """1 has all of it, by income and debt service; 2 lacks the age, 3 debt service, 4 the identification."""
    has = {"born_on": date(1990, 1, 1), "kyc_status": "valid"}
    for number, lacks in ((1, ""), (2, "born_on"), (3, "dsti"), (4, "kyc_status")):
        stated = (
            {"income_minor": 200_000, "debt_service_minor": 90_000}
            if number == 1
            else {"dsti": 0.3}
        )
        stated = {**stated, "dsti": None} if lacks == "dsti" else stated
        world.add("banking_application", id=number, subject_id=number, **stated)
        world.add(
            "banking_customer",
            subject_id=number,
            **{**has, **({lacks: None} if lacks in has else {})},
        )
    found = world.features("applicant")
    assert [found[n]["applicant_unknown"] for n in (1, 2, 3, 4)] == [False, True, True, True]
    world.add("banking_credit_policy", id=9, subject_id=None, may_be_unknown=["dsti", "kyc_status"])
    found = world.features("applicant")
    assert [found[n]["applicant_unknown"] for n in (1, 2, 3, 4)] == [False, True, False, False]
