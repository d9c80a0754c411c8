"""``crmkit customer``: file, find, change and see whole."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import crmkit as framework
from crmkit.entities import NewInteraction
from crmkit.entities.money import Money
from crmkit.store.outcomes import Outcome

from .conftest import Crmkit

ANN = ("customer", "add", "Ann Example", "--ref", "billing:1", "--region", "north")


def add(crmkit: Crmkit, *args: str) -> str:
    (row,) = crmkit("customer", "add", *args, "--format", "json").rows
    return str(row["ref"])


def test_a_customer_is_filed_and_listed(crmkit: Crmkit, shop: Path) -> None:
    (row,) = crmkit(*ANN, "--contact", "phone:+49301", "--format", "json").rows
    assert row["ref"] == "1"
    assert row["name"] == "Ann Example"
    assert row["kind"] == "person"
    assert row["team"] is None
    assert row["version"] == 1
    assert crmkit("customer", "list", "--format", "json").rows == [row]


def test_without_a_key_of_its_own_a_customer_gets_one(crmkit: Crmkit, shop: Path) -> None:
    ref = add(crmkit, "Bob")
    assert ref.isdigit()
    assert crmkit("customer", "show", ref, "--format", "json").out.startswith("[")


def test_list_takes_where_sort_limit_and_columns(crmkit: Crmkit, shop: Path) -> None:
    for name, region in (("a", "north"), ("b", "south"), ("c", "north")):
        add(crmkit, name, "--region", region, "--ref", f"x:{name}")
    rows = crmkit(
        "customer", "list", "--where", "region=north", "--sort", "-name", "--columns",
        "name,ref", "--format", "json",
    ).rows  # fmt: skip
    assert rows == [{"name": "c", "ref": "c"}, {"name": "a", "ref": "a"}]
    assert len(crmkit("customer", "list", "--limit", "2", "--format", "json").rows) == 2


def test_an_unknown_column_is_refused_with_the_near_one(crmkit: Crmkit, shop: Path) -> None:
    assert "Did you mean region" in crmkit("customer", "list", "--columns", "regoin", code=2).err
    assert "Did you mean region" in crmkit("customer", "list", "--sort", "regoin", code=2).err


def test_customers_with_one_key_in_two_systems_are_told_apart(crmkit: Crmkit, shop: Path) -> None:
    add(crmkit, "Ann", "--ref", "billing:7")
    add(crmkit, "Bob", "--ref", "crm:7")
    rows = crmkit("customer", "list", "--columns", "ref,name", "--format", "json").rows
    assert rows == [{"ref": "billing:7", "name": "Ann"}, {"ref": "crm:7", "name": "Bob"}]
    assert "billing:7, crm:7" in crmkit("customer", "show", "7", code=2).err
    assert (
        json.loads(crmkit("customer", "show", "crm:7", "--format", "json").out)[0]["name"] == "Bob"
    )


@pytest.mark.parametrize("part", ["小", "小龙", "李小龙", "+86139", "77"])
def test_search_finds_by_any_part(crmkit: Crmkit, shop: Path, part: str) -> None:
    add(crmkit, "李小龙", "--ref", "x:77", "--contact", "phone:+8613900")
    add(crmkit, "Ann", "--ref", "x:5")
    rows = crmkit("customer", "search", part, "--format", "json").rows
    assert [row["name"] for row in rows] == ["李小龙"]


def test_search_says_when_there_are_more(crmkit: Crmkit, shop: Path) -> None:
    for i in range(3):
        add(crmkit, f"same {i}")
    done = crmkit("customer", "search", "same", "--limit", "2", "--format", "json")
    assert len(done.rows) == 2
    assert "more than 2" in done.err
    assert crmkit("customer", "search", "nobody", "--format", "json").rows == []


def test_an_edit_keeps_what_is_not_given_and_raises_the_version(crmkit: Crmkit, shop: Path) -> None:
    crmkit(*ANN)
    (row,) = crmkit("customer", "edit", "1", "--owner", "eve", "--format", "json").rows
    assert (row["owner"], row["region"], row["version"]) == ("eve", "north", 2)


def test_an_edit_of_an_older_version_changes_nothing(crmkit: Crmkit, shop: Path) -> None:
    crmkit(*ANN)
    crmkit("customer", "edit", "1", "--owner", "eve")
    done = crmkit("customer", "edit", "1", "--owner", "mallory", "--version", "1", code=1)
    assert "version 1 was read, 2 is stored" in done.err
    (row,) = crmkit("customer", "list", "--format", "json").rows
    assert row["owner"] == "eve"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["edit", "1"], "nothing to change"),
        (["edit", "1", "--set", "telecom.plan=x"], "there is no customer field 'telecom.plan'"),
        (["edit", "1", "--contact", "pigeon:x"], "KIND:VALUE with a kind of phone"),
        (["edit", "2", "--owner", "x"], "there is no customer '2'"),
        (["add", "Bob", "--ref", "billing:1"], "the key billing:1 belongs to another customer"),
        (["add", "Bob", "--ref", "1"], "SOURCE:REF"),
        (["add", "Bob", "--kind", "dog"], "'person', 'organisation'"),
    ],
)
def test_what_cannot_be_done_is_refused(
    crmkit: Crmkit, shop: Path, args: list[str], words: str
) -> None:
    crmkit(*ANN)
    assert words in crmkit("customer", *args, code=2).err
    assert len(crmkit("customer", "list", "--format", "json").rows) == 1


def test_a_name_that_is_a_formula_is_guarded_in_csv_and_plain_in_json(
    crmkit: Crmkit, shop: Path
) -> None:
    add(crmkit, "=cmd|' /C calc'!A0", "--ref", "x:1")
    text = crmkit("customer", "list", "--format", "csv").out
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["name"].startswith("'=cmd")
    assert crmkit("customer", "list", "--format", "json").rows[0]["name"].startswith("=cmd")


@pytest.fixture
def telecom(crmkit: Crmkit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "operator"
    crmkit("init", folder, "--plugin", "telecom")
    monkeypatch.chdir(folder)
    return folder


def test_show_gathers_everything_known(crmkit: Crmkit, telecom: Path) -> None:
    add(crmkit, "Ann", "--ref", "billing:1", "--set", "telecom.senior=true")
    with framework.open(telecom) as crm:
        ann = crm.store.customers.find("1")
        crm.store.records.set(
            "telecom.subscription", source="billing", ref="L1", owner_id=ann.id,
            values={"status": "active", "msisdn": "49151", "monthly_fee": Money(2999, "USD")},
        )  # fmt: skip
        crm.store.interactions.log(
            NewInteraction(
                kind="telecom.complaint", customer_id=ann.id, occurred_at=crm.clock(),
                source="desk", ref="K1", channel="phone", direction="in",
            )
        )  # fmt: skip
        rule = sorted(crm.catalog.rules)[0]
        for name, kind, value, reasons in (
            ("telecom.churn", "score", 0.731, ("contract ends in 12 days",)),
            (rule, "rule", None, ("two complaints in 30 days",)),
        ):
            crm.store.outcomes.replace(
                name,
                [Outcome(name=name, kind=kind, subject_id=ann.id, as_of=crm.clock(), run="r", value=value, reasons=reasons)],
            )  # fmt: skip
    [view] = json.loads(crmkit("customer", "show", "1", "--format", "json").out)
    assert view["refs"] == [{"source": "billing", "ref": "1"}]
    assert isinstance(view["id"], str)
    assert view["fields"]["telecom"]["senior"] is True
    (line,) = view["records"]["telecom.subscription"]
    assert (line["ref"], line["monthly_fee"], line["plan_code"]) == ("L1", "29.99", None)
    (score,) = view["scores"]
    assert (score["value"], score["reasons"]) == (0.731, ["contract ends in 12 days"])
    assert [step["why"] for step in view["next"]] == ["two complaints in 30 days"]
    assert view["rules"][0]["name"] == rule
    assert [fact["kind"] for fact in view["timeline"]] == ["telecom.complaint"]
    text = crmkit("customer", "show", "1").out
    for wanted in (
        "Ann, person, 1",
        "73.1%",
        "- contract ends in 12 days",
        "What to do next",
        "29.99 USD",
    ):
        assert wanted in text


def test_the_timeline_can_be_left_out(crmkit: Crmkit, telecom: Path) -> None:
    add(crmkit, "Ann", "--ref", "billing:1")
    [view] = json.loads(crmkit("customer", "show", "1", "--timeline", "0", "--format", "json").out)
    assert view["timeline"] == []
