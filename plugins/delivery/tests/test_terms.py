"""Terms at their edges: what a claim comes to, days of a promise, days on which a round brings."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from crmkit.entities import Money
from crmkit.errors import UsageError
from crmkit_delivery.claims import (
    CompensationRule,
    claim_amount,
    evidence_missing,
    rule_for,
    time_bar,
)
from crmkit_delivery.promise import Place, PromiseEngine, PromiseRule, Workdays, promise
from crmkit_delivery.rounds import _due, _extended, is_brought, is_paused
from crmkit_delivery.status import fold

RULE = CompensationRule(
    tier="", kind="damage", cap_per_kg=Decimal(20), freight_multiple=Decimal(7), file_within_days=7
)
BERLIN = ZoneInfo("Europe/Berlin")


def eur(text: str | None) -> Money | None:
    return None if text is None else Money.parse(text, "EUR")


def owed(loss: str, **given: Any) -> Any:
    money = {
        name: eur(given.pop(name, None)) for name in ("declared", "insured", "freight", "settled")
    }
    terms = {"share_damaged": 1.0, "freight_refund": False, "weight_kg": None, "rule": RULE}
    return claim_amount(proven_loss=Money.parse(loss, "EUR"), **money, **{**terms, **given})


NO_WEIGHT = CompensationRule(
    tier="", kind="delay", cap_per_kg=None, freight_multiple=Decimal("0.5"), file_within_days=15
)


@pytest.mark.parametrize(
    ("loss", "given", "amount", "rule"),
    [
        # A loss of just the value is the loss; a cent more is the value.
        ("80", {"insured": "80"}, "80.00", "proven loss"),
        ("80.01", {"insured": "80"}, "80.00", "insured value"),
        ("80.01", {"declared": "80"}, "80.00", "declared value"),
        ("79.99", {"declared": "80"}, "79.99", "proven loss"),
        # The insured value goes before the declared one, and what is insured has no cap.
        ("300", {"declared": "100", "insured": "200", "weight_kg": 2.0}, "200.00", "insured value"),
        # 2 kg x 20 = 40: as much is the loss, a cent more is the cap.
        ("40", {"weight_kg": 2.0}, "40.00", "proven loss"),
        ("40.01", {"weight_kg": 2.0}, "40.00", "cap of standard/damage"),
        # 7 x 5.00 = 35 of freight is less than 40 by weight, 7 x 6.00 = 42 is more.
        ("90", {"weight_kg": 2.0, "freight": "5"}, "40.00", "cap of standard/damage"),
        ("90", {"weight_kg": 2.0, "freight": "6"}, "42.00", "cap of standard/damage"),
        ("90", {}, "90.00", "proven loss"),  # neither weight nor freight is known
        # Half of 0.05 and of 0.01 of freight: 2.5 and 0.5 cents go up.
        ("90", {"freight": "0.05", "rule": NO_WEIGHT}, "0.03", "cap of standard/delay"),
        ("90", {"freight": "0.01", "rule": NO_WEIGHT}, "0.01", "cap of standard/delay"),
        # 0.2255 kg x 20 = 4.51; 0.22525 x 20 = 4.505 goes up.
        ("90", {"weight_kg": 0.22525}, "4.51", "cap of standard/damage"),
        # Of 100 there are 60 left after 40: a loss of 60 is the loss, of 60.01 the rest.
        ("60", {"insured": "100", "settled": "40"}, "60.00", "proven loss"),
        ("60.01", {"insured": "100", "settled": "40"}, "60.00", "rest that other claims left"),
        ("60.01", {"insured": "100", "settled": "140"}, "0.00", "rest that other claims left"),
        # The smaller of value and cap is shared: of 40 there are 5 left after 35.
        (
            "60",
            {"declared": "100", "weight_kg": 2.0, "settled": "35"},
            "5.00",
            "rest that other claims left",
        ),
        ("60", {"settled": "999"}, "60.00", "proven loss"),  # without a value or a cap
        # The freight comes on top, where it is given back and known.
        ("60", {"insured": "50", "freight": "9", "freight_refund": True}, "59.00", "insured value"),
        ("60", {"insured": "50", "freight_refund": True}, "50.00", "insured value"),
        ("60", {"insured": "100", "share_damaged": 0.25}, "15.00", "proven loss"),
    ],
)
def test_what_is_owed_is_told_to_the_cent(loss, given, amount, rule) -> None:
    found = owed(loss, **given)
    assert (str(found.amount), found.rule) == (amount, rule)
    assert found.amount == found.loss + found.freight


@pytest.mark.parametrize("name", ["declared", "insured", "freight", "settled"])
def test_one_amount_in_another_currency_is_refused(name) -> None:
    given = {"declared": None, "insured": None, "freight": None, "settled": None}
    given[name] = Money.parse("5", "USD")
    given["declared" if name != "declared" else "insured"] = eur("5")
    with pytest.raises(UsageError, match="in one currency"):
        claim_amount(
            proven_loss=Money.parse("9", "EUR"),
            share_damaged=1.0,
            freight_refund=False,
            weight_kg=None,
            rule=RULE,
            **given,
        )


@pytest.mark.parametrize(
    ("filed", "delivered", "promised", "late"),
    [
        (8, 1, None, False),
        (9, 1, None, True),
        (9, None, 2, False),
        (10, None, 2, True),
        # The delivery goes before the promise, earlier or later.
        (9, 1, 5, True),
        (9, 5, 1, False),
        (31, None, None, False),
    ],
)
def test_a_claim_is_filed_within_seven_days_of_the_delivery(
    filed, delivered, promised, late
) -> None:
    days = [None if day is None else date(2026, 3, day) for day in (filed, delivered, promised)]
    assert (time_bar(RULE, *days) is not None) is late


@pytest.mark.parametrize(
    ("kind", "given", "missing"),
    [
        ("damage", None, ["proof_of_value", "photos", "packaging_kept"]),
        ("damage", ["photos"], ["proof_of_value", "packaging_kept"]),
        ("part_loss", [], ["proof_of_value", "photos", "packaging_kept"]),
        ("loss", [], ["proof_of_value"]),
        ("wrong_delivery", ["proof_of_value"], []),
        ("delay", [], []),
        ("overcharge", [], []),
        ("cod_not_remitted", [], []),
    ],
)
def test_evidence_is_asked_for_by_the_kind_of_claim(kind, given, missing) -> None:
    assert evidence_missing(kind, given) == missing


def test_the_most_special_rule_of_compensation_holds(tmp_path: Path, fresh: Any) -> None:
    """Shipped until the operator has a fitting rule; then tier before kind before currency."""
    with fresh(tmp_path / "w") as crm:
        # The table that is shipped: seven times the freight of damage, once of a delay.
        assert rule_for(crm, "gold", "damage", "EUR").freight_multiple == 7
        delay = rule_for(crm, "gold", "delay", "EUR")
        assert (delay.cap_per_kg, delay.freight_multiple, delay.file_within_days) == (None, 1, 15)
        with pytest.raises(UsageError, match="no compensation rule holds for a claim of noise"):
            rule_for(crm, "gold", "noise", "EUR")
        rows = [  # tier, kind, cap, multiple of the freight, days
            (None, None, None, 1.0, 1),
            (None, "damage", None, 2.0, 2),
            ("gold", None, None, 3.0, 3),
            ("gold", "damage", Money.parse("30", "USD"), None, 4),
            ("gold", "damage", Money.parse("20", "EUR"), 5.5, 5),
        ]
        names = ("tier", "kind", "cap_per_kg", "freight_multiple", "file_within_days")
        crm.store.records.put(
            "delivery.compensation_rule",
            source="d",
            refs=[f"r{row[4]}" for row in rows],
            values={name: [row[i] for row in rows] for i, name in enumerate(names)},
        )
        asked = [("silver", "delay"), ("silver", "damage"), ("gold", "delay"), ("gold", "damage")]
        found = [rule_for(crm, tier, kind, "EUR") for tier, kind in asked]
        assert [r.file_within_days for r in found] == [1, 2, 3, 5]
        assert [r.freight_multiple for r in found] == [1, 2, 3, Decimal("5.5")]
        assert (found[3].cap_per_kg, found[3].currency, found[3].name) == (20, "EUR", "gold/damage")
        assert rule_for(crm, "gold", "damage", "USD").file_within_days == 4


def test_days_that_are_worked() -> None:
    """3 April is Good Friday, a Friday; 4 April a Saturday, 6 April Easter Monday."""
    plain = Workdays()
    easter = Workdays(
        days={date(2026, 4, 3): False, date(2026, 4, 6): False, date(2026, 4, 5): True}
    )
    never = Workdays(week=frozenset())
    assert [plain.works(date(2026, 4, day)) for day in (3, 4, 5, 6)] == [True, True, False, True]
    assert [easter.works(date(2026, 4, day)) for day in (3, 4, 5, 6)] == [False, True, True, False]
    friday, sunday = date(2026, 4, 3), date(2026, 4, 5)
    assert (plain.on_or_after(friday), plain.on_or_after(sunday)) == (friday, date(2026, 4, 6))
    # None is the day itself, or the next that is worked; a day on is the next that is worked.
    assert [plain.add(sunday, n) for n in (0, 1, 2)] == [date(2026, 4, d) for d in (6, 6, 7)]
    assert [easter.add(friday, n) for n in (0, 1, 2, 3)] == [date(2026, 4, d) for d in (4, 4, 5, 7)]
    assert never.on_or_after(sunday) == sunday
    once = Workdays(week=frozenset(), days={sunday + timedelta(days=399): True})
    assert once.on_or_after(sunday) == sunday + timedelta(days=399)
    assert once.on_or_after(sunday - timedelta(days=1)) == sunday - timedelta(days=1)


def test_the_minute_of_the_cut_off_still_counts_as_of_the_day() -> None:
    rule = PromiseRule(
        product="p",
        scope="",
        version=3,
        cut_off=time(17),
        working_days=1,
        due=time(18),
        grace_seconds=600,
    )
    at = datetime(2026, 4, 8, 15, tzinfo=UTC)  # Wednesday 17:00 in Berlin
    place = Place(zone=BERLIN)
    made = promise(rule, at, place, place)
    assert made.promise_on == date(2026, 4, 9)
    assert made.late_after_at == datetime(2026, 4, 9, 16, 10, tzinfo=UTC)
    assert promise(rule, at + timedelta(seconds=1), place, place).promise_on == date(2026, 4, 10)


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        (("p", "city", date(2026, 4, 1)), True),
        (("p", "city", date(2026, 4, 30)), True),
        (("p", "city", date(2026, 3, 31)), False),
        (("p", "city", date(2026, 5, 1)), False),
        (("q", "city", date(2026, 4, 9)), False),
        (("p", "abroad", date(2026, 4, 9)), False),
        (("p", None, date(2026, 4, 9)), False),
    ],
)
def test_a_rule_holds_for_its_product_scope_and_days(asked, holds) -> None:
    rule = PromiseRule(
        product="p",
        scope="city",
        version=1,
        cut_off=None,
        working_days=1,
        due=time(18),
        starts_on=date(2026, 4, 1),
        ends_on=date(2026, 4, 30),
    )
    assert rule.holds(*asked) is holds


def test_rules_of_ones_own_zones_and_calendars_are_applied(tmp_path: Path, fresh: Any) -> None:
    """Own before shipped, with a scope before without, the newer version first; missing terms are the plainest."""
    with fresh(tmp_path / "w") as crm:
        put = crm.store.records.put
        put(
            "delivery.promise_rule",
            source="d",
            refs=["a", "b", "c", "d"],
            values={
                "product": ["next_day", "next_day", "next_day", "economy"],
                "scope": [None, None, "city", None],
                "rule_version": [1, 2, 1, 1],
                "cut_off": ["17:00", None, None, None],
                "working_days": [1, 1, 3, None],
                "due": ["12:00", "10:00", "11:00", None],
                "grace_seconds": [None, 60, None, None],
            },
        )
        put(
            "delivery.calendar",
            source="d",
            refs=["k"],
            values={"code": ["k"], "workdays": [["mon", "wed"]]},
        )
        put(
            "delivery.calendar_day",
            source="d",
            refs=["x"],
            values={"calendar": ["k"], "day": [date(2026, 4, 10)], "working": [True]},
        )
        put(
            "delivery.zone",
            source="d",
            refs=["z", "t"],
            values={"code": ["z", "t"], "time_zone": [None, "Asia/Tokyo"], "calendar": ["k", None]},
        )
        put("delivery.depot", source="d", refs=["H"], values={"code": ["H"], "cut_off": ["07:30"]})
        engine = PromiseEngine(crm)
        at = datetime(2026, 4, 9, 8, tzinfo=UTC)  # a Thursday; the workspace is in UTC

        def made(product: str, scope: str | None = None, **more: Any) -> tuple[str, str, str]:
            found = engine.promise(product, scope, at, **more)
            assert found is not None
            late = found.late_after_at - found.promise_at
            return found.rule, f"{found.promise_at:%m-%dT%H:%M}", str(late)

        assert made("next_day") == ("next_day v2", "04-10T10:00", "0:01:00")
        # Three working days on: Friday, Saturday, Monday.
        assert made("next_day", "city") == ("next_day city v1", "04-13T11:00", "0:00:00")
        assert made("economy") == ("economy v1", "04-09T18:00", "0:00:00")
        assert made("same_day")[0] == "same_day v1 (default)"
        # Where Mondays, Wednesdays and this one Friday are worked.
        assert made("next_day", "city", dest_zone="z")[1] == "04-15T11:00"
        assert made("next_day", dest_zone="t")[1] == "04-10T01:00"
        # After the depot's cut-off it counts as of Friday.
        assert made("next_day", depot="H")[1] == "04-11T10:00"
        assert engine.promise("unheard", None, at) is None


DAY = date(2026, 4, 8)  # a Wednesday


def on(days: int | None) -> date | None:
    return None if days is None else DAY + timedelta(days=days)


@pytest.mark.parametrize(
    ("begins", "ends", "paused"),
    [
        (0, None, True),
        (0, 1, True),
        (-5, 1, True),
        (-5, 0, False),
        (1, None, False),
        (None, None, False),
        (None, 5, False),
    ],
)
def test_a_pause_lasts_from_its_first_day_to_the_one_before_its_last(begins, ends, paused) -> None:
    values = {"paused_from": on(begins), "paused_to": on(ends)}
    assert is_paused(values, DAY) is paused
    assert is_brought(values, DAY) is not paused


@pytest.mark.parametrize(
    ("values", "brought"),
    [
        ({}, True),
        ({"started_on": on(0)}, True),
        ({"started_on": on(1)}, False),
        ({"ended_on": on(0)}, True),
        ({"ended_on": on(-1)}, False),
        ({"days": ["wed"]}, True),
        ({"days": ["tue", "thu"]}, False),
        ({"days": []}, True),
        ({"started_on": on(-1), "ended_on": on(1), "days": ["mon", "wed"]}, True),
    ],
)
def test_the_first_and_the_last_day_are_brought(values, brought) -> None:
    assert is_brought(values, DAY) is brought


@pytest.mark.parametrize(
    ("start", "until", "found"),
    [
        # The pause that is there: from day 0 to day 10, extended once before.
        (5, 15, (0, 15, 2)),
        (10, 15, (0, 15, 2)),
        (5, None, (0, None, 2)),
        (-3, 10, (-3, 10, 1)),
        (-3, 0, (-3, 10, 1)),
        (-3, 12, (-3, 12, 2)),
        (0, 10, (0, 10, 1)),
        (-1, 5, (-1, 10, 1)),
        (11, 15, "one pause at a time"),
        (-5, -1, "one pause at a time"),
        (0, 9, "is paused from"),
        (5, 9, "is paused from"),
    ],
)
def test_pauses_that_touch_become_one(start, until, found) -> None:
    values = {"paused_from": on(0), "paused_to": on(10), "pause_extensions": 1}
    if isinstance(found, str):
        with pytest.raises(UsageError, match=found):
            _extended("S1", values, on(start), on(until))
        return
    begins, ends, times = found
    assert _extended("S1", values, on(start), on(until)) == {
        "paused_from": on(begins),
        "paused_to": on(ends),
        "pause_extensions": times,
    }


@pytest.mark.parametrize("until", [None, 4])
def test_an_open_pause_is_no_longer_for_being_given_an_end(until) -> None:
    values = {"paused_from": on(0), "paused_to": None, "pause_extensions": None}
    assert _extended("S1", values, on(2), on(until)) == {
        "paused_from": on(0),
        "paused_to": on(until),
        "pause_extensions": 0,
    }


@pytest.mark.parametrize(("quantity", "amount"), [(None, 250), (1, 250), (3, 750), (0, 0)])
def test_a_missed_drop_comes_to_its_price_by_its_quantity(quantity, amount) -> None:
    """2.50 each; one where the subscription does not say how many."""
    crm: Any = SimpleNamespace(settings=SimpleNamespace(currency="EUR"))
    now: Any = SimpleNamespace(owner_id=5)
    (posting,) = _due(crm, now, {9: {"price": Money.parse("2.50", "EUR"), "quantity": quantity}})
    assert (posting.amount, posting.reference, posting.customer_id) == (amount, "drop:9", 5)
    for price, words in ((None, "no price"), (Money.parse("2.50", "USD"), "a price in USD")):
        with pytest.raises(UsageError, match=f"it had {words} on the day of drop 9"):
            _due(crm, now, {9: {"price": price, "quantity": 1}})


def test_without_a_scan_there_is_no_shipment_to_fold() -> None:
    found = fold(np.array([], dtype=np.int64), np.array([], dtype=np.int8))
    assert [len(part) for part in (found.verdict, found.before, found.status, found.last)] == [
        0
    ] * 4
