"""The promise engine: cut-offs, calendars of both ends, grace and versions (D-R6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crmkit.entities import CustomerRef
from crmkit_delivery.promise import (
    Place,
    PromiseEngine,
    PromiseRule,
    Workdays,
    defaults,
    make_promises,
    promise,
)

BERLIN = Place(zone=ZoneInfo("Europe/Berlin"))
# Good Friday and Easter Monday of 2026.
HOLIDAYS = {date(2026, 4, 3): False, date(2026, 4, 6): False}
EASTER = Place(zone=ZoneInfo("Europe/Berlin"), workdays=Workdays(days=HOLIDAYS))
NEXT_DAY = PromiseRule(
    product="next_day", scope="", version=1, cut_off=time(17), working_days=1, due=time(18)
)
SAME_DAY = PromiseRule(
    product="same_day", scope="", version=1, cut_off=time(12), working_days=0, due=time(20)
)


@pytest.mark.parametrize(
    ("rule", "collected", "origin", "destination", "promised"),
    [
        # Thursday 16:30 in Berlin (summer time): Friday 18:00 is 16:00 UTC.
        (NEXT_DAY, "2026-04-09T14:30", BERLIN, BERLIN, "2026-04-10T16:00"),
        # Half an hour after the cut-off it counts as of Friday: Saturday is worked.
        (NEXT_DAY, "2026-04-09T15:30", BERLIN, BERLIN, "2026-04-11T16:00"),
        # Saturday after the cut-off: counts as of Monday, promised for Tuesday.
        (NEXT_DAY, "2026-04-11T15:30", BERLIN, BERLIN, "2026-04-14T16:00"),
        # Thursday before Easter: Friday and Monday are holidays there, Saturday is worked.
        (NEXT_DAY, "2026-04-02T10:00", BERLIN, EASTER, "2026-04-04T16:00"),
        # Collected on Good Friday where it is kept: counts as of Saturday, Tuesday is the next day.
        (NEXT_DAY, "2026-04-03T10:00", EASTER, EASTER, "2026-04-07T16:00"),
        # The promise is that of the destination: 18:00 in New York is 22:00 UTC.
        (NEXT_DAY, "2026-04-09T10:00", BERLIN, Place(zone=ZoneInfo("America/New_York")),
         "2026-04-10T22:00"),
        # Clocks go forward on 29 March: collected on Saturday before noon, due the same day.
        (SAME_DAY, "2026-03-28T10:00", BERLIN, BERLIN, "2026-03-28T19:00"),
        # After noon it is Monday, in summer time: 20:00 is 18:00 UTC.
        (SAME_DAY, "2026-03-28T12:00", BERLIN, BERLIN, "2026-03-30T18:00"),
    ],
)  # fmt: skip
def test_promises_by_hand(rule, collected, origin, destination, promised) -> None:
    at = datetime.fromisoformat(collected).replace(tzinfo=UTC)
    made = promise(rule, at, origin, destination)
    assert made.promise_at == datetime.fromisoformat(promised).replace(tzinfo=UTC)
    assert made.late_after_at == made.promise_at


def test_grace_moves_lateness_and_not_the_promise() -> None:
    at = datetime(2026, 4, 9, 10, tzinfo=UTC)
    rule = next(r for r in defaults() if r.product == "time_definite")
    made = promise(rule, at, BERLIN, BERLIN)
    assert (made.late_after_at - made.promise_at).total_seconds() == 900


def test_the_cut_off_of_the_depot_counts_before_that_of_the_rule() -> None:
    at = datetime(2026, 4, 9, 14, 30, tzinfo=UTC)  # 16:30 in Berlin
    made = promise(NEXT_DAY, at, BERLIN, BERLIN, cut_off=time(16))
    assert made.promise_on == date(2026, 4, 11)


def test_every_product_of_the_brief_has_a_default() -> None:
    assert {r.product for r in defaults()} == {
        "same_day", "next_morning", "next_day", "am_to_pm", "pm_to_next_day", "time_definite",
        "economy",
    }  # fmt: skip


def test_a_promise_keeps_the_version_of_its_rule(tmp_path: Path, fresh: Any) -> None:
    """A new version from 1 April promises 12:00; what was promised in March stays as it was."""
    with fresh(tmp_path / "w") as crm:
        one = crm.store.customers.add(kind="person", refs=[CustomerRef("d", "A")])
        rules = {"due": ["18:00", "12:00"], "ends": [date(2026, 3, 31), None]}
        crm.store.records.put(
            "delivery.promise_rule", source="d", refs=["v1", "v2"],
            values={"product": ["next_day"] * 2, "rule_version": [1, 2], "working_days": [1, 1],
                    "cut_off": ["17:00"] * 2, "due": rules["due"], "ends_on": rules["ends"],
                    "starts_on": [date(2026, 1, 1), date(2026, 4, 1)]},
        )  # fmt: skip

        def order(ref: str, at: datetime) -> None:
            crm.store.records.set(
                "delivery.waybill", source="d", ref=ref, owner_id=one.id, effective=at,
                values={"waybill_no": ref, "product": "next_day", "ordered_at": at},
            )  # fmt: skip

        order("W1", datetime(2026, 3, 30, 10, tzinfo=UTC))
        assert make_promises(crm) == (1, 0)
        order("W2", datetime(2026, 4, 1, 10, tzinfo=UTC))
        order("W3", datetime(2026, 4, 1, 10, tzinfo=UTC))
        crm.store.records.set("delivery.waybill", source="d", ref="W3", values={"product": None})
        # Ordered on Wednesday and collected on Thursday after the cut-off: counts as of Friday.
        order("W4", datetime(2026, 4, 1, 10, tzinfo=UTC))
        collected = datetime(2026, 4, 2, 18, tzinfo=UTC)
        crm.store.records.set(
            "delivery.scan", source="d", ref="s", effective=collected,
            owner_id=crm.store.records.find("delivery.waybill", "W4").id,
            values={"event_at": collected, "status": "picked_up"},
        )  # fmt: skip
        assert make_promises(crm) == (2, 1)
        kept = {
            ref: (rule, at) for ref, rule, at in crm.store.records.read(
                "delivery.waybill", ("ref", "promise_rule", "promise_at"))
        }  # fmt: skip
        assert kept["W1"] == ("next_day v1", datetime(2026, 3, 31, 18, tzinfo=UTC))
        assert kept["W2"] == ("next_day v2", datetime(2026, 4, 2, 12, tzinfo=UTC))
        assert kept["W3"] == (None, None)
        assert kept["W4"] == ("next_day v2", datetime(2026, 4, 4, 12, tzinfo=UTC))
        # As of the day of the order the promise is known, as it was made with it.
        waybill = crm.store.records.find("delivery.waybill", "W1")
        then = crm.store.records.at(
            "delivery.waybill", waybill.id, datetime(2026, 3, 30, 11, tzinfo=UTC)
        )
        assert then is not None
        assert then.values["promise_rule"] == "next_day v1"
        found = PromiseEngine(crm).promise("same_day", None, datetime(2026, 4, 1, 9, tzinfo=UTC))
        assert found is not None
        assert found.rule == "same_day v1 (default)"
