"""What a source said last, blanks, and several contact points of one kind (design D10)."""

from __future__ import annotations

from typing import Any

import pytest

from crmkit.entities.customer import ContactPoint, CustomerRef

PROFILE = """
name = "people"
[source]
name = "crm"
key = ["id"]
{source}
[[emit]]
entity = "customer"
key = "id"
[emit.fields]
name = {{ column = "name"{name} }}
region = "region"
phone = {phone}
[[emit]]
entity = "shop.customer"
[emit.fields]
household = "household"
[[emit]]
entity = "shop.line"
key = "{{id}}-1"
owner = "customer"
[emit.fields]
number = "number"
fee = "fee"
"""
HEADER = "id,name,region,phone,household,number,fee\n"
ANN = "1,Ann,north,+4930111,2,55,9.99\n"


def profile(source: str = "", name: str = "", phone: str = '"phone"') -> str:
    return PROFILE.format(source=source, name=name, phone=phone)


def outcome(result: Any) -> tuple[int, int, int, int]:
    return result.created, result.updated, result.unchanged, result.rejected


def phones(shop: Any, ref: str = "crm:1") -> list[str]:
    return [p.value for p in shop.store.customers.find(ref).contact_points if p.kind == "phone"]


def edit(shop: Any, **changes: Any) -> None:
    found = shop.store.customers.find("crm:1")
    points = changes.pop("points", None)
    if points is not None:
        points = [ContactPoint("phone", value) for value in points]
    fields = changes.pop("fields", None)
    shop.store.customers.edit(
        found.id, version=found.version, changes=changes, contact_points=points, fields=fields
    )


def test_the_same_file_again_leaves_what_was_corrected_by_hand(shop: Any) -> None:
    """Customers, plugin fields, records and contact points: nothing in the row changed."""
    assert outcome(shop.load(HEADER + ANN, profile())) == (1, 0, 0, 0)
    edit(shop, name="Anne", points=["+4930999"], fields={"shop": {"household": 3}})
    shop.store.records.set("shop.line", source="crm", ref="1-1", values={"number": "77"})
    again = shop.load(HEADER + ANN, profile())
    assert outcome(again) == (0, 0, 1, 0)
    ann = shop.store.customers.find("crm:1")
    assert (ann.name, phones(shop)) == ("Anne", ["+4930999"])
    assert shop.store.customers.fields(ann.id)["shop"]["household"] == 3
    assert shop.store.records.find("shop.line", "crm:1-1").values["number"] == "77"
    assert again.remarks == (
        "1 rows of customer say what crm said last; what was changed here since stays.",
        "1 rows of shop.customer say what crm said last; what was changed here since stays.",
        "1 rows of shop.line say what crm said last; what was changed here since stays.",
    )


def test_a_row_that_itself_changed_overwrites_the_correction(shop: Any) -> None:
    shop.load(HEADER + ANN, profile())
    edit(shop, name="Anne", points=["+4930999"])
    changed = shop.load(HEADER + ANN.replace("north", "south"), profile())
    assert outcome(changed) == (0, 1, 0, 0)
    ann = shop.store.customers.find("crm:1")
    assert (ann.name, ann.region, phones(shop)) == ("Ann", "south", ["+4930111"])
    assert changed.remarks == ()


def test_a_correction_made_after_the_source_agreed_stays_as_well(shop: Any) -> None:
    """The source said Ann, then Anne as the hand did; the next hand is compared with Anne."""
    shop.load(HEADER + ANN, profile())
    edit(shop, name="Anne", points=["+4930999"])
    theirs = ANN.replace("Ann", "Anne").replace("+4930111", "+4930999")
    assert outcome(shop.load(HEADER + theirs, profile())) == (0, 0, 1, 0)
    edit(shop, name="Anna", points=["+4930777"])
    assert outcome(shop.load(HEADER + theirs, profile())) == (0, 0, 1, 0)
    assert (shop.store.customers.find("crm:1").name, phones(shop)) == ("Anna", ["+4930777"])
    # What it had said before that is news again.
    assert outcome(shop.load(HEADER + ANN, profile())) == (0, 1, 0, 0)
    assert (shop.store.customers.find("crm:1").name, phones(shop)) == ("Ann", ["+4930111"])


