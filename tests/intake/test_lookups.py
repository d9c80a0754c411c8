"""Values looked up in a table beside the profile: found, missed, and a table that does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from crmkit.declarations import ImportProfile
from crmkit.errors import NotFound, ProfileError

from .conftest import Shop

PROFILE = """
name = "p"
[source]
name = "p"
key = ["id"]
[lookups.plans]
file = "plans.csv"
key = ["code"]
[[emit]]
entity = "customer"
key = "id"
[emit.fields]
name = "id"
region = { column = "at", split = "/", part = 1, lookup = "plans", take = "region" }
[[emit]]
entity = "shop.customer"
[emit.fields]
tier = { column = "code", lookup = "plans", take = "tier" }
household = { column = "code", lookup = "plans", take = "people" }
"""
PLANS = "code,tier,people,region\nB1,basic,1,north\n P2 ,plus,,south\n"


def test_a_value_is_looked_up_and_a_missed_one_is_rejected(shop: Shop) -> None:
    table = shop.write("plans.csv", "\ufeff" + PLANS)
    rows = "id,code,at\n1,B1,B1/x\n2,P2,P2\n3,Z9,B1\n4,,\n"
    result = shop.load(rows, PROFILE)
    assert (result.created, result.rejected) == (3, 1)
    assert shop.sql(
        "SELECT c.name, c.region, s.tier, s.household FROM customer c "
        "JOIN shop_customer s ON s.customer_id = c.id ORDER BY c.name"
    ) == [("1", "north", "basic", 1), ("2", "south", "plus", None), ("4", None, None, None)]
    first = shop.store.imports.rejects(result.import_id)[0]
    assert (first.line, first.field, first.code, first.value) == (4, "tier", "E_LOOKUP", "Z9")
    words = f"column code: 'Z9' is not among code of {table}"
    assert first.message == f"{words}; also household: {words}"
    assert first.allowed == f"code of {table}"


TWO = """
name = "p"
[source]
name = "p"
key = ["id"]
[lookups.area]
file = "tables/area.csv"
key = ["country", "zone"]
delimiter = ";"
[[emit]]
entity = "customer"
key = "id"
[emit.fields]
region = { join = ["c", "z"], lookup = "area", take = "name", %s }
"""


@pytest.mark.parametrize(
    ("rest", "stored"),
    [
        ('other = "abroad"', ["Wien", "abroad", None]),
        ('other = "", default = "unknown"', ["Wien", "unknown", "unknown"]),
    ],
)
def test_a_key_of_two_columns_and_what_becomes_of_the_rest(
    lite: Shop, rest: str, stored: list[str | None]
) -> None:
    """A key that lacks a part is missing, and is not sought."""
    (lite.folder / "tables").mkdir()
    lite.write("tables/area.csv", "country;zone;name\nAT;1;Wien\nAT;2;Linz\n")
    result = lite.load("id,c,z\n1,AT,1\n2,DE,1\n3,AT,\n", TWO % rest)
    assert result.rejected == 0
    found = lite.sql("SELECT c.region FROM customer c JOIN customer_ref r ON r.customer_id = c.id ORDER BY r.ref")  # fmt: skip
    assert [region for (region,) in found] == stored


def test_a_changed_table_makes_another_import(lite: Shop) -> None:
    """The same file through the same text is taken up again only while the table is the same."""
    lite.write("plans.csv", PLANS)
    first = lite.intake.profile(str(lite.write("profile.toml", PROFILE))).hash
    assert lite.intake.profile(str(lite.folder / "profile.toml")).hash == first
    lite.write("plans.csv", PLANS.replace("north", "west"))
    assert lite.intake.profile(str(lite.folder / "profile.toml")).hash != first
    rows = "id,code,at\n1,B1,B1\n"
    lite.load(rows, PROFILE)
    lite.write("plans.csv", PLANS)
    assert lite.load(rows, PROFILE).updated == 1
    assert lite.one("SELECT region FROM customer") == "north"


UNFIT = [
    (PLANS.replace("basic", "gold"), "plans.csv line 2, column tier: 'gold' is not one of"),
    (PLANS.replace("code", "id"), "plans.csv has no column 'code' (columns: id, tier, people, region)"),
    (PLANS.replace("region", "place"), "take: {path} has no column 'region'"),
    (PLANS + "B1,max,1,north\n", "plans.csv line 4 has the key 'B1' of line 2 again, with other values"),
    (PLANS + ",max,1,north\n", "plans.csv line 4 lacks a part of its key"),
    (PLANS + "X,max\n", "plans.csv line 4 has 2 cells, not 4"),
    (PLANS + 'X,"max\n', "plans.csv line 4: unexpected end of data"),
    (PLANS.encode("utf-16"), "plans.csv is not UTF-8"),
    ("", "plans.csv has no header line"),
    ("code,tier,tier\n", "plans.csv has two columns 'tier'"),
    (None, "lookups.plans.file: 'plans.csv' cannot be read beside the profile: there is none"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "words"), UNFIT)
def test_lint_names_what_is_wrong_with_a_table(
    lite: Shop, table: str | bytes | None, words: str
) -> None:
    path = lite.write("plans.csv", table) if table is not None else None
    faults = lite.intake.lint(str(lite.write("profile.toml", PROFILE)))
    assert any(words.replace("{path}", str(path)) in fault for fault in faults), faults


SHAPES = [
    ('lookup = "plan", take = "tier"', "there is no [lookups.plan] (known: plans)"),
    ('lookup = "plans"', "tier.take: is missing"),
    ('take = "tier"', "take: names a column of a table, so it needs a lookup"),
    ('lookup = "plans", take = "tier", map = { a = "b" }', "lookup: does not go with map"),
    (
        'lookup = "plans", take = "tier", currency = { column = "c" }',
        "lookup: does not go with a currency column",
    ),
]


@pytest.mark.parametrize(("rest", "words"), SHAPES)
def test_a_lookup_that_cannot_be_meant_is_refused(lite: Shop, rest: str, words: str) -> None:
    lite.write("plans.csv", PLANS)
    text = PROFILE.replace('tier = { column = "code", lookup = "plans", take = "tier" }', f'tier = {{ column = "code", {rest} }}')  # fmt: skip
    with pytest.raises(ProfileError) as refused:
        lite.load("id,code,at\n", text)
    assert words in str(refused.value)


@pytest.mark.parametrize("file", ["/etc/passwd", "../plans.csv", "a\\\\b.csv", ""])
def test_a_table_stands_beside_the_profile(lite: Shop, file: str) -> None:
    text = PROFILE.replace('file = "plans.csv"', f'file = "{file}"')
    assert any(
        "is not a path beside the profile" in fault
        for fault in lite.intake.lint(str(lite.write("profile.toml", text)))
    )


def test_as_many_columns_are_looked_up_as_the_key_has(lite: Shop) -> None:
    lite.write("plans.csv", PLANS)
    text = PROFILE.replace('{ column = "code", lookup = "plans", take = "tier" }', '{ join = ["code", "at"], lookup = "plans", take = "tier" }')  # fmt: skip
    (fault,) = lite.intake.lint(str(lite.write("profile.toml", text)))
    assert fault.endswith("plans has the key code, and the columns named are code, at")


def test_a_plugins_profile_brings_its_tables(lite: Shop, tmp_path: Path) -> None:
    def with_tables(**tables: str) -> Any:
        declared = ImportProfile(name="till", text=PROFILE, tables=tables)
        catalog = evolve(
            lite.store.catalog, profiles={"till": declared}, shared_owners={"till": "shop"}
        )
        lite.intake.catalog = catalog
        return lite.intake

    intake = with_tables(**{"plans.csv": PLANS})
    assert intake.table_text("till", "plans.csv") == PLANS
    with pytest.raises(NotFound, match=r"no lookup table 'x.csv'"):
        intake.table_text("till", "x.csv")
    rows = lite.write("rows.csv", "id,code,at\n1,Z9,B1\n")
    result = intake.import_file(rows, "till")
    (reject,) = lite.store.imports.rejects(result.import_id)[:1]
    assert "'Z9' is not among code of plans.csv of profile till (plugin shop)" in reject.message
    (missing,) = with_tables().lint("till")
    assert "'plans.csv' cannot be read beside the profile: there is none" in missing
