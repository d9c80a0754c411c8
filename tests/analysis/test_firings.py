"""Firings are handed to the plugins that serve them: each once, and all or nothing of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import define, field

from crmkit.analysis import firings as service
from crmkit.analysis.firings import FiringService
from crmkit.analysis.runs import Runs
from crmkit.declarations import Firing, Served
from crmkit.errors import PluginError
from crmkit.store.interactions import NewInteraction

OpenShop = Callable[..., Any]
AT = datetime(2026, 3, 31, 9, tzinfo=UTC)


@define
class Plugin:
    """Serves the firings of one action by writing a goodbye for each, and may fail afterwards."""

    action: str
    fails: bool = False
    answers: Callable[[Sequence[Firing]], list[Served]] | None = None
    batches: list[list[Firing]] = field(factory=list)
    hooks: tuple[str, ...] = ("serve_firings",)

    def serve(self, firings: Sequence[Firing], store: Any, tx: Any) -> list[Served]:
        self.batches.append(list(firings))
        mine = [i for i, f in enumerate(firings) if f.action == self.action]
        for i in mine:
            customer = firings[i].subject_id
            store.interactions.log(
                NewInteraction(kind="shop.goodbye", customer_id=customer, occurred_at=AT), tx=tx
            )
        if self.fails:
            raise ZeroDivisionError("no desk")
        if self.answers is not None:
            return self.answers(firings)
        return [Served(firing=i, result=f"case {i}") for i in mine]


class Host:
    """Stands for the plugin host: calls one plugin, and names it when it fails."""

    def __init__(self, **plugins: Plugin) -> None:
        self.loaded = plugins

    def call_alone(self, plugin: str, hook: str, **arguments: Any) -> Any:
        try:
            return self.loaded[plugin].serve(**arguments)
        except ZeroDivisionError as error:
            raise PluginError(plugin, hook, f"{error}.") from error


@pytest.fixture
def shop(open_shop: OpenShop, make_rule: Any) -> Any:
    """Two customers absent for 58 days, on whom three rules have fired."""
    rules = [
        make_rule("case", action="open_case", target="desk", evidence=["shop_visits_60d"]),
        make_rule("tag", action="tag", target="absent"),
        make_rule("call"),
    ]
    found = open_shop(rules={rule.name: rule for rule in rules})
    found.people = [found.customer(), found.customer()]
    for one in found.people:
        found.log("shop.visit", one, "2026-02-01")
    found.clock.set(AT)
    found.rules.run(found.on("2026-03-31"))
    return found


def serving(shop: Any, **plugins: Plugin) -> FiringService:
    host: Any = Host(**plugins)
    runs = Runs(shop.settings.runs, shop.store, shop.clock)
    return FiringService(shop.store, host, shop.catalog, runs)


def goodbyes(shop: Any) -> int:
    shop.warehouse.refresh_if_stale()
    with shop.warehouse.session() as session:
        from crmkit.warehouse.population import Population

        frame = session.frame(Population.at(shop.on("2026-04-30")))
        count: int = frame.query("SELECT count(*) AS n FROM shop_goodbye")["n"][0].as_py()
        return count


def test_plugin_gets_message_evidence_and_target_and_serves_each_firing_once(shop: Any) -> None:
    desk = Plugin("open_case")
    service = serving(shop, desk=desk)
    first = service.serve(shop.on("2026-03-31"))
    again = service.serve(shop.on("2026-03-31"))
    given = [f for f in desk.batches[0] if f.rule == "shop.case"]
    assert [f.subject_id for f in given] == shop.people
    assert (given[0].message, given[0].target) == ("absent for 58 days", "desk")
    assert given[0].evidence == {"shop_days_since_visit": 58, "shop_visits_60d": 1}
    assert given[0].as_of == datetime(2026, 4, 1, tzinfo=UTC) and len(given[0].version) == 12
    # Six firings at first; the four that it did not serve are offered again, the two served are not.
    assert [len(batch) for batch in desk.batches] == [6, 4]
    assert first.served == again.served == {"shop.case": 2}
    assert goodbyes(shop) == 2
    kept = shop.store.firings.for_subject(shop.people[0])
    assert [(k["rule"], k["plugin"], k["result"]) for k in kept] == [
        ("shop.case", "desk", "case 2")
    ]


def test_a_failing_plugin_leaves_nothing_and_the_others_go_on(shop: Any) -> None:
    broken, tagger = Plugin("open_case", fails=True), Plugin("tag")
    found = serving(shop, broken=broken, tagger=tagger).serve(shop.on("2026-03-31"))
    assert found.served == {"shop.tag": 2}
    assert [("broken" in fault, "no desk" in fault) for fault in found.faults] == [(True, True)]
    assert goodbyes(shop) == 2  # the tagger's two, none of the broken one's
    broken.fails = False
    mended = serving(shop, broken=broken, tagger=tagger).serve(shop.on("2026-03-31"))
    assert mended.served == {"shop.tag": 2, "shop.case": 2} and mended.faults == ()
    assert goodbyes(shop) == 4


def test_serving_a_firing_that_was_not_handed_in_is_a_fault_that_undoes_the_batch(
    shop: Any,
) -> None:
    for place in (-1, 6):
        odd = Plugin("tag", answers=lambda firings, place=place: [Served(firing=place)])  # type: ignore[misc]
        found = serving(shop, odd=odd).serve(shop.on("2026-03-31"))
        assert found.served == {} and f"served firing {place} of 6" in found.faults[0]
    assert goodbyes(shop) == 0


def test_first_and_last_firing_of_a_batch_can_be_served(shop: Any) -> None:
    """The batch is in order of rule and customer: shop.call first, shop.tag last."""
    ends = Plugin("none", answers=lambda firings: [Served(firing=i, result=f"{i}") for i in (0, 5)])
    found = serving(shop, ends=ends).serve(shop.on("2026-03-31"))
    assert (found.served, found.faults) == ({"shop.call": 1, "shop.tag": 1}, ())
    first, last = (shop.store.firings.for_subject(one) for one in shop.people)
    assert [(k["rule"], k["result"]) for k in first] == [("shop.call", "0")]
    assert [(k["rule"], k["result"]) for k in last] == [("shop.tag", "5")]


def test_batches_are_bounded_and_no_transaction_is_left_by_who_serves_nothing(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 4)
    idle = Plugin("none")
    shop.warehouse.refresh()
    found = serving(shop, idle=idle).serve(
        shop.on("2026-03-31"), ["shop.case", "shop.tag", "shop.call"]
    )
    assert [len(batch) for batch in idle.batches] == [4, 2]
    assert found.offered == 6 and found.served == {}
    assert not shop.warehouse.is_stale()