def test_what_was_filed_by_hand_first_is_the_sources_once_it_has_said_it(shop: Any) -> None:
    shop.store.customers.add(
        name="Ann", region="north", refs=[CustomerRef("crm", "1")],
        contact_points=[ContactPoint("phone", "+4930111")],
    )  # fmt: skip
    shop.load(HEADER + ANN, profile())
    edit(shop, region="south", points=["+4930999"])
    assert outcome(shop.load(HEADER + ANN, profile())) == (0, 0, 1, 0)
    assert (shop.store.customers.find("crm:1").region, phones(shop)) == ("south", ["+4930999"])


def test_a_number_removed_by_hand_does_not_come_back_with_the_same_row(shop: Any) -> None:
    shop.load(HEADER + ANN, profile())
    edit(shop, points=[])
    assert outcome(shop.load(HEADER + ANN, profile())) == (0, 0, 1, 0)
    assert phones(shop) == []
    shop.load(HEADER + ANN.replace("+4930111", "+4930222"), profile())
    assert phones(shop) == ["+4930222"]


def test_another_profile_of_the_source_does_not_make_a_correction_the_sources(shop: Any) -> None:
    """It writes a version of the customer, in which the corrected name stands as well."""
    shop.load(HEADER + ANN, profile())
    edit(shop, name="Anne")
    teams = (
        'name = "teams"\n[source]\nname = "crm"\nkey = ["id"]\n'
        '[[emit]]\nentity = "customer"\nkey = "id"\n[emit.fields]\nteam = "team"\n'
    )
    shop.load("id,team\n1,blue\n", teams)
    assert outcome(shop.load(HEADER + ANN, profile())) == (0, 0, 1, 0)
    ann = shop.store.customers.find("crm:1")
    assert (ann.name, ann.team) == ("Anne", "blue")


def test_a_blank_keeps_what_is_stored(shop: Any) -> None:
    shop.load(HEADER + ANN, profile())
    again = shop.load(HEADER + "1,,,,,,\n", profile())
    assert outcome(again) == (0, 0, 1, 0)
    ann = shop.store.customers.find("crm:1")
    assert (ann.name, ann.region, phones(shop)) == ("Ann", "north", ["+4930111"])
    assert shop.store.customers.fields(ann.id)["shop"]["household"] == 2
    line = shop.store.records.find("shop.line", "crm:1-1").values
    assert (line["number"], str(line["fee"])) == ("55", "9.99")
    # Beside a value that changes as well.
    shop.load(HEADER + "1,,south,,,,\n", profile())
    ann = shop.store.customers.find("crm:1")
    assert (ann.name, ann.region, phones(shop)) == ("Ann", "south", ["+4930111"])


def test_a_source_says_that_blanks_clear(shop: Any) -> None:
    clearing = profile('blank = "clear"', name=', blank = "keep"')
    shop.load(HEADER + ANN, clearing)
    assert outcome(shop.load(HEADER + "1,,,,,,\n", clearing)) == (0, 1, 0, 0)
    ann = shop.store.customers.find("crm:1")
    assert (ann.name, ann.region, phones(shop)) == ("Ann", None, [])
    assert shop.store.customers.fields(ann.id)["shop"]["household"] is None
    line = shop.store.records.find("shop.line", "crm:1-1").values
    assert (line["number"], line["fee"]) == (None, None)


def test_a_field_says_that_its_blanks_clear(shop: Any) -> None:
    clearing = profile(phone='{ column = "phone", blank = "clear" }')
    shop.load(HEADER + ANN, clearing)
    assert outcome(shop.load(HEADER + "1,,,,,,\n", clearing)) == (0, 1, 0, 0)
    assert (shop.store.customers.find("crm:1").name, phones(shop)) == ("Ann", [])


def test_an_unknown_blank_is_a_fault_of_the_profile(lite: Any) -> None:
    lite.write("odd.toml", profile('blank = "wipe"'))
    assert lite.intake.lint(str(lite.folder / "odd.toml")) == [
        "source.blank: 'wipe' is not one of keep, clear"
    ]


TWO = '["phone", "mobile"]'
TWO_HEADER = "id,name,region,phone,mobile,household,number,fee\n"


def two(first: str, second: str) -> str:
    return f"{TWO_HEADER}1,Ann,north,{first},{second},2,55,9.99\n"


def test_a_profile_takes_several_columns_of_one_kind(shop: Any) -> None:
    made = profile(phone=TWO)
    assert outcome(shop.load(two("+4930111", "+4930222"), made)) == (1, 0, 0, 0)
    assert phones(shop) == ["+4930111", "+4930222"]
    assert outcome(shop.load(two("+4930222", "+4930111"), made)) == (0, 0, 1, 0)
    assert outcome(shop.load(two("+4930111", "+4930333"), made)) == (0, 1, 0, 0)
    assert phones(shop) == ["+4930111", "+4930333"]
    assert outcome(shop.load(two("", "+4930333"), made)) == (0, 0, 1, 0)
    assert phones(shop) == ["+4930111", "+4930333"]


