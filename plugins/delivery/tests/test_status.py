"""The status machine: its tables, its fold, and its independence of the order of arrival."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.errors import MoveRefused
from crmkit_delivery.lifecycle import shipment
from crmkit_delivery.status import check_ordered, fold, machine
from crmkit_delivery.tables import CAME_FROM, mappings, reasons, statuses, transitions

NAMES = [s.name for s in statuses()]
WORDS = ("moves", "repeats", "skipped", "backward", "after_end")


def folded(*scans: str) -> tuple[str, list[str]]:
    """The status after some scans of one shipment, and what is said of each scan."""
    codes = np.array([machine().codes[s] for s in scans], dtype=np.int8)
    found = fold(np.zeros(len(scans), dtype=np.int64), codes)
    return NAMES[found.status[0]], [WORDS[v] for v in found.verdict]


def plain(scans: list[str]) -> tuple[str, list[str]]:
    """The same, one scan after the other, as the brief says it in words."""
    rank = {s.name: s.progress for s in statuses()}
    ends = {s.name for s in statuses() if s.ends}
    now, origin, said = "ordered", None, []
    for scan in scans:
        allowed = transitions()[now]
        if scan == now:
            said.append("repeats")
            continue
        if scan in allowed or (CAME_FROM in allowed and scan == origin):
            said.append("moves")
        elif now in ends:
            said.append("after_end")
            continue
        elif rank[scan] > rank[now]:
            said.append("skipped")
        else:
            said.append("backward")
            continue
        origin = now if scan == "held" else origin
        now = scan
    return now, said


@pytest.mark.parametrize(
    ("scans", "status", "said"),
    [
        # The usual way between cities.
        (("picked_up", "at_hub", "in_transit", "at_hub", "out_for_delivery", "delivered"),
         "delivered", ["moves"] * 6),
        # A scan that is missing: the shipment moves on, and the step is flagged.
        (("picked_up", "delivered"), "delivered", ["moves", "skipped"]),
        # A hub scan after the delivery moves nothing back.
        (("picked_up", "out_for_delivery", "delivered", "at_hub"), "delivered",
         ["moves", "moves", "moves", "after_end"]),
        # Out for delivery is not followed by customs.
        (("picked_up", "out_for_delivery", "customs"), "out_for_delivery",
         ["moves", "moves", "backward"]),
        # Held in transit: it may go back to transit, from where it came; not to customs.
        (("picked_up", "in_transit", "held", "in_transit"), "in_transit", ["moves"] * 4),
        (("picked_up", "in_transit", "held", "customs"), "held",
         ["moves", "moves", "moves", "backward"]),
        # Signed and not received, then found.
        (("picked_up", "out_for_delivery", "delivered", "disputed", "delivered"), "delivered",
         ["moves"] * 5),
        # An expired order reopens on a scan; a cancelled one does not.
        (("expired", "picked_up"), "picked_up", ["moves", "moves"]),
        (("cancelled", "picked_up"), "cancelled", ["moves", "after_end"]),
    ],
)  # fmt: skip
def test_a_shipment_by_hand(scans, status, said) -> None:
    assert folded(*scans) == (status, said)


@given(st.lists(st.lists(st.sampled_from(NAMES), max_size=12), min_size=1, max_size=8))
def test_the_fold_over_many_is_that_of_each(shipments) -> None:
    shipments = [one or ["ordered"] for one in shipments]
    position = np.repeat(np.arange(len(shipments)), [len(one) for one in shipments])
    codes = np.array([machine().codes[s] for one in shipments for s in one], dtype=np.int8)
    found = fold(position, codes)
    at = 0
    for number, one in enumerate(shipments):
        status, said = plain(one)
        assert NAMES[found.status[number]] == status
        assert [WORDS[v] for v in found.verdict[at : at + len(one)]] == said
        at += len(one)


def test_the_table_is_that_of_the_brief() -> None:
    """Section 2, the rows that are easiest to get wrong."""
    assert set(transitions()["out_for_delivery"]) == {
        "delivered", "attempt_failed", "ready_for_collection", "at_hub", "held", "lost",
    }  # fmt: skip
    assert transitions()["delivered"] == ("disputed",)
    assert set(transitions()["lost"]) == {"at_hub", "delivered", "disposed"}
    assert {s.name for s in statuses() if s.ends} == {
        "delivered", "returned", "cancelled", "expired", "disposed",
    }  # fmt: skip
    assert not shipment().faults()


@pytest.mark.parametrize(
    ("system", "code", "status"),
    [
        ("karrio", "ready_for_pickup", "ready_for_collection"),
        ("aftership", "Delivered_003", "delivered"),
        ("easypost", "in_transit:arrived_at_facility", "at_hub"),
        ("upu", "EMI", "delivered"), ("upu", "EME", "customs"), ("upu", "EMH", "attempt_failed"),
        ("rec24", "21", "delivered"), ("rec24", "24", "in_transit"),
    ],
)  # fmt: skip
def test_codes_of_carriers_are_mapped(system, code, status) -> None:
    assert mappings()[system, code][0] == status


def test_every_code_leads_to_a_status_and_every_reason_to_a_party() -> None:
    assert {status for status, _ in mappings().values()} <= set(NAMES)
    parties = {"carrier", "shipper", "consignee", "customs", "weather", "other"}
    assert {r.responsible for r in reasons()} == parties
    # Of the shipper's faults only a wrong address excuses (the brief, section 2).
    assert [r.name for r in reasons() if r.responsible == "shipper" and r.excused] == [
        "retailer_address_error"
    ]


def test_a_transition_that_is_ordered_and_not_allowed_names_what_is() -> None:
    check_ordered("out_for_delivery", "delivered")
    check_ordered("held", "customs", came_from="customs")
    with pytest.raises(MoveRefused, match="delivered cannot become at_hub") as refused:
        check_ordered("delivered", "at_hub")
    assert "Allowed from delivered: disputed" in str(refused.value.hint)
    with pytest.raises(MoveRefused, match="no status 'gone'"):
        check_ordered("picked_up", "gone")
