"""Relations with what is known beside them, registered codes and competitors."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

import crmkit
from crmkit.entities import CustomerRef
from crmkit.errors import UsageError
from crmkit.workspace import Crm


@pytest.fixture
def crm(tmp_path: Path, crm_clock: Any) -> Any:
    """A clock at 2026-03-31; two organisations and two people."""
    with crmkit.init(tmp_path / "w", clock=crm_clock, actor="tester") as crm:
        for kind, ref, name in (
            ("organisation", "O-1", "Ace"), ("organisation", "O-2", "Best"),
            ("person", "P-1", "Ann"), ("person", "P-2", "Bo"),
        ):  # fmt: skip
            crm.store.customers.add(kind=kind, name=name, refs=[CustomerRef("crm", ref)])
        yield crm


def test_a_contact_person_has_a_role_a_say_and_likes(crm: Crm) -> None:
    crm.run(
        "relation add", customer="P-1", related_to="O-1", position="CFO", say="decides",
        likes="tea", dislikes="calls before nine", valid_from=date(2025, 1, 1),
    )  # fmt: skip
    crm.run("relation add", customer="P-1", related_to="P-2", role="household")
    ann, ace = (crm.store.customers.find(ref).id for ref in ("P-1", "O-1"))
    (row,) = crm.run("relation list", customer="O-1").rows
    assert {k: v for k, v in row.items() if k not in ("relation", "related")} == {
        "customer_id": ann, "role": "contact_person", "related_id": ace, "position": "CFO",
        "say": "decides", "likes": "tea", "dislikes": "calls before nine",
        "valid_from": date(2025, 1, 1), "valid_to": None,
    }  # fmt: skip
    assert row["related"] == "crm:O-1"
    roles = [r["role"] for r in crm.run("relation list", customer="P-1").rows]
    assert roles == ["contact_person", "household"]
    texts = [r["text"] for r in crm.run("desk", who="O-1").rows if r["panel"] == "relation.people"]
    assert texts == [
        "Who: Ann; Role: contact_person; Say in the purchase: decides; Likes: tea; "
        "Do not mention: calls before nine"
    ]


def test_a_relation_that_has_ended_is_shown_when_asked_for(crm: Crm) -> None:
    (made,) = crm.run("relation add", customer="P-1", related_to="O-1").rows
    crm.run("relation end", relation=made["relation"], on=date(2026, 3, 31))
    assert list(crm.run("relation list", customer="O-1").rows) == []
    (row,) = crm.run("relation list", customer="O-1", ended=True).rows
    assert row["valid_to"] == date(2026, 3, 31)
    with pytest.raises(UsageError, match="is no id of a relation"):
        crm.run("relation end", relation="Ann")


def test_a_dry_run_leaves_nothing(crm: Crm) -> None:
    crm.commands.run(
        "relation add", {"customer": "P-1", "related_to": "O-1", "likes": "tea"}, dry_run=True
    )
    assert list(crm.run("relation list", customer="O-1", ended=True).rows) == []
    assert crm.store.records.list("relation.about") == []


def test_an_organisation_has_one_code_and_a_code_one_organisation(crm: Crm) -> None:
    """91110000600037341L is the example of python-stdnum's documentation of cn.uscc."""
    given = {"scheme": "cn.uscc", "code": "91110000600037341L", "name": "Ace Limited"}
    (row,) = crm.run("relation register", customer="O-1", **given).rows
    assert (row["code"], row["standard_name"]) == ("91110000600037341L", "Ace Limited")
    crm.run("relation register", customer="O-1", **{**given, "name": "Ace Holdings Limited"})
    (kept,) = crm.store.records.list("relation.registration")
    assert kept.values["standard_name"] == "Ace Holdings Limited"
    with pytest.raises(UsageError, match="is the code of another customer"):
        crm.run("relation register", customer="O-2", **given)
    with pytest.raises(UsageError, match=r"is registered as cn\.uscc:91110000600037341L already"):
        crm.run("relation register", customer="O-1", **{**given, "scheme": "own", "code": "7"})
    with pytest.raises(UsageError, match="is a person"):
        crm.run("relation register", customer="P-1", **given)
    with pytest.raises(UsageError, match=r"is no cn\.uscc"):
        crm.run("relation register", customer="O-2", **{**given, "code": "91110000600037342L"})


def test_competitors_come_and_go(crm: Crm) -> None:
    crm.run("relation competitor", customer="O-1", name="Acme", on=date(2026, 1, 5))
    (row,) = crm.run(
        "relation competitor", customer="O-1", name="acme", on=date(2026, 3, 1), ended=True
    ).rows
    assert (row["seen_on"], row["ended_on"]) == (date(2026, 1, 5), date(2026, 3, 1))
    (kept,) = crm.store.records.list("relation.competitor")
    assert kept.version == 2
    with pytest.raises(UsageError, match="nobody has said that O-2 uses Acme"):
        crm.run("relation competitor", customer="O-2", name="Acme", ended=True)
