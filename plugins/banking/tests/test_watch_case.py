"""From an unusual withdrawal to a case that is called back and explained, in a real workspace."""

from __future__ import annotations

from datetime import timedelta

import pytest

import crmkit
from crmkit.entities import CustomerRef, Money, NewInteraction


@pytest.mark.slow
def test_an_unusual_withdrawal_opens_a_case_to_be_called_back_within_the_hour(
    tmp_path, crm_clock
) -> None:
    """Five withdrawals of 100.00 and one of 900.00: above 500.00, five times the median."""
    with crmkit.init(tmp_path / "bank", plugins=("banking",), clock=crm_clock) as crm:
        ann = crm.store.customers.add(refs=[CustomerRef("core", "ANN")]).id
        crm_clock.advance(days=70)
        now = crm_clock()
        drawn = [(days, 100) for days in (60, 50, 40, 30, 20)] + [(0, 900)]
        with crm.store.begin("test") as tx:
            crm.store.interactions.log(
                [
                    NewInteraction(
                        kind="banking.transaction", customer_id=ann, ref=f"T{days}", channel="counter",
                        occurred_at=now - timedelta(days=days, minutes=1),
                        amount=Money.parse(f"-{amount}", "USD"),
                        payload={"type": "cash_out", "via": "counter"},
                    )
                    for days, amount in drawn
                ],
                tx=tx,
            )  # fmt: skip
        as_of = crm.as_of()
        fired = crm.rules.run(as_of)
        crm.firings.serve(as_of)
        assert "banking.watch-withdrawal" in fired.firings.column("rule").to_pylist()
        (case,) = crm.run("case list", kind="banking.watch").rows
        assert (case["topic"], case["state"]) == ("withdrawal", "new")
        key = case["case"]
        for state in ("called", "false_alarm"):
            crm.run("case move", case=key, state=state)
            assert crm.run("case list", kind="banking.watch").rows[0]["state"] == state
        crm_clock.advance(minutes=1)
        row = crm.reports.run("banking.watch-list", {}, crm.as_of()).table.to_pylist()[0]
        assert (row["flag"], row["amount_minor"], row["resolution"]) == (
            "withdrawal",
            -90_000,
            "false_alarm",
        )
