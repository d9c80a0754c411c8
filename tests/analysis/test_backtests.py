"""Backtests: what would have fired on each day, judged by what followed, and never by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from crmkit.analysis.backtests import Backtests
from crmkit.errors import NotFound, UsageError

OpenShop = Callable[..., Any]
GOODBYE = (
    "SELECT DISTINCT subject_id, as_of, 1 AS label FROM shop_goodbye "
    "WHERE days_after > 0 AND days_after <= 10"
)
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 9)


@pytest.fixture
def shop(open_shop: OpenShop) -> Any:
    """Four customers, absent since 1 January, 5 February, 1 March, and never there.

    Their days since the last visit on 1 March are 59, 24, 0 and none; the first says goodbye on
    6 March, the third on 8 March. A noise of visits goes on to the end of April.
    """
    found = open_shop()
    found.people = [found.customer() for _ in range(4)]
    a, b, c, _ = found.people
    found.log("shop.visit", a, "2026-01-01")
    found.log("shop.visit", b, "2026-02-05")
    found.log("shop.visit", c, "2026-03-01", "2026-04-28", "2026-04-29", "2026-04-30")
    found.log("shop.goodbye", a, "2026-03-06")
    found.log("shop.goodbye", c, "2026-03-08")
    found.clock.set(datetime(2026, 5, 1, tzinfo=UTC))
    return found


def backtests(shop: Any) -> Backtests:
    return Backtests(*shop._parts)


def fired(found: Any) -> list[tuple[date, int, bool | None]]:
    return [(r["as_of_on"], r["subject_id"], r["outcome"]) for r in found.firings.to_pylist()]


def test_it_fires_on_what_each_day_could_see_and_cools_down(shop: Any, make_rule: Any) -> None:
    a, b, _, _ = shop.people
    rule = make_rule(when="shop_days_since_visit >= 30", cooldown_days=4)
    found = backtests(shop).run(rule, FIRST, LAST, every=2, outcome=GOODBYE, within_days=10)
    # On 1, 3, 5, 7 and 9 March: the first is absent throughout and fires again after four days;
    # the second is absent 30 days on 7 March (23 in February, 7 in March).
    march = lambda day: date(2026, 3, day)  # noqa: E731
    assert fired(found) == [
        (march(1), a, True), (march(5), a, True), (march(7), b, False), (march(9), a, False),
    ]  # fmt: skip
    assert [(d["held"], d["fired"], d["cooling"]) for d in found.dates] == [
        (1, 1, 0), (1, 0, 1), (1, 1, 0), (2, 1, 1), (2, 1, 1),
    ]  # fmt: skip
    # Goodbyes within ten days: on 1, 3 and 5 March of both, on 7 of the third, on 9 of nobody.
    assert [d["positives"] for d in found.dates] == [2, 2, 2, 1, 0]
    (only,) = found.summary
    assert (only["firings"], only["subjects"], only["judged"], only["hits"]) == (4, 2, 4, 2)
    # Precision 2 of 4, base rate 7 of 4 customers on 5 days, recall one of the two who left.
    assert only["precision"] == 0.5
    assert only["base_rate"] == pytest.approx(7 / 20)
    assert only["lift"] == pytest.approx(0.5 * 20 / 7)
    assert only["recall"] == 0.5


def test_later_data_change_the_outcome_and_never_the_firings(shop: Any, make_rule: Any) -> None:
    rule = make_rule(when="shop_days_since_visit >= 30")
    before = backtests(shop).run(rule, FIRST, LAST, outcome=GOODBYE, within_days=10)
    for one in shop.people:
        shop.log("shop.visit", one, "2026-03-10", "2026-04-01")
        shop.log("shop.goodbye", one, "2026-03-10")
    after = backtests(shop).run(rule, FIRST, LAST, outcome=GOODBYE, within_days=10)
    assert [row[:2] for row in fired(before)] == [row[:2] for row in fired(after)]
    assert before.summary[0]["hits"] < after.summary[0]["hits"] == after.summary[0]["judged"]


def test_two_texts_are_compared_firing_by_firing(shop: Any, make_rule: Any) -> None:
    a, b, c, _ = shop.people
    old = make_rule(when="shop_days_since_visit >= 30")
    new = make_rule(when="shop_days_since_visit BETWEEN 5 AND 40")
    found = backtests(shop).run(old, LAST, LAST, outcome=GOODBYE, other=new)
    # On 9 March: 67, 32 and 8 days. The old text fires on the first two, the new on the last two.
    groups = {g["group"].split()[0]: [] for g in found.summary}
    for g in found.summary:
        groups[g["group"].split()[0]].append(g["firings"])
    assert groups["both"] == [1] and groups["only"] == [1, 1]
    versions = list(dict.fromkeys(found.firings.column("version").to_pylist()))
    by_version = {
        v: [r["subject_id"] for r in found.firings.to_pylist() if r["version"] == v]
        for v in versions
    }
    assert [*by_version.values()] == [[a, b], [b, c]]
    with pytest.raises(UsageError, match="both texts of the rule are the same"):
        backtests(shop).run(old, LAST, LAST, other=old)


def test_a_stage_that_is_entered_is_an_outcome_for_who_is_not_in_it(
    shop: Any, make_rule: Any
) -> None:
    a, b, _, _ = shop.people
    for who, day in ((a, 2), (b, 20)):
        shop.clock.set(datetime(2026, 3, day, 12, tzinfo=UTC))
        shop.lifecycles.advance("shop.buyer", who, "gone")
    shop.clock.set(datetime(2026, 5, 1, tzinfo=UTC))
    rule = make_rule(when="shop_days_since_visit >= 30")
    found = backtests(shop).run(rule, LAST, LAST, outcome="shop.buyer:gone", within_days=14)
    # On 9 March the first is gone already and cannot be judged; the second goes on 20 March.
    assert fired(found) == [(LAST, a, None), (LAST, b, True)]
    assert (found.summary[0]["judged"], found.summary[0]["precision"]) == (1, 1.0)
    assert found.dates[0]["eligible"] == 3
    with pytest.raises(NotFound, match=r"stage of shop\.buyer 'gond'.*gone"):
        backtests(shop).run(rule, LAST, LAST, outcome="shop.buyer:gond")
    with pytest.raises(NotFound, match=r"outcome 'shop\.leav'.*shop\.leave"):
        backtests(shop).run(rule, LAST, LAST, outcome="shop.leav")


def test_dates_whose_outcome_is_not_known_yet_are_not_judged(shop: Any, make_rule: Any) -> None:
    rule = make_rule(when="shop_days_since_visit >= 30")
    last = date(2026, 4, 25)
    found = backtests(shop).run(rule, last, last, outcome=GOODBYE, within_days=10)
    assert found.summary[0]["judged"] == 0 and found.summary[0]["precision"] is None
    assert found.remarks == (
        "events are recorded in full until 2026-04-30, so dates after 2026-04-20 are not judged.",
    )
