"""Terms of a loan as features, and how a file's last word on it becomes a label; worked by hand."""

from __future__ import annotations

from datetime import date

import pytest

from crmkit import resource_text
from crmkit_banking.loan_status import INPUTS, LOAN_STATUS


def test_terms_and_the_district_of_the_account(world) -> None:
    """An instalment of 500.00 where 2000.00 are earned is a quarter."""
    world.add(
        "banking_loan", id=1, principal_minor=1_200_000, term_months=24, instalment_minor=50_000
    )
    world.add("banking_account", id=4, branch="D7", statement_frequency="monthly")
    world.add("banking_branch", subject_id=None, id=9, district="D7", region="north", unemployment=0.03,
              average_salary_minor=200_000, inhabitants=900)  # fmt: skip
    assert world.features("loan_terms")[1] == {
        "loan_principal_minor": 1_200_000, "loan_term_months": 24, "loan_instalment_minor": 50_000,
        "loan_statement_frequency": "monthly", "loan_region": "north", "loan_instalment_to_salary": 0.25,
        "loan_unemployment": 0.03, "loan_inhabitants": 900,
    }  # fmt: skip


def test_loans_have_had_a_year_to_go_bad_and_stand_in_order_of_granting(world) -> None:
    """The last is of 1998-12-08, so those granted after 1997-12-08 are left out. 1997-12-08 is day 10203."""
    for subject, on, status in (
        (1, date(1993, 7, 5), "finished_unpaid"), (2, date(1997, 12, 8), "running"),
        (3, date(1997, 12, 9), "running_in_debt"), (4, date(1998, 12, 8), "running"),
        (5, date(1996, 1, 1), "running_in_debt"),
    ):  # fmt: skip
        world.add("banking_loan", subject_id=subject, id=subject, granted_on=on, status=status)
    rows = world.query(resource_text("crmkit_banking.loan_status", "cross_section.sql"))
    found = {row["subject_id"]: (row["label"], row["position"]) for row in rows}
    assert found == {1: (1, 8586), 2: (0, 10203), 5: (1, 9496)}


def test_what_is_known_later_is_no_input() -> None:
    """District figures describe years after the first loans."""
    assert not {name for name in INPUTS if "unemployment" in name or "salary" in name}
    assert LOAN_STATUS.subject == "banking.loan"


@pytest.mark.parametrize("status", ["finished", "running"])
def test_paid_loans_are_no_outcome(world, status: str) -> None:
    world.add("banking_loan", id=1, granted_on=date(2020, 1, 1), status=status)
    world.add("banking_loan", id=2, granted_on=date(2025, 1, 1), status=status, subject_id=2)
    (row,) = world.query(resource_text("crmkit_banking.loan_status", "cross_section.sql"))
    assert row["label"] == 0
