"""Claims: what they come to, until when they may be filed, and the second person (W4, D-R9)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

import crmkit
from crmkit.entities import CustomerRef, Money
from crmkit.errors import MoveRefused, NotPermitted, UsageError
from crmkit.testing.clock import SettableClock
from crmkit_delivery.claims import (
    CASE_KIND,
    LIFECYCLE,
    CompensationRule,
    claim_amount,
    time_bar,
)
from crmkit_delivery.posting import LEDGER

RULE = CompensationRule(
    tier="", kind="damage", cap_per_kg=Decimal(20), freight_multiple=Decimal(7), file_within_days=7
)


def eur(text: str) -> Money:
    return Money.parse(text, "EUR")


@pytest.mark.parametrize(
    ("proven", "declared", "insured", "share", "freight", "refund", "kg", "amount", "rule"),
    [
        # Insured: min(300, 200) x 0.5 = 100; no cap. And 9.00 of freight given back.
        ("300", None, "200", 0.5, "9", True, 2.0, "109.00", "insured value"),
        # Not insured: the loss of 30 lies below the cap of max(2 kg x 20, 7 x 9) = 63.
        ("30", "100", None, 1.0, "9", False, 2.0, "30.00", "proven loss"),
        # Not insured: min(300, 100) = 100 is capped at 63.
        ("300", "100", None, 1.0, "9", False, 2.0, "63.00", "cap of standard/damage"),
        # Five kilograms are worth more than seven times the freight: 100.
        ("300", None, None, 1.0, "9", False, 5.0, "100.00", "cap of standard/damage"),
        # A third of 100 is 33.333..., two thirds are 66.666...: rounded to the nearest cent.
        ("100", None, "500", 1 / 3, None, False, None, "33.33", "proven loss"),
        ("100", None, "500", 2 / 3, None, False, None, "66.67", "proven loss"),
        # Half of 0.05 is 2.5 cents and half of 0.45 is 22.5: half a cent goes up, to even or not.
        ("0.05", None, "500", 0.5, None, False, None, "0.03", "proven loss"),
        ("0.45", None, "500", 0.5, None, False, None, "0.23", "proven loss"),
    ],
)
def test_amount_by_hand(proven, declared, insured, share, freight, refund, kg, amount, rule):
    def money(text):
        return None if text is None else eur(text)

    owed = claim_amount(
        proven_loss=eur(proven), declared=money(declared), insured=money(insured),
        share_damaged=share, freight=money(freight), freight_refund=refund, weight_kg=kg, rule=RULE,
    )  # fmt: skip
    assert (str(owed.amount), owed.rule) == (amount, rule)


@pytest.mark.parametrize(
    ("currency", "cap"),
    [("JPY", "100"), ("EUR", "100.00"), ("KWD", "100.000")],
)
def test_the_cap_per_kg_has_the_decimals_of_its_currency(currency, cap) -> None:
    """Five kilograms at 20 whole units are 100 units, whatever the minor unit of the currency."""
    owed = claim_amount(
        proven_loss=Money.parse("9000", currency), declared=None, insured=None, share_damaged=1.0,
        freight=None, freight_refund=False, weight_kg=5.0, rule=RULE,
    )  # fmt: skip
    assert owed.amount == Money.parse(cap, currency)


def test_a_cap_in_another_currency_is_refused() -> None:
    with pytest.raises(UsageError, match="rule standard/damage is in JPY and the claim in EUR"):
        claim_amount(
            proven_loss=eur("9000"), declared=None, insured=None, share_damaged=1.0, freight=None,
            freight_refund=False, weight_kg=5.0, rule=evolve(RULE, currency="JPY"),
        )  # fmt: skip


def test_the_time_bar_counts_from_the_delivery_else_from_the_promise() -> None:
    assert time_bar(RULE, date(2026, 3, 8), date(2026, 3, 1), None) is None
    assert "by 2026-03-08" in (time_bar(RULE, date(2026, 3, 9), date(2026, 3, 1), None) or "")
    assert time_bar(RULE, date(2026, 3, 9), None, date(2026, 3, 2)) is None


def test_states_and_clocks_are_those_of_the_brief() -> None:
    """draft → submitted → acknowledged → investigating ⇄ info_needed → decided → paid → closed."""
    assert not LIFECYCLE.faults()
    assert ("info_needed", "investigating") in LIFECYCLE.moves
    assert ("rejected", "appealed") in LIFECYCLE.moves
    assert ("submitted", "withdrawn") in LIFECYCLE.moves
    assert {c.name: dict(c.targets) for c in CASE_KIND.clocks} == {
        "acknowledge": {"": "24 h"}, "decide": {"S2": "7 days", "S3": "30 days"},
        "pay": {"": "7 days"},
    }  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path, fresh: Any) -> Any:
    """A customer with a waybill worth 900.00, insured, that came on 30 March."""
    clock = SettableClock(datetime(2026, 3, 31, 12, tzinfo=UTC))
    with fresh(tmp_path / "w", clock=clock, actor="ann") as crm:
        one = crm.store.customers.add(
            kind="person", name="Ada Moss", refs=[CustomerRef("delivery", "A1")]
        )
        crm.store.records.set(
            "delivery.waybill", source="delivery", ref="W1", owner_id=one.id,
            effective=datetime(2026, 3, 28, tzinfo=UTC),
            values={"waybill_no": "W1", "insured_value": "900.00", "price_quoted": "12.00",
                    "weight_charged": 3.0, "promise_on": date(2026, 3, 30)},
        )  # fmt: skip
        yield crm, clock, one.id


def test_complaint_claim_and_settlement_are_one_thread(shop: Any) -> None:
    crm, clock, customer = shop
    crm.run("claim file", waybill="W1", kind="damage", loss="80.00", evidence=("photos",))
    with pytest.raises(UsageError, match="lacks proof_of_value, packaging_kept"):
        crm.run("claim decide", claim="W1-1")
    crm.run("claim add", claim="W1-1", evidence=("proof_of_value", "packaging_kept"))
    clock.advance(hours=1)
    # 80.00 x 0.5 = 40.00, and the freight of 12.00.
    (row,) = crm.run("claim decide", claim="W1-1", share=0.5, refund=True).rows
    assert (row["state"], str(row["approved"]), row["liability_party"]) == (
        "partly_approved", "52.00", "carrier",
    )  # fmt: skip
    accounts = crm.service("ledger.accounts")
    assert accounts.balances(LEDGER, [customer]) == {customer: 5200}
    clock.advance(days=1)
    (row,) = crm.run("claim pay", claim="W1-1").rows
    assert (row["state"], str(row["paid"])) == ("paid", "52.00")
    assert accounts.balances(LEDGER, [customer]) == {customer: 0}
    crm.run("claim close", claim="W1-1")
    waybill = crm.store.records.find("delivery.waybill", "W1").id
    thread = [
        (i.kind, i.payload.get("decision"))
        for i in crm.store.interactions.list_for(customer)
        if i.subject_id == waybill
    ]
    assert sorted(thread, key=str) == sorted(
        [("delivery.claim_filed", None), ("delivery.claim_decision", "approved"),
         ("delivery.claim_decision", "paid"), ("delivery.claim_decision", "closed")],
        key=str,
    )  # fmt: skip
    (case,) = crm.service("service.cases").read([row["case"]])
    assert (case.values["state"], case.values["is_open"]) == ("closed", False)


def test_a_claim_goes_on_with_the_case_that_the_rule_opened(shop: Any) -> None:
    """D-R3 opened a case of damage that nobody claimed; the claim takes it over with its clocks."""
    crm, _, _ = shop
    waybill = crm.store.records.find("delivery.waybill", "W1")
    came = datetime(2026, 3, 29, 10, tzinfo=UTC)
    crm.store.records.set(
        "delivery.scan", source="delivery", ref="s1", owner_id=waybill.id, effective=came,
        values={"event_at": came, "status": "delivered", "condition": "wet"},
    )  # fmt: skip
    as_of = crm.as_of("2026-03-30")
    crm.rules.run(as_of, names=["delivery.open-claim"])
    assert sum(crm.firings.serve(as_of).served.values()) == 1
    (row,) = crm.run("claim file", waybill="W1", kind="damage", loss="80.00").rows
    cases = crm.store.records.read("service.case", ("ref", "state", "headline"))
    assert cases == [(f"{waybill.id}@2026-03-31T00:00:00Z", "submitted", "damage of W1")]
    crm.run("claim add", claim="W1-1", evidence=("proof_of_value", "photos", "packaging_kept"))
    (row,) = crm.run("claim decide", claim="W1-1", share=0.5).rows
    assert (row["state"], str(row["approved"])) == ("partly_approved", "40.00")
    # A claim for something else opens a case of its own.
    crm.run("claim file", waybill="W1", kind="delay", loss="5.00")
    assert len(crm.store.records.read("service.case", ("ref",))) == 2


def test_above_the_limit_a_second_person_approves(shop: Any) -> None:
    """The limit is 500.00: 800.00 wait for somebody who is not ann."""
    crm, _, _ = shop
    crm.run("claim file", waybill="W1", kind="loss", loss="800.00", evidence=("proof_of_value",))
    (row,) = crm.run("claim decide", claim="W1-1").rows
    assert (row["state"], row["proposed_by"]) == ("investigating", "ann")
    with pytest.raises(NotPermitted, match="a second person decides what ann proposed"):
        crm.run("claim approve", claim="W1-1")
    with crmkit.open(crm.settings.folder, actor="ben", clock=crm.clock) as other:
        (row,) = other.run("claim approve", claim="W1-1").rows
    assert (row["state"], row["decided_by"]) == ("approved", "ben")


def test_what_the_states_forbid_is_refused_and_nothing_is_written(shop: Any) -> None:
    crm, _, customer = shop
    crm.run("claim file", waybill="W1", kind="loss", loss="80.00")
    with pytest.raises(MoveRefused, match="submitted cannot move to paid"):
        crm.run("claim pay", claim="W1-1")
    assert crm.store.records.find("delivery.claim", "W1-1").values["state"] == "submitted"
    assert crm.service("ledger.accounts").balances(LEDGER, [customer]) == {customer: 0}
    crm.run("claim decide", claim="W1-1", reject="the value was not proven")
    crm.run("claim appeal", claim="W1-1")
    assert crm.store.records.find("delivery.claim", "W1-1").values["state"] == "appealed"


def test_a_second_claim_of_the_same_damage_is_refused(shop: Any) -> None:
    crm, _, _ = shop
    crm.run("claim file", waybill="W1", kind="loss", loss="80.00")
    with pytest.raises(UsageError, match="W1 has the claim W1-1 of loss already"):
        crm.run("claim file", waybill="W1", kind="loss", loss="80.00")


def test_a_claim_after_the_time_bar_is_refused_unless_accepted(shop: Any) -> None:
    crm, clock, _ = shop
    clock.advance(days=10)  # the promise of 30 March, and 7 days
    with pytest.raises(UsageError, match="filed within 7 days: by 2026-04-06"):
        crm.run("claim file", waybill="W1", kind="damage", loss="80.00")
    crm.run("claim file", waybill="W1", kind="damage", loss="80.00", accept_late=True)


@pytest.mark.parametrize(
    ("settled", "insured", "amount", "rule"),
    [
        # Insured for 200: a loss of 300 after 150.00 leaves 50.00; after 200.00 nothing.
        ("150", "200", "50.00", "rest that other claims left"),
        ("200", "200", "0.00", "rest that other claims left"),
        # Not insured: of the cap of max(2 kg x 20, 7 x 9) = 63 there are 23.00 left after 40.00.
        ("40", None, "23.00", "rest that other claims left"),
        # Half of 300 is more than the 100 that are left of 250.
        ("150", "250", "100.00", "rest that other claims left"),
    ],
)
def test_claims_on_the_same_goods_share_their_value(settled, insured, amount, rule) -> None:
    owed = claim_amount(
        proven_loss=eur("300"), declared=None, insured=insured and eur(insured), share_damaged=1.0,
        freight=eur("9"), freight_refund=False, weight_kg=2.0, rule=RULE,
        settled=eur(settled),
    )  # fmt: skip
    assert (str(owed.amount), owed.rule) == (amount, rule)


def scanned(crm: Any, status: str, at: datetime) -> None:
    """A scan of W1, as of a file."""
    waybill = crm.store.records.find("delivery.waybill", "W1")
    crm.store.records.set(
        "delivery.scan", source="delivery", ref=f"{status}-{at}", owner_id=waybill.id, effective=at,
        values={"event_at": at, "status": status},
    )  # fmt: skip


def test_a_loss_is_not_settled_while_the_parcel_goes_out_again(shop: Any) -> None:
    """Claimed at noon of the 31st as lost; at 14:00 it is seen, at 16:00 declared lost again."""
    crm, clock, customer = shop
    scanned(crm, "picked_up", datetime(2026, 3, 28, 9, tzinfo=UTC))
    crm.run("claim file", waybill="W1", kind="loss", loss="80.00", evidence=("proof_of_value",))
    clock.set(datetime(2026, 3, 31, 14, tzinfo=UTC))
    scanned(crm, "out_for_delivery", clock())
    with pytest.raises(
        UsageError, match="W1 is out_for_delivery since it was scanned at 2026-03-31"
    ):
        crm.run("claim decide", claim="W1-1")
    clock.set(datetime(2026, 3, 31, 16, tzinfo=UTC))
    scanned(crm, "lost", clock())
    (row,) = crm.run("claim decide", claim="W1-1").rows
    assert (row["state"], str(row["approved"])) == ("approved", "80.00")
    # Found before it was paid: nothing is paid, and the claim stands as it was.
    clock.set(datetime(2026, 3, 31, 18, tzinfo=UTC))
    scanned(crm, "delivered", clock())
    with pytest.raises(UsageError, match="W1 is delivered") as refused:
        crm.run("claim pay", claim="W1-1")
    assert "waybill scan W1 disputed" in str(refused.value.hint)
    assert crm.store.records.find("delivery.claim", "W1-1").values["state"] == "approved"
    assert crm.service("ledger.accounts").balances(LEDGER, [customer]) == {customer: 8000}


@pytest.mark.parametrize(("first", "second"), [("loss", "damage"), ("part_loss", "loss")])
def test_a_waybill_is_not_lost_and_damaged_at_once(shop: Any, first: str, second: str) -> None:
    crm, _, _ = shop
    crm.run("claim file", waybill="W1", kind=first, loss="80.00")
    with pytest.raises(
        UsageError, match=f"has the claim W1-1 of {first}: a shipment cannot be lost"
    ):
        crm.run("claim file", waybill="W1", kind=second, loss="80.00")
    crm.run("claim withdraw", claim="W1-1")
    crm.run("claim file", waybill="W1", kind=second, loss="80.00")


def test_what_was_paid_for_damage_is_not_paid_again_for_the_loss(shop: Any) -> None:
    """Insured for 900.00: 450.00 were paid for damage, so of a loss of 900.00 450.00 are left."""
    crm, _, _ = shop
    everything = ("proof_of_value", "photos", "packaging_kept")
    crm.run("claim file", waybill="W1", kind="damage", loss="450.00", evidence=everything)
    crm.run("claim decide", claim="W1-1")
    crm.run("claim pay", claim="W1-1")
    for number, left in ((2, "450.00"), (3, None)):
        crm.run("claim file", waybill="W1", kind="loss", loss="900.00", evidence=everything)
        if left is None:
            with pytest.raises(UsageError, match=f"nothing is owed for claim W1-{number}"):
                crm.run("claim decide", claim=f"W1-{number}")
        else:
            (row,) = crm.run("claim decide", claim=f"W1-{number}").rows
            assert str(row["approved"]) == left
            crm.run("claim pay", claim=f"W1-{number}")


def test_a_claim_that_was_partly_approved_is_raised_on_appeal(shop: Any) -> None:
    """A quarter of 80.00 are 20.00; on appeal a half, 40.00: 20.00 more are posted, and 40.00 paid.

    The second appeal finds an eighth: 10.00, so 30.00 are taken off again before anything is paid.
    """
    crm, _, customer = shop
    accounts = crm.service("ledger.accounts")
    everything = ("proof_of_value", "photos", "packaging_kept")
    crm.run("claim file", waybill="W1", kind="damage", loss="80.00", evidence=everything)
    balances = []
    for share in (0.25, 0.5, 0.125, 0.125):
        (row,) = crm.run("claim decide", claim="W1-1", share=share).rows
        balances.append((str(row["approved"]), accounts.balances(LEDGER, [customer])[customer]))
        crm.run("claim appeal", claim="W1-1")
    assert balances == [("20.00", 2000), ("40.00", 4000), ("10.00", 1000), ("10.00", 1000)]
    crm.run("claim decide", claim="W1-1", share=0.75)
    (row,) = crm.run("claim pay", claim="W1-1").rows
    assert str(row["paid"]) == "60.00"
    assert accounts.balances(LEDGER, [customer]) == {customer: 0}
    assert accounts.unbalanced(LEDGER) == []


@pytest.mark.parametrize("verb", ["reject", "withdraw"])
def test_an_approval_that_falls_on_appeal_is_taken_off(shop: Any, verb: str) -> None:
    crm, _, customer = shop
    everything = ("proof_of_value", "photos", "packaging_kept")
    crm.run("claim file", waybill="W1", kind="damage", loss="80.00", evidence=everything)
    crm.run("claim decide", claim="W1-1", share=0.5)
    crm.run("claim appeal", claim="W1-1")
    if verb == "reject":
        (row,) = crm.run("claim decide", claim="W1-1", reject="no damage was found").rows
        assert (row["state"], row["approved"]) == ("rejected", None)
    else:
        crm.run("claim ask", claim="W1-1")
        crm.run("claim withdraw", claim="W1-1")
    assert crm.service("ledger.accounts").balances(LEDGER, [customer]) == {customer: 0}
