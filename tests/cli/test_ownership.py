"""``crmkit customer assign`` and ``crmkit document``, as somebody types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmkit.workspace import open_workspace

from .conftest import Crmkit


def customers(crmkit: Crmkit, *owners: str) -> None:
    for number, owner in enumerate(owners, 1):
        crmkit("customer", "add", f"Customer {number}", "--ref", f"b:{number}", "--owner", owner)


def owners(crmkit: Crmkit) -> list[str]:
    rows = crmkit("customer", "list", "--sort", "created_at", "--format", "json").rows
    return [row["owner"] for row in rows]


def test_many_pass_in_one_step_only_when_confirmed_and_can_go_back(
    crmkit: Crmkit, shop: Path
) -> None:
    customers(crmkit, "ann", "ann", "zoe")
    asked = ("customer", "assign", "--from", "ann", "--to", "ben", "--to", "cem")
    shown = crmkit(*asked, "--dry-run", "--format", "json").rows
    assert [(r["ref"], r["from_agent"], r["to_agent"]) for r in shown] == [
        ("1", "ann", "ben"), ("2", "ann", "cem"),
    ]  # fmt: skip
    assert "E_RENEWAL ann has it since" in crmkit(*asked, code=4).err
    crmkit("customer", "agent", "leave", "zoe")
    free = ("customer", "assign", "--from", "zoe", "--to", "ben")
    assert "1 customers would pass to ben" in crmkit(*free, code=2).err
    assert owners(crmkit) == ["ann", "ann", "zoe"]
    crmkit(*asked, "--yes")
    assert owners(crmkit) == ["ben", "cem", "zoe"]
    batch = crmkit("customer", "assignments", "1", "--format", "json").rows[0]["batch"]
    crmkit("customer", "assign", "--reverse", batch, "--yes")
    assert owners(crmkit) == ["ann", "ann", "zoe"]


def test_one_protected_customer_passes_only_when_confirmed(crmkit: Crmkit, shop: Path) -> None:
    customers(crmkit, "ann")
    for asked in (("assign", "1", "--to", "ben"), ("edit", "1", "--owner", "ben")):
        said = crmkit("customer", *asked, code=4).err
        assert "E_RENEWAL ann has it since" in said
        assert "renewals are free for others from" in said
    assert crmkit("customer", "protection", "1", "--agent", "ben", code=4).out == ""
    crmkit("customer", "assign", "1", "--to", "ben", "--yes")
    assert owners(crmkit) == ["ben"]


def test_who_left_is_given_nobody_by_any_command(crmkit: Crmkit, shop: Path) -> None:
    customers(crmkit, "ann", "ben")
    crmkit("customer", "agent", "leave", "ann")
    for asked in (
        ("assign", "2", "--to", "ann", "--yes"),
        ("claim", "2", "--agent", "ann"),
        ("edit", "2", "--owner", "ann"),
        ("add", "New", "--owner", "ann"),
    ):
        assert "E_AGENT_LEFT ann left on" in crmkit("customer", *asked, code=4).err
    assert [r["ref"] for r in crmkit("customer", "orphans", "--format", "json").rows] == ["1"]
    crmkit("customer", "assign", "--orphans", "--to", "ben", "--yes")
    assert crmkit("customer", "orphans", "--format", "json").rows == []
    listed = crmkit("customer", "agent", "list", "--format", "json").rows
    assert [(r["agent"], r["customers"], r["left_on"] is None) for r in listed] == [
        ("ann", 0, False), ("ben", 2, True),
    ]  # fmt: skip


def test_a_name_of_which_nothing_is_known_asks_before_it_leaves(crmkit: Crmkit, shop: Path) -> None:
    customers(crmkit, "anna")
    said = crmkit("customer", "agent", "leave", "NOBODY", code=2).err
    assert "E_NOT_CONFIRMED nothing is known here of an agent NOBODY" in said
    assert "nothing is known here of an agent ana (known: anna)" in (
        crmkit("customer", "agent", "leave", "ana", code=2).err
    )
    assert [r["agent"] for r in crmkit("customer", "agent", "list", "--format", "json").rows] == [
        "anna"
    ]
    crmkit("customer", "agent", "leave", "anna")
    crmkit("customer", "agent", "leave", "NOBODY", "--yes")


def test_who_left_is_shown_and_exported_nothing_and_it_is_filed(
    crmkit: Crmkit, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    customers(crmkit, "ann", "ben")
    crmkit("customer", "agent", "leave", "ann")
    monkeypatch.setenv("CRMKIT_ACTOR", "ann")
    for asked in (
        ("customer", "export"), ("customer", "list"), ("customer", "show", "1"),
        ("customer", "search", "New"), ("sql", "SELECT count(*) AS n FROM customer"),
    ):  # fmt: skip
        refused = crmkit(*asked, code=4)
        assert refused.out == ""
        assert "E_AGENT_LEFT ann left on" in refused.err
    with open_workspace(shop) as crm:
        filed = [c.reason for c in crm.ownership.rows.agent_changes("ann") if c.change == "refused"]
    assert filed == ["customer export", "customer list", "customer show", "customer search", "sql"]
    monkeypatch.setenv("CRMKIT_ACTOR", "ben")
    crmkit("customer", "export")


def test_claims_are_filed_and_settled(crmkit: Crmkit, shop: Path) -> None:
    crmkit("customer", "add", "New", "--ref", "b:1")
    crmkit("customer", "claim", "1", "--agent", "ann")
    crmkit("customer", "claim", "1", "--agent", "ben", "--evidence", "offer 77")
    row = crmkit("customer", "settle", "1", "--format", "json").rows[0]
    assert (row["agent"], row["rule"]) == ("ben", "evidence")
    found = crmkit("customer", "claims", "1", "--format", "json").rows
    assert [(c["agent"], c["status"]) for c in found] == [("ann", "lost"), ("ben", "won")]


def test_asking_for_nothing_or_for_two_things_is_refused(crmkit: Crmkit, shop: Path) -> None:
    customers(crmkit, "ann")
    assert "say what to assign" in crmkit("customer", "assign", "--to", "ben", code=2).err
    both = ("customer", "assign", "1", "--orphans", "--to", "ben")
    assert "say what to assign" in crmkit(*both, code=2).err
    assert "nobody to assign to" in crmkit("customer", "assign", "1", code=2).err


def test_a_document_is_added_listed_exported_and_removed(crmkit: Crmkit, shop: Path) -> None:
    customers(crmkit, "ann")
    (shop / "deed.pdf").write_bytes(b"%PDF-1.4 deed")
    asked = ("document", "add", "1", "deed.pdf", "--type", "deed", "--expires", "2027-01-31")
    (made,) = crmkit(*asked, "--format", "json").rows
    assert (made["ref"], made["type"], made["expires_on"], made["file_name"]) == (
        "1", "deed", "2027-01-31", "deed.pdf",
    )  # fmt: skip
    assert [r["id"] for r in crmkit("document", "list", "1", "--format", "json").rows] == [
        made["id"]
    ]
    (shown,) = crmkit("document", "show", made["id"], "--format", "json").rows
    assert (shown["ref"], shown["size"], shown["removed"]) == ("1", 13, False)
    crmkit("document", "export", made["id"], "--output", "copy.pdf")
    assert (shop / "copy.pdf").read_bytes() == b"%PDF-1.4 deed"
    crmkit("document", "remove", made["id"], code=2)
    crmkit("document", "remove", made["id"], "--yes")
    assert crmkit("document", "list", "--format", "json").rows == []
    assert crmkit("document", "check", "--format", "json").rows == []


def test_a_damaged_document_ends_the_check_with_one(crmkit: Crmkit, shop: Path) -> None:
    customers(crmkit, "ann")
    (shop / "deed.pdf").write_bytes(b"%PDF-1.4 deed")
    crmkit("document", "add", "1", "deed.pdf", "--type", "deed")
    (kept,) = (p for p in (shop / "documents").rglob("*") if p.is_file())
    kept.write_bytes(b"forged")
    done = crmkit("document", "check", "--format", "json", code=1)
    assert [r["fault"] for r in done.rows] == ["changed"]
    assert "E_DAMAGED 1 files are missing or were changed" in done.err
