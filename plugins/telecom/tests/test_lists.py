"""Outreach lists from telecom's own segments and rules, as the built-in ``outreach`` makes them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import crmkit
from crmkit.declarations import CUSTOMER
from crmkit.entities import ContactPoint, CustomerRef
from crmkit.errors import UsageError
from crmkit_telecom.rules import RULES

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
RULE = next(rule for rule in RULES if rule.action == "list" and rule.subject == CUSTOMER)


@pytest.fixture
def crm(tmp_path, crm_clock):
    with crmkit.init(tmp_path / "shop", plugins=("telecom",), clock=crm_clock) as crm:
        yield crm


def add(crm, ref: str) -> int:
    points = [ContactPoint("phone", "+49301")]
    made = crm.store.customers.add(refs=[CustomerRef("crm", ref)], contact_points=points)
    crm.run("consent give", customer=ref)
    return made.id


def test_a_rule_gives_its_words_to_the_row(crm) -> None:
    ann = add(crm, "ANN")
    add(crm, "BOB")
    fired = {
        "kind": "rule",
        "subject_id": ann,
        "as_of": NOON,
        "run": "r",
        "reasons": '["too dear"]',
    }
    crm.store.outcomes.replace(RULE.name, [fired])
    (made,) = crm.run("list make", name="calls", rule=RULE.name).rows
    assert (made["made_from"], made["candidates"], made["treated"]) == (f"rule:{RULE.name}", 1, 1)
    (row,) = crm.run("list show", name="calls").rows
    assert (row["customer_id"], row["why"], row["state"]) == (ann, "too dear", "todo")


def test_a_rule_that_proposes_something_else_makes_no_list(crm) -> None:
    tagging = next(rule for rule in RULES if rule.action == "tag")
    with pytest.raises(UsageError, match="proposes tag and not a list"):
        crm.run("list make", name="calls", rule=tagging.name)
    with pytest.raises(UsageError, match="has fired on nobody"):
        crm.run("list make", name="calls", rule=RULE.name)


def test_a_segment_gives_its_members(crm, crm_clock) -> None:
    """Whose line has no contract to hold it is free to leave."""
    ann = add(crm, "ANN")
    add(crm, "BOB")
    crm.store.records.set(
        "telecom.subscription", source="crm", ref="L1", owner_id=ann,
        values={"activated_on": "2025-01-01", "contract_type": "month_to_month"},
    )  # fmt: skip
    crm_clock.advance(days=1)
    (made,) = crm.run("list make", name="free", segment="telecom.free-to-leave").rows
    assert (made["made_from"], made["treated"]) == ("segment:telecom.free-to-leave", 1)
    (row,) = crm.run("list show", name="free").rows
    assert (row["customer_id"], row["drawn_from"]) == (ann, "segment:telecom.free-to-leave")
    assert row["why"] == crm.segments.get("telecom.free-to-leave").title