def test_of_several_columns_a_blank_clears_one(shop: Any) -> None:
    made = profile('blank = "clear"', phone=TWO)
    shop.load(two("+4930111", "+4930222"), made)
    assert outcome(shop.load(two("", "+4930222"), made)) == (0, 1, 0, 0)
    assert phones(shop) == ["+4930222"]
    assert outcome(shop.load(two("", "+4930222"), made)) == (0, 0, 1, 0)


def test_a_number_added_by_hand_is_not_taken_for_an_old_one(shop: Any) -> None:
    made = profile(phone=TWO)
    shop.load(two("+4930111", ""), made)
    edit(shop, points=["+4930111", "+4930999"])
    shop.load(two("+4930111", "+4930222"), made)
    assert sorted(phones(shop)) == ["+4930111", "+4930222", "+4930999"]


def test_a_reverted_import_gives_contact_points_back(shop: Any) -> None:
    from crmkit.store.revert import revert

    shop.load(HEADER + ANN, profile())
    later = shop.load(HEADER + ANN.replace("+4930111", "+4930222"), profile())
    assert phones(shop) == ["+4930222"]
    revert(shop.store, later.import_id)
    assert phones(shop) == ["+4930111"]
    assert outcome(shop.load(HEADER + ANN, profile())) == (0, 0, 1, 0)


def test_revised_facts_stay_revised(shop: Any) -> None:
    from crmkit.entities import NewInteraction
    from crmkit.entities.money import Money

    bills = (
        'name = "bills"\n[source]\nname = "crm"\nkey = ["no"]\n'
        '[[emit]]\nentity = "customer"\nkey = "id"\n'
        '[[emit]]\nentity = "shop.bill"\nkey = "no"\noccurred_at = "at"\n'
        '[emit.fields]\ntotal = "total"\n'
    )
    rows = "no,id,at,total\nb1,1,2026-02-01,10.00\n"
    shop.load(rows, bills)
    (bill,) = shop.store.interactions.list_for(shop.store.customers.find("crm:1").id)
    shop.store.interactions.log(
        NewInteraction(
            kind="shop.bill", occurred_at=bill.occurred_at, customer_id=bill.customer_id,
            source="crm", ref="b1", payload={"total": Money(900, "USD")},
        )
    )  # fmt: skip
    assert outcome(shop.load(rows, bills)) == (0, 0, 1, 0)
    (bill,) = shop.store.interactions.list_for(bill.customer_id)
    assert str(bill.payload["total"]) == "9.00"
    assert outcome(shop.load(rows.replace("10.00", "11.00"), bills)) == (0, 1, 0, 0)


@pytest.mark.parametrize("effective", ["2026-02-01", "2026-02-28"])
def test_a_correction_stays_where_files_say_since_when_they_hold(shop: Any, effective: str) -> None:
    shop.load(HEADER + ANN, profile('effective = "2026-01-31"'))
    edit(shop, name="Anne")
    again = shop.load(HEADER + ANN, profile(f'effective = "{effective}"'))
    assert outcome(again) == (0, 0, 1, 0)
    assert shop.store.customers.find("crm:1").name == "Anne"


def test_merged_customers_show_and_export_the_numbers_of_both(lite: Any) -> None:
    from crmkit.policy import local_viewer
    from crmkit.present.exports import export_customers
    from crmkit.present.files import write_csv

    rows = HEADER + ANN + "2,Ann B,north,+4930222,2,56,1.00\n"
    lite.load(rows, profile())
    a, b = (lite.store.customers.find(f"crm:{n}").id for n in (1, 2))
    lite.store.merges.merge([(a, b)])
    assert phones(lite) == ["+4930111", "+4930222"]
    made = export_customers(
        lite.store, lite.intake.catalog, local_viewer("me"), source="crm", form="csv", guarded=True
    )
    (row,) = made.grid.rows()
    kept = dict(zip(made.grid.names, row, strict=True))
    assert (kept["phone"], kept["phone_2"]) == ("+4930111", "+4930222")
    import io

    out = io.BytesIO()
    write_csv(made.grid, out)
    assert outcome(lite.load(out.getvalue(), made.profile)) == (0, 0, 1, 0)
    assert phones(lite) == ["+4930111", "+4930222"]
