"""Nobody is sold anything for 14 days after the rule about poor network has fired on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import crmkit
from crmkit.declarations import Firing
from crmkit.entities import ContactRequest, CustomerRef
from crmkit_telecom.blocks import NO_SALES, NO_SALES_DAYS
from crmkit_telecom.rules import RULES

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
(RULE,) = (rule for rule in RULES if rule.target == NO_SALES)


def test_marketing_waits_until_the_trouble_is_past_and_service_does_not(
    tmp_path, crm_clock
) -> None:
    assert (RULE.action, RULE.cooldown_days) == ("tag", NO_SALES_DAYS)
    with crmkit.init(tmp_path / "shop", plugins=("telecom",), clock=crm_clock) as crm:
        ann = crm.store.customers.add(refs=[CustomerRef("crm", "ANN")]).id
        crm.run("consent give", customer="ANN", purpose="any")
        for days in (0, 20):
            crm_clock.set(NOON + timedelta(days=days))
            firing = Firing(
                rule=RULE.name, version="1", subject_type="customer", subject_id=ann,
                as_of=crm.clock(), action=RULE.action, target=RULE.target, message="m",
            )  # fmt: skip
            with crm.store.begin("rule serve") as tx:
                crm.host.call_alone(
                    "work", "serve_firings", firings=[firing], store=crm.store, tx=tx
                )
            # Tuesday and Monday noon; 14 days later at noon the block ends.
            free_at = crm.clock() + timedelta(days=14)
            asked = [
                ContactRequest(customer_id=ann, channel="email", purpose=purpose, at=at)
                for purpose, at in (
                    ("marketing", crm.clock()), ("service", crm.clock()), ("marketing", free_at)
                )
            ]  # fmt: skip
            decided = crm.service("contact.policy").ask(asked)
            assert [d.code for d in decided] == ["network_trouble", "allowed", "allowed"]
            assert decided[0].free_at == free_at


def test_without_daily_work_nobody_is_blocked(tmp_path, crm_clock) -> None:
    with crmkit.init(
        tmp_path / "shop", plugins=("telecom",), clock=crm_clock, without=("work",)
    ) as crm:
        ann = crm.store.customers.add(refs=[CustomerRef("crm", "ANN")]).id
        request = ContactRequest(customer_id=ann, channel="email", purpose="service", at=NOON)
        (decision,) = crm.service("contact.policy").ask([request])
        assert decision.allowed
