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


@pytest.mark.slow
def test_who_is_about_to_close_is_to_be_called_in_two_days(tmp_path, crm_clock) -> None:
    """10,000.00 for 130 days, of which 9,000.00 go to the own name elsewhere: 90 % down in 30 days."""
    with crmkit.init(tmp_path / "bank", plugins=("banking",), clock=crm_clock) as crm:
        ann = crm.store.customers.add(refs=[CustomerRef("core", "ANN")]).id
        now = crm_clock()
        account = crm.store.records.set(
            "banking.account", source="core", ref="A1", owner_id=ann,
            values={"type": "current", "status": "open", "opened_on": crm.as_of().on},
            effective=now - timedelta(days=200),
        )  # fmt: skip
        crm.store.interactions.log(
            [
                NewInteraction(
                    kind="banking.transaction", customer_id=ann, ref=f"T{days}", channel="web",
                    subject_id=account.id, occurred_at=now - timedelta(days=days, minutes=1),
                    amount=Money.parse(amount, "USD"),
                    payload={"type": type_, "via": "web", "own_name": own, "balance_after": after},
                )
                for days, type_, amount, own, after in (
                    (130, "transfer_in", "10000", False, "10000"),
                    (5, "transfer_out", "-9000", True, "1000"),
                )
            ]
        )  # fmt: skip
        crm_clock.advance(minutes=1)
        as_of = crm.as_of()
        crm.rules.run(as_of)
        crm.firings.serve(as_of)
        (case,) = crm.run("case list", kind="banking.departure").rows
        assert (case["topic"], case["state"]) == ("about_to_close", "new")
        assert crm.run("case list", kind="banking.watch").rows == []
        assert case["due_at"] - case["opened_at"] == timedelta(hours=48)
