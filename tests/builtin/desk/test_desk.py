"""The desk: who is found, what is shown of them, and what happens where a panel fails."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

import crmkit
from crmkit.access.panels import Panels
from crmkit.declarations import Panel, ReportColumn
from crmkit.entities import ContactPoint, CustomerRef, FieldType, Money, NewInteraction
from crmkit.policy import MASK, Viewer
from crmkit.workspace import Crm

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def crm(tmp_path: Path, crm_clock: Any) -> Any:
    with crmkit.init(tmp_path / "w", clock=crm_clock, actor="tester") as crm:
        yield crm


@pytest.fixture
def wang(crm: Crm) -> int:
    """A customer with something in every panel that needs no list or case."""
    made = crm.store.customers.add(
        name="王芳", refs=[CustomerRef("crm", "C-1")], time_zone="Asia/Shanghai",
        contact_points=[ContactPoint(kind="phone", value="13800138000")],
    ).id  # fmt: skip
    crm.store.customers.add(name="王芬", contact_points=[ContactPoint(kind="phone", value="13911112222")])  # fmt: skip
    for hours, kind, amount in ((2, "core.call", None), (50, "core.order", Money(1990, "USD"))):
        crm.store.interactions.log(
            NewInteraction(
                kind=kind, customer_id=made, occurred_at=NOW - timedelta(hours=hours),
                amount=amount, channel="phone",
            )
        )  # fmt: skip
    crm.run("task add", title="Call back", customer="C-1")
    crm.run("tag add", customer="C-1", tag="likes-tea")
    crm.run("consent withdraw", customer="C-1", purpose="marketing")
    crm.run("ledger post", ledger="ledger.points", customer="C-1", amount=120)
    return made


def texts(answer: Any) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for row in answer.rows:
        out.setdefault(row["panel"], []).append(row["text"])
    return out


@pytest.mark.parametrize("who", ["0013800", "王芳", "C-1"])
def test_one_customer_is_shown_by_number_name_or_key(crm: Crm, wang: int, who: str) -> None:
    answer = crm.run("desk", who=who)
    assert {row["customer_id"] for row in answer.rows} == {wang}
    found = texts(answer)
    assert found["desk.who"] == ["Kind: person; Contact: 13800138000; Filed: 2026-03-31 12:00Z"]
    assert found["work.tasks"][0].startswith("Task: Call back")
    assert found["work.tags"] == ["Tag: likes-tea"]
    assert found["ledger.standing"] == [
        "Scheme or ledger: ledger.points; Balance: 120; Unit: point"
    ]
    assert found["desk.timeline"] == [
        "At: 2026-03-31 10:00Z; What: Call; Channel: phone",
        "At: 2026-03-29 10:00Z; What: Order; Channel: phone; Amount: 19.90",
    ]
    (restraint,) = [text for text in found["contact.restraints"] if "marketing" in text]
    assert restraint.startswith("Not for: marketing; Because: ")
    # What is open and what not to say come before what was.
    order = list(found)
    assert (
        order.index("contact.restraints") < order.index("work.tasks") < order.index("desk.timeline")
    )
    assert answer.remarks == ()


def test_several_are_listed_and_nobody_is_told_the_same(crm: Crm, wang: int) -> None:
    answer = crm.run("desk", who="王")
    assert [row["panel"] for row in answer.rows] == ["match", "match"]
    assert answer.remarks == ("several match: ask again by the ref.",)
    for who in ("李", "999999"):
        nobody = crm.run("desk", who=who)
        assert (list(nobody.rows), nobody.remarks) == ([], ("nobody was found.",))


def test_open_cases_come_with_their_due_time(crm: Crm, wang: int) -> None:
    crm.run("case open", customer="C-1", topic="billing")
    (text,) = texts(crm.run("desk", who="C-1"))["service.cases"]
    assert "Topic: billing" in text and "Due: " in text


def test_what_was_merged_is_shown_with_the_one_that_remains(crm: Crm, wang: int) -> None:
    other = crm.store.customers.add(name="王 芳", refs=[CustomerRef("web", "W-9")]).id
    crm.run("tag add", customer="W-9", tag="likes-jazz")
    crm.store.merges.merge([(wang, other)])
    answer = crm.run("desk", who="W-9")
    assert {row["customer_id"] for row in answer.rows} == {wang}
    assert sorted(texts(answer)["work.tags"]) == ["Tag: likes-jazz", "Tag: likes-tea"]


def test_a_panel_that_raises_is_named_and_left_out(crm: Crm, wang: int, monkeypatch: Any) -> None:
    def broken(crm: Crm, customers: Any) -> list[Mapping[str, Any]]:
        raise ZeroDivisionError("no stays")

    column = ReportColumn(name="stay", type=FieldType.TEXT)
    panel = Panel(name="hotel.stays", rows=broken, columns=[column])
    catalog = evolve(crm.catalog, panels={**crm.catalog.panels, "hotel.stays": panel})
    monkeypatch.setattr(Crm, "catalog", property(lambda self: catalog))
    answer = crm.run("desk", who="C-1")
    (said,) = answer.remarks
    assert said.startswith("the panel hotel.stays is left out: ZeroDivisionError: no stays")
    assert "work.tags" in texts(answer)


def test_panels_are_shown_through_the_policy(crm: Crm, wang: int) -> None:
    narrow = Viewer("guest", sees=frozenset({"none"}))
    shown = {s.panel.name: s.rows for s in Panels(crm).show([wang], narrow)}
    assert shown["desk.who"][0]["contact"] == MASK
    assert shown["work.tasks"][0]["title"] == MASK
    assert shown["work.tags"][0]["tag"] == "likes-tea"
