"""Unclear prices: held by rule D-R5, told in words, and let go once explained (W2)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crmkit.entities import CustomerRef, Money
from crmkit.errors import UsageError
from crmkit.testing.clock import SettableClock
from crmkit_delivery.prices import is_unclear

LINE = "delivery.invoice_line"


@pytest.fixture
def bills(tmp_path: Path, fresh: Any) -> Any:
    """W1 is billed 13.50 against 12.00; W2 has a surcharge with a reason; W3 one without."""
    since = datetime(2026, 3, 28, tzinfo=UTC)
    with fresh(tmp_path / "w", clock=SettableClock(datetime(2026, 3, 31, 12, tzinfo=UTC))) as crm:
        one = crm.store.customers.add(kind="person", refs=[CustomerRef("delivery", "A1")])
        refs = ["W1", "W2", "W3"]
        crm.store.records.put("delivery.waybill", source="delivery", refs=refs, owners=[one.id] * 3,
                              effective=[since] * 3, values={"waybill_no": refs})  # fmt: skip
        ids = dict(crm.store.records.read("delivery.waybill", ("ref", "id")))
        crm.store.records.put(
            LINE, source="delivery", refs=["L1", "L2", "L3"], owners=[ids[r] for r in refs],
            effective=[since] * 3,
            values={
                "quoted": ["12.00"] * 3, "billed": ["13.50", "12.00", "12.00"],
                "surcharges": [None, "1.00", "1.00"], "surcharge_reason": [None, "fuel", None],
                "weight_basis": ["volumetric, 6.2 kg", None, None], "discount": ["0.50", None, None],
            },
        )  # fmt: skip
        yield crm, one.id


@pytest.mark.parametrize(
    ("quoted", "billed", "unclear"),
    [
        # One per cent of 100.00 is 1.00, above or below: that much is within the limit.
        ("100.00", "101.00", False),
        ("100.00", "101.01", True),
        ("100.00", "99.00", False),
        ("100.00", "98.99", True),
        # 0.01 x 5700 is 57 and 0.01 x 2900 is 29.000000000000004 in binary floating point.
        ("57.00", "57.57", False),
        ("29.00", "29.29", False),
        ("29.00", "29.30", True),
        ("0.00", "5.00", False),
    ],
)
def test_a_line_is_unclear_above_one_per_cent_and_not_at_it(quoted, billed, unclear) -> None:
    line = {
        "explained_at": None, "quoted": Money.parse(quoted, "EUR"),
        "billed": Money.parse(billed, "EUR"), "surcharges": None, "surcharge_reason": None,
    }  # fmt: skip
    assert is_unclear(line) is unclear


def fire(crm: Any, day: str) -> int:
    """Runs the rule and hands its firings to the plugins; how many were served."""
    as_of = crm.as_of(day)
    crm.rules.run(as_of, names=["delivery.price-unclear"])
    return sum(crm.firings.serve(as_of).served.values())


def held(crm: Any) -> dict[str, Any]:
    return dict(crm.store.records.read(LINE, ("ref", "held")))


def test_unclear_lines_are_held_until_they_are_explained(bills: Any) -> None:
    crm, customer = bills
    assert fire(crm, "2026-03-30") == 2
    assert held(crm) == {"L1": True, "L2": None, "L3": True}
    rows = crm.run("waybill explain", waybill="W1").rows
    assert [(r["line"], r["held"], r["unclear"]) for r in rows] == [("L1", False, False)]
    assert held(crm) == {"L1": False, "L2": None, "L3": True}
    (told,) = crm.store.interactions.list_for(customer)
    assert (told.kind, told.payload["topic"]) == ("delivery.service_recovery", "price")
    with pytest.raises(UsageError, match="W1 waits for an explanation"):
        crm.run("waybill explain", waybill="W1")


def test_a_price_is_told_in_words(bills: Any) -> None:
    crm, _ = bills
    (row,) = crm.run("waybill price", waybill="W1").rows
    assert row["words"] == (
        "13.50 EUR billed; 12.00 quoted; 1.50 more; weight: volumetric, 6.2 kg; zone: not stated; "
        "discount: 0.50"
    )
    assert row["unclear"]
    (row,) = crm.run("waybill price", waybill="W2").rows
    assert "surcharge: 1.00 for fuel" in row["words"]
    assert not row["unclear"]
    (row,) = crm.run("waybill price", waybill="W3").rows
    assert "surcharge: 1.00 for no reason" in row["words"]
