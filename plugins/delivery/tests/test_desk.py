"""What a caller is told, postal numbers, segments, and what service costs (S6, V2, V4, W1, W5)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from crmkit.entities import CustomerRef
from crmkit.testing.clock import SettableClock
from crmkit_delivery.costs import COST_DRIVERS
from crmkit_delivery.data import KINDS
from crmkit_delivery.postal import s10_check_digit, wrong_check_digit
from crmkit_delivery.segments import SEGMENTS

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("serial", "digit"),
    [
        # The standard's example: 32+42+12+2+6+20+72+14 = 200, and 11 - 200 mod 11 = 9.
        ("47312482", 9),
        # 11 - 0 mod 11 = 11 becomes 5; 8 + 2 = 10, 11 - 10 = 1; 2 x 6 = 12, 11 - 1 = 10 becomes 0.
        ("00000000", 5), ("10010000", 1), ("02000000", 0),
    ],
)  # fmt: skip
def test_check_digits_of_the_postal_union(serial, digit) -> None:
    assert s10_check_digit(serial) == digit


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("RR473124829GB", None), ("rr 473 124 829 gb", None),
        ("RR473124828GB", 9), ("EE473124820CN", 9),
        # Numbers of couriers: of another shape, or of a service that is not assigned between countries.
        ("W0001779", None), ("473124820", None), ("ZZ473124820GB", None), ("RR47312482GB", None),
    ],
)  # fmt: skip
def test_numbers_that_are_postal_and_were_misread(number, expected) -> None:
    assert wrong_check_digit(number) == expected


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory, fresh: Any) -> Any:
    """A shipper with five waybills, of which one is late and one has ended."""
    folder = tmp_path_factory.mktemp("desk") / "w"
    with fresh(folder, clock=SettableClock(NOW)) as opened:
        records = opened.store.records
        ada = opened.store.customers.add(
            kind="person", name="Ada Berg", refs=[CustomerRef("delivery", "A")]
        )
        refs = [f"W{i}" for i in range(5)]
        day = [datetime(2026, 3, 20 + i, 8, tzinfo=UTC) for i in range(5)]
        due = [datetime(2026, 3, 30 if i == 2 else 31, 18, tzinfo=UTC) for i in range(5)]
        records.put(
            "delivery.waybill", source="delivery", refs=refs, owners=[ada.id] * 5, effective=day,
            values={"waybill_no": refs, "ordered_at": day, "promise_at": due, "late_after_at": due},
        )  # fmt: skip
        ids = dict(records.read("delivery.waybill", ("ref", "id")))
        records.put(
            "delivery.tracking", source="delivery", refs=["W1", "W3"], owners=[ids["W1"], ids["W3"]],
            values={"status": ["delivered", "at_hub"], "status_since": [day[1], day[3]]},
        )  # fmt: skip
        records.put(
            "delivery.claim", source="delivery", refs=["W1-1", "W1-2"], owners=[ids["W1"]] * 2,
            values={"kind": ["damage", "delay"], "state": ["investigating", "paid"],
                    "claimed": ["40.00", "5.00"]},
        )  # fmt: skip
        records.put(
            "delivery.subscription", source="delivery", refs=["S1", "S2"], owners=[ada.id] * 2,
            values={"round": ["R1", "R1"], "product": ["milk", "papers"], "courier": ["C1", "C1"],
                    "ended_on": [None, date(2026, 1, 1)]},
        )  # fmt: skip
        records.put(
            "delivery.shipper_account", source="delivery", refs=["A"], owners=[ada.id],
            values={"price_tier": ["B"], "receivable": ["120.00"], "credit_limit": ["5000.00"]},
        )  # fmt: skip
        yield opened


def test_the_desk_tells_where_shipments_are_and_what_is_owed(crm: Any) -> None:
    shown: dict[str, list[str]] = {}
    for row in crm.run("desk", who="Ada Berg").rows:
        shown.setdefault(row["panel"], []).append(row["text"])
    # W1 was delivered; W2 is late and stands first, of the others the latest.
    assert [text.split(";")[0] for text in shown["delivery.shipments"]] == [
        "Waybill: W2", "Waybill: W4", "Waybill: W3", "Waybill: W0",
    ]  # fmt: skip
    assert "Late: True" in shown["delivery.shipments"][0]
    assert "Status: at_hub" in shown["delivery.shipments"][2]
    (claim,) = shown["delivery.claims"]
    assert "W1-1" in claim and "investigating" in claim and "40.00" in claim
    (subscribed,) = shown["delivery.subscriptions"]
    assert "milk" in subscribed
    assert "120.00" in shown["delivery.account"][0]


def test_a_misread_postal_number_is_rejected_with_the_right_digit(crm: Any, tmp_path: Path) -> None:
    columns = (
        "waybill,customer,shipper_code,product,scope,origin_zone,dest_zone,lane,origin_depot,depot,"
        "region,courier,route,pieces,weight_actual,weight_charged,declared_value,goods_kind,"
        "ordered_at,pickup_to,on_time_basis,price_quoted,address_lat,address_lon\n"
    )
    file = tmp_path / "waybills.csv"
    file.write_text(
        columns
        + "".join(
            f"{number},A,A,economy,international,N,S,N-S,D1,D2,S,C1,1,1,1.0,1.0,10.00,parcel,"
            "2026-03-30T08:00:00Z,2026-03-30T12:00:00Z,delivery,12.00,,\n"
            for number in ("RR473124829GB", "RR473124828GB", "W77")
        )
    )
    result = crm.import_file(file, profile="delivery-waybills")
    assert (result.created, result.rejected) == (2, 1)
    (reject,) = crm.store.imports.rejects(result.import_id)
    assert (reject.line, reject.code, reject.field) == (3, "E_NUMBER", "waybill_no")
    assert "check digit 9" in reject.allowed


def shippers(world: Any, name: str, counts: dict[int, tuple[int, int]]) -> list[int]:
    """Who is in a segment, of shippers with so many waybills in four weeks and the twelve before."""
    where = next(s.where for s in SEGMENTS if s.name == f"delivery.{name}")
    values = {
        "delivery_volume_4w": lambda now, before: now,
        "delivery_volume_expected_4w": lambda now, before: before / 3,
        "delivery_volume_limit_4w": lambda now, before: before / 3 - 3 * (before / 3) ** 0.5,
    }
    return [
        who for who, (now, before) in counts.items()
        if world.query(
            f"SELECT {where} AS held FROM (SELECT "
            + ", ".join(f"{of(now, before)} AS {column}" for column, of in values.items()) + ")"
        )[0]["held"]
    ]  # fmt: skip


def test_segments_of_shippers(world) -> None:
    """1 ships much, 2 fell from 100 to 59 where 70 is the limit, 3 fell silent, 4 is regular."""
    counts = {1: (120, 300), 2: (59, 300), 3: (0, 12), 4: (24, 72), 5: (0, 0)}
    assert shippers(world, "large-shippers", counts) == [1]
    assert shippers(world, "regular-shippers", counts) == [2, 4]
    assert shippers(world, "dropping-shippers", counts) == [2]
    assert shippers(world, "silent-shippers", counts) == [3]


def test_every_cost_stands_on_a_kind_of_delivery_and_none_counts_twice() -> None:
    known = {f"delivery.{kind[0]}" for kind in KINDS}
    assert {driver.kind for driver in COST_DRIVERS} <= known
    stands = [(driver.kind, driver.channel) for driver in COST_DRIVERS]
    assert len(set(stands)) == len(stands)


def test_contribution_is_what_was_invoiced_less_what_was_done(crm: Any, tmp_path: Path) -> None:
    """12.00 invoiced and 46.80 of milk billed; 7.00 for carrying, 2.50 and 0.02 for two questions.

    The line was billed at 15.00 first: the correction counts alone. 58.80 less 9.52 are 49.28.
    """
    head = "line,waybill,as_of,quoted,billed,surcharges,discount,surcharge_reason,weight_basis,"
    lines = tmp_path / "lines.csv"
    lines.write_text(
        f"{head}zone_basis,billed_on,held,explained_at\n"
        "L1,W1,2026-03-25T10:00:00Z,12.00,15.00,,,,,,2026-03-25,,\n"
    )
    assert crm.import_file(lines, profile="delivery-invoices").rejected == 0
    lines.write_text(lines.read_text().replace("15.00", "12.00").replace("25T10", "25T11"))
    assert crm.import_file(lines, profile="delivery-invoices").rejected == 0
    bills = tmp_path / "bills.csv"
    bills.write_text(
        "bill,subscription,billed_on,period_from,period_to,amount,collection\n"
        "S1-3,S1,2026-03-30,2026-03-01,2026-03-30,46.80,monthly\n"
    )
    assert crm.import_file(bills, profile="delivery-bills").rejected == 0
    scans = tmp_path / "scans.csv"
    scans.write_text(
        "scan,waybill,system,code,event_at\nx1,W1,crmkit,delivered,2026-03-21T10:00:00Z\n"
    )
    assert crm.import_file(scans, profile="delivery-scans").rejected == 0
    events = tmp_path / "events.csv"
    events.write_text(
        "event,kind,waybill,occurred_at,channel,direction,topic,text\n"
        "q1,track_query,W1,2026-03-22T10:00:00Z,phone,in,,\n"
        "q2,track_query,W1,2026-03-22T11:00:00Z,web,in,,\n"
    )
    assert crm.import_file(events, profile="delivery-events").rejected == 0
    (row,) = [
        row for row in crm.reports.run("value.contribution", {}, crm.as_of("2026-03-31")).table.to_pylist()
        if row["revenue_minor"]
    ]  # fmt: skip
    assert (row["revenue_minor"], row["cost_minor"], row["contribution_minor"]) == (
        5880, 952, 4928,
    )  # fmt: skip
