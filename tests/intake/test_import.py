"""Files into the store: what a row becomes, and what a second import of it does."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import date, datetime
from pathlib import Path

import pytest

from crmkit.declarations import RowFault
from crmkit.errors import (
    Contended,
    InputRefused,
    Interrupted,
    PluginError,
    ProfileError,
    StorageError,
)
from crmkit.intake.loading import Loader

CUSTOMERS = """
name = "crm"
[source]
name = "crm"
key = ["id"]
[[emit]]
entity = "customer"
key = "id"
[emit.fields]
name = "name"
phone = "phone"
"phone.work" = "office"
[[emit]]
entity = "shop.customer"
[emit.fields]
tier = "tier"
household = "household"
born_on = "born"
member = "member"
score = "score"
"""
ROWS = (
    "id,name,phone,office,tier,household,born,member,score\n"
    "A1,Ann,+1555,,plus,2,1980-02-29,yes,1.5\n"
    "B2,王芳,,+86 10,basic,,,no,\n"
)
EVERYTHING = """
name = "billing"
[source]
name = "erp"
key = ["no"]
effective = "2026-02-28"
[[emit]]
entity = "customer"
key = "cust"
[emit.fields]
name = "name"
[[emit]]
entity = "shop.line"
name = "line"
key = "{cust}-{number}"
[emit.fields]
number = "number"
fee = { column = "fee", currency = { column = "cur" } }
deposit = "deposit"
opened_at = { column = "opened", time_zone = "Europe/Vienna" }
[[emit]]
entity = "shop.bill"
when = { column = "billed", equals = "Y" }
subject = "line"
occurred_at = "day"
channel = { column = "channel", map = { M = "email", L = "letter" } }
amount = { column = "total", currency = "USD" }
[emit.fields]
total = "total"
due_on = { column = "due", date = "%d.%m.%Y" }
items = "items"
paid = "paid"
note = { join = ["n1", "n2"], sep = " / " }
"""
BILLED = (
    "no,cust,name,number,fee,cur,deposit,opened,billed,day,channel,total,due,items,paid,n1,n2\n"
    "1,C1,Ann,100,9.99,EUR,500,2026-01-05 10:00,Y,2026-02-01,M,12.50,15.02.2026,3,yes,a,b\n"
    "2,C1,Ann,101,1.5,KWD,,2026-01-05T10:00:00Z,N,2026-02-01,,,,,,,\n"
    "3,C2,Bob,100,,EUR,0,,Y,2026-02-01T23:30:00+00:00,L,0,,,no,,z\n"
)


def counts(result) -> tuple[int, ...]:
    return (result.read, result.created, result.updated, result.unchanged, result.rejected)


def test_a_row_becomes_a_customer_with_contacts_and_plugin_fields(shop):
    assert counts(shop.load(ROWS, CUSTOMERS)) == (2, 2, 0, 0, 0)
    customers = shop.sql("select name, kind, version from customer order by name")
    assert customers == [("Ann", "person", 1), ("王芳", "person", 1)]
    points = shop.sql(
        "select r.ref, p.kind, p.label, p.value from contact_point p "
        "join customer_ref r on r.customer_id = p.customer_id order by 1"
    )
    assert points == [("A1", "phone", "", "+1555"), ("B2", "phone", "work", "+86 10")]
    ann, wang = shop.store.customers.find("A1"), shop.store.customers.find("crm:B2")
    assert (ann.name, wang.name) == ("Ann", "王芳")
    fields = shop.sql("select tier, household, score from shop_customer order by tier")
    assert fields == [("basic", None, None), ("plus", 2, 1.5)]
    assert [str(b) for (b,) in shop.sql("select born_on from shop_customer order by tier")] == [
        "None", "1980-02-29",
    ]  # fmt: skip
    assert [bool(m) for (m,) in shop.sql("select member from shop_customer order by tier")] == [
        False, True,
    ]  # fmt: skip


def test_the_same_file_again_changes_nothing(shop):
    shop.load(ROWS, CUSTOMERS)
    before = shop.sql("select id, version, tx from customer order by id")
    assert counts(shop.load(ROWS, CUSTOMERS)) == (2, 0, 0, 2, 0)
    assert shop.sql("select id, version, tx from customer order by id") == before
    for table in ("customer_history", "shop_customer_history"):
        assert shop.one(f"select count(*) from {table}") == 0
    assert shop.one("select count(*) from contact_point") == 2


def test_a_changed_row_moves_the_old_version_to_history(shop):
    shop.load(ROWS, CUSTOMERS)
    changed = ROWS.replace("plus,2", "max,2").replace("王芳", "王方")
    assert counts(shop.load(changed, CUSTOMERS)) == (2, 0, 2, 0, 0)
    assert shop.sql("select name, version from customer order by version, name") == [
        ("Ann", 1), ("王方", 2),
    ]  # fmt: skip
    assert shop.sql("select name, version from customer_history") == [("王芳", 1)]
    assert shop.sql("select tier, version from shop_customer where version = 2") == [("max", 2)]
    assert shop.sql("select tier, version from shop_customer_history") == [("plus", 1)]
    (span,) = shop.sql(
        "select h.valid_to = c.valid_from, h.closed_tx = c.tx, h.valid_from < h.valid_to "
        "from customer_history h join customer c on c.id = h.id"
    )
    assert list(map(bool, span)) == [True, True, True]


def test_a_changed_contact_point_is_replaced_and_the_customer_updated(shop):
    clearing = CUSTOMERS.replace('key = ["id"]', 'key = ["id"]\nblank = "clear"')
    shop.load(ROWS, clearing)
    changed = ROWS.replace("+1555,", "+1777,+1888").replace("+86 10", "")
    assert counts(shop.load(changed, clearing)) == (2, 0, 2, 0, 0)
    points = shop.sql("select kind, label, value from contact_point order by label")
    assert points == [("phone", "", "+1777"), ("phone", "work", "+1888")]
    assert shop.sql("select version from customer") == [(2,), (2,)]


def test_fields_that_the_profile_does_not_map_keep_their_values(shop):
    shop.load(ROWS, CUSTOMERS)
    partial = CUSTOMERS[: CUSTOMERS.index('household = "household"')]
    assert counts(shop.load(ROWS.replace("basic", "max"), partial)) == (2, 0, 1, 1, 0)
    found = shop.sql("select tier, household, score from shop_customer order by household")
    assert sorted(found, key=str) == [("max", None, None), ("plus", 2, 1.5)]


def test_one_row_feeds_customer_record_and_interaction(shop):
    assert counts(shop.load(BILLED, EVERYTHING)) == (3, 3, 0, 0, 0)
    lines = shop.sql(
        "select l.ref, r.ref, l.fee_minor, l.fee_currency, l.deposit_minor from shop_line l "
        "join customer_ref r on r.customer_id = l.owner_id order by l.ref"
    )
    # EUR has two decimals, KWD three, JPY none.
    assert lines == [
        ("C1-100", "C1", 999, "EUR", 500),
        ("C1-101", "C1", 1500, "KWD", None),
        ("C2-100", "C2", None, None, 0),
    ]
    opened = shop.sql("select opened_at from shop_line order by ref")
    # 10:00 in Vienna is 09:00 UTC in winter.
    assert [str(o)[:19] for (o,) in opened] == [
        "2026-01-05 09:00:00", "2026-01-05 10:00:00", "None",
    ]  # fmt: skip
    bills = shop.sql(
        "select i.ref, l.ref, i.channel, i.direction, i.amount_minor, i.currency, i.revision, "
        "i.payload from interaction i join shop_line l on l.id = i.subject_id "
        "and i.subject_type = 'shop.line' and i.customer_id = l.owner_id order by i.ref"
    )
    payload = '{"due_on":"2026-02-15","items":3,"note":"a / b","paid":true,"total_minor":1250}'
    assert bills == [
        ("1:shop.bill", "C1-100", "email", "none", 1250, "USD", 1, payload),
        ("3:shop.bill", "C2-100", "letter", "none", 0, "USD", 1,
         '{"note":"z","paid":false,"total_minor":0}'),
    ]  # fmt: skip
    times = shop.sql("select occurred_at, occurred_on from interaction order by ref")
    # A day alone is its first moment in the workspace's zone, Asia/Shanghai (UTC+8).
    assert [(str(at)[:19], str(on)) for at, on in times] == [
        ("2026-01-31 16:00:00", "2026-02-01"), ("2026-02-01 23:30:00", "2026-02-02"),
    ]  # fmt: skip
    assert {str(v)[:19] for (v,) in shop.sql("select valid_from from customer")} == {
        "2026-02-27 16:00:00"
    }


def test_a_changed_interaction_is_a_new_revision(shop):
    shop.load(BILLED, EVERYTHING)
    changed = BILLED.replace("12.50", "13.00")
    assert counts(shop.load(changed, EVERYTHING)) == (3, 0, 1, 2, 0)
    found = shop.sql(
        "select revision, amount_minor from interaction where ref = '1:shop.bill' order by 1"
    )
    assert found == [(1, 1250), (2, 1300)]
    assert counts(shop.load(changed, EVERYTHING)) == (3, 0, 0, 3, 0)
    assert shop.one("select count(*) from interaction") == 3


def test_the_row_is_the_unit_so_a_faulty_bill_leaves_no_customer_behind(shop):
    spoilt = BILLED.replace("15.02.2026", "31.02.2026").replace("3,C2,Bob,100", "3,C2,Bob,x1")
    result = shop.load(spoilt, EVERYTHING)
    assert counts(result) == (3, 1, 0, 0, 2)
    assert shop.sql("select ref from customer_ref") == [("C1",)]
    rejects = {r.line: r for r in shop.store.imports.rejects(result.import_id)}
    assert (rejects[2].code, rejects[2].field, rejects[2].value) == (
        "E_TYPE",
        "due_on",
        "31.02.2026",
    )
    assert rejects[2].allowed == "a date as %d.%m.%Y"
    assert rejects[2].message == "column due: '31.02.2026' is not written as %d.%m.%Y"
    assert (rejects[4].code, rejects[4].field, rejects[4].value) == ("E_PATTERN", "number", "x1")
    assert rejects[4].allowed == "text, at most 12 characters, matching ^[0-9]+$"


def test_rejects_go_to_a_file_that_can_be_mended_and_imported(shop):
    spoilt = ROWS.replace("basic", "gold") + "C3,Cid,,,basic,99,,maybe,\n"
    result = shop.load(spoilt, CUSTOMERS)
    assert counts(result) == (3, 1, 0, 0, 2)
    with Path(result.rejects_file).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["_line"] for r in rows] == ["3", "4"]
    assert (rows[0]["_code"], rows[0]["_field"], rows[0]["_value"]) == ("E_ENUM", "tier", "gold")
    assert rows[0]["_allowed"] == "basic, plus, max"
    assert rows[0]["name"] == "王芳"
    assert rows[1]["_code"] == "E_RANGE"
    assert "99 is greater than the maximum of 20" in rows[1]["_message"]
    assert "'maybe' is neither true nor false" in rows[1]["_message"]
    assert Path(result.rejects_file).parent == shop.folder / "rejects"
    mended = Path(result.rejects_file).read_text(encoding="utf-8")
    mended = mended.replace(",gold,", ",plus,").replace(",99,,maybe,", ",9,,no,")
    again = shop.load(mended, CUSTOMERS, name="mended.csv")
    assert (counts(again), again.rejects_file) == ((2, 2, 0, 0, 0), None)
    assert again.unknown == ()


def test_rejects_go_where_the_caller_says(lite):
    target = lite.folder / "out" / "bad.csv"
    result = lite.load(ROWS.replace("plus", "x"), CUSTOMERS, rejects=target)
    assert result.rejects_file == str(target)
    assert target.read_text(encoding="utf-8").count("\n") == 2
    assert not list(target.parent.glob(".*"))


def test_a_dry_run_counts_the_same_and_keeps_nothing(shop):
    shop.load(ROWS, CUSTOMERS)
    more = ROWS.replace("plus", "max") + "C3,Cid,,,basic,,,,\nD4,Dan,,,x,,,,\n"
    result = shop.load(more, CUSTOMERS, dry_run=True)
    assert counts(result) == (4, 1, 1, 1, 1)
    assert result.import_id is None
    assert shop.one("select count(*) from customer") == 2
    assert shop.one("select count(*) from import_run") == 1
    assert counts(shop.load(more, CUSTOMERS)) == (4, 1, 1, 1, 1)


def test_the_same_key_again_is_unchanged_if_equal_and_rejected_if_not(shop):
    twice = ROWS + "A1,Ann,+1555,,plus,2,1980-02-29,yes,1.5\nB2,Other,,,,,,,\n"
    result = shop.load(twice, CUSTOMERS)
    assert counts(result) == (4, 2, 0, 1, 1)
    (reject,) = shop.store.imports.rejects(result.import_id)
    assert (reject.line, reject.code, reject.field, reject.value) == (5, "E_DUPLICATE", "id", "B2")
    assert reject.message == "line 3 has the same key and other values"
    assert shop.one("select count(*) from customer where name = 'Other'") == 0


def test_a_rejected_row_does_not_stand_in_the_way_of_a_later_one_with_its_key(lite):
    result = lite.load(ROWS.replace("basic", "gold") + "B2,Other,,,,,,,\n", CUSTOMERS)
    assert counts(result) == (3, 2, 0, 0, 1)
    assert lite.one("select count(*) from customer where name = 'Other'") == 1


def test_repeats_are_seen_across_batches(shop, monkeypatch):
    monkeypatch.setattr("crmkit.intake.csv_rows.BATCH_ROWS", 2)
    lines = "".join(f"K{i},n{i % 7},,,,,,,\n" for i in range(7)) + "K1,n1,,,,,,,\nK2,zz,,,,,,,\n"
    result = shop.load(ROWS.split("\n")[0] + "\n" + lines, CUSTOMERS)
    assert counts(result) == (9, 7, 0, 1, 1)
    (reject,) = shop.store.imports.rejects(result.import_id)
    assert (reject.line, reject.message) == (10, "line 4 has the same key and other values")


def test_last_wins_makes_each_repeat_the_next_version(shop):
    profile = CUSTOMERS.replace("[source]", "[source]\nlast_wins = true")
    rows = "id,name,phone,office,tier,household,born,member,score\n"
    rows += "A,one,,,,,,,\nB,b,,,,,,,\nA,two,,,,,,,\nA,two,,,,,,,\nA,three,,,,,,,\n"
    result = shop.load(rows, profile)
    assert counts(result) == (5, 2, 2, 1, 0)
    assert shop.sql("select name, version from customer order by name") == [("b", 1), ("three", 3)]
    assert shop.sql("select name from customer_history order by version") == [("one",), ("two",)]


ORDERS = """
name = "orders"
[source]
name = "erp"
key = ["order"]
[[emit]]
entity = "customer"
key = "cust"
[emit.fields]
name = "name"
[[emit]]
entity = "shop.bill"
key = "order"
occurred_at = "day"
[emit.fields]
total = "total"
"""


def test_a_customer_on_many_rows_is_one_customer(shop, monkeypatch):
    monkeypatch.setattr("crmkit.intake.csv_rows.BATCH_ROWS", 3)
    rows = "order,cust,name,day,total\n"
    rows += "".join(f"O{i},C{i % 2},n{i % 2},2026-01-0{i + 1},{i}\n" for i in range(8))
    result = shop.load(rows + "O9,C1,other name,2026-01-09,1\n", ORDERS)
    assert counts(result) == (9, 8, 0, 0, 1)
    assert shop.one("select count(*) from customer") == 2
    owners = shop.sql("select customer_id, count(*) from interaction group by 1")
    assert [n for _, n in owners] == [4, 4]
    (reject,) = shop.store.imports.rejects(result.import_id)
    assert (reject.code, reject.field, reject.value) == ("E_DUPLICATE", "cust", "C1")
    assert reject.message == "line 3 has the same key and other values"


def test_rows_without_a_key_are_numbered_so_that_nothing_doubles(shop):
    profile = (
        'name = "v"\n[source]\nname = "door"\n[[emit]]\nentity = "shop.visit"\noccurred_at = "at"\n'
    )
    rows = "at,door\n" + "2026-01-01,1\n" * 3 + "2026-01-02,1\n"
    assert counts(shop.load(rows, profile)) == (4, 4, 0, 0, 0)
    assert counts(shop.load(rows, profile)) == (4, 0, 0, 4, 0)
    more = rows + "2026-01-01,1\n"
    assert counts(shop.load(more, profile)) == (5, 1, 0, 4, 0)
    assert shop.sql(
        "select count(*), count(distinct ref), count(customer_id) from interaction"
    ) == [(5, 5, 0)]


STORED_OWNER = """
name = "scans"
[source]
name = "hub"
key = ["id"]
[[emit]]
entity = "shop.scan"
key = "id"
owner = { entity = "shop.line", column = "line", source = "erp" }
[emit.fields]
place = "place"
"""


def test_an_owner_may_be_what_is_stored_and_must_be_there(shop):
    shop.load(BILLED, EVERYTHING)
    rows = "id,line,place\n1,C1-100,hub\n2,C9-9,hub\n3,,hub\n"
    result = shop.load(rows, STORED_OWNER)
    assert counts(result) == (3, 1, 0, 0, 2)
    owned = shop.sql("select l.ref from shop_scan s join shop_line l on l.id = s.owner_id")
    assert owned == [("C1-100",)]
    rejects = shop.store.imports.rejects(result.import_id)
    assert [(r.code, r.field, r.value) for r in rejects] == [
        ("E_OWNER", "owner", "C9-9"), ("E_OWNER", "owner", ""),
    ]  # fmt: skip
    assert rejects[0].message == "'C9-9' is no stored shop.line of source erp"


NAMED_THROUGH = """
name = "visits"
[source]
name = "erp"
key = ["id"]
[[emit]]
entity = "shop.bill"
key = "bill-{id}"
owner = { entity = "shop.line", column = "line" }
occurred_at = { value = "2026-02-01" }
[emit.fields]
total = { value = "1.00" }
[[emit]]
entity = "shop.bill"
name = "of a scan"
key = "scan-{id}"
owner = { entity = "shop.scan", column = "scan", source = "hub" }
occurred_at = { value = "2026-02-02" }
[emit.fields]
total = { value = "2.00" }
"""


def test_an_owner_may_be_named_through_what_it_owns(shop):
    """The customer is one step above the line and two above the scan; an unknown line is refused."""
    shop.load(BILLED, EVERYTHING)
    shop.load("id,line,place\n1,C1-100,hub\n", STORED_OWNER)
    result = shop.load("id,line,scan\n7,C1-100,1\n8,C9-9,1\n", NAMED_THROUGH)
    assert counts(result) == (2, 1, 0, 0, 1)
    found = shop.sql(
        "select i.ref, r.ref from interaction i join customer_ref r on r.customer_id = i.customer_id "
        "where i.ref in ('bill-7', 'scan-7') order by i.ref"
    )
    assert found == [("bill-7", "C1"), ("scan-7", "C1")]
    (reject,) = shop.store.imports.rejects(result.import_id)
    assert (reject.code, reject.message) == (
        "E_OWNER",
        "'C9-9' is no stored shop.line of source erp",
    )


def test_an_older_effective_date_is_refused_and_not_taken_for_news(shop):
    profile = CUSTOMERS.replace("[source]", '[source]\neffective = "day"')
    head = "id,name,phone,office,tier,household,born,member,score,day\n"
    shop.load(head + "A,one,,,,,,,,2026-02-01\n", profile)
    result = shop.load(head + "A,zero,,,,,,,,2026-01-01\n", profile)
    assert counts(result) == (1, 0, 0, 0, 1)
    (reject,) = shop.store.imports.rejects(result.import_id)
    assert (reject.code, reject.field) == ("E_STALE", "effective")
    assert "2026-01-31 16:00:00" in reject.allowed
    assert counts(shop.load(head + "A,two,,,,,,,,2026-03-01\n", profile)) == (1, 0, 1, 0, 0)
    (span,) = shop.sql("select valid_from, valid_to from customer_history")
    assert [str(t)[:10] for t in span] == ["2026-01-31", "2026-02-28"]


def test_a_plugin_may_refuse_rows_and_sees_values_in_their_types(shop):
    def refuse_unpaid(batch):
        if batch.entity != "shop.bill":
            return []
        assert batch.columns["due_on"][0] == date(2026, 2, 15)
        assert isinstance(batch.columns["occurred_at"][0], datetime)
        assert batch.columns["occurred_at"][0].utcoffset().total_seconds() == 0
        assert list(batch.columns["total_minor"]) == [1250, 0]
        paid = batch.columns["paid"]
        return [
            RowFault(row=i, field="paid", value=p, message="is not paid", allowed="true")
            for i, p in enumerate(paid)
            if p is False
        ]

    shop.host.check = refuse_unpaid
    result = shop.load(BILLED, EVERYTHING)
    assert counts(result) == (3, 2, 0, 0, 1)
    (reject,) = shop.store.imports.rejects(result.import_id)
    assert (reject.line, reject.code, reject.field, reject.value, reject.allowed) == (
        4, "E_PLUGIN_CHECK", "paid", "False", "true",
    )  # fmt: skip
    assert reject.message == "is not paid (plugin shop)"
    seen = {b.entity: b for b in shop.host.batches}
    assert seen["shop.line"].columns["opened_at"][0].isoformat() == "2026-01-05T09:00:00+00:00"


def test_plugins_are_not_asked_about_rows_that_are_rejected_already(lite):
    lite.load(ROWS.replace("basic", "gold"), CUSTOMERS)
    assert [(b.entity, b.size) for b in lite.host.batches] == [
        ("customer", 1),
        ("shop.customer", 1),
    ]


def test_a_plugin_that_fails_stops_the_import_which_can_be_resumed(shop, monkeypatch):
    monkeypatch.setattr("crmkit.intake.csv_rows.BATCH_ROWS", 2)
    rows = "id,name,phone,office,tier,household,born,member,score\n"
    rows += (
        "".join(f"K{i},n,,,{'x' if i == 1 else ''},,,,\n" for i in range(5))
        + "K0,n,,,,,,,\nK2,m,,,,,,,\n"
    )

    def fail_on_third(batch):
        if len(shop.host.batches) > 3:
            raise ZeroDivisionError("broken check")
        return []

    shop.host.check = fail_on_third
    with pytest.raises(PluginError, match="plugin shop, check_rows: broken check"):
        shop.load(rows, CUSTOMERS)
    assert shop.sql('select status, next_line, "read", rejected from import_run') == [
        ("running", 4, 2, 1)
    ]
    shop.host.check = None
    result = shop.load(rows, CUSTOMERS)
    assert result.resumed_at == 4
    assert counts(result) == (7, 4, 0, 1, 2)
    assert shop.one("select count(*) from customer") == 4
    rejects = shop.store.imports.rejects(result.import_id)
    assert [(r.line, r.code) for r in rejects] == [(3, "E_ENUM"), (8, "E_DUPLICATE")]
    # What was in memory before the interruption is known again: line 4 is still the first.
    assert rejects[1].message == "line 4 has the same key and other values"
    assert shop.sql("select status from import_run") == [("done",)]
    assert shop.load(rows, CUSTOMERS).resumed_at is None


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (StorageError("the connection was lost.", hint="Check the server."), StorageError),
        (KeyboardInterrupt(), Interrupted),
    ],
)
def test_an_import_that_is_cut_off_says_what_is_stored(lite, monkeypatch, error, raised):
    """Of four rows, two a batch, the server goes away or the operator stops before the last two."""
    monkeypatch.setattr("crmkit.intake.csv_rows.BATCH_ROWS", 2)
    rows = "id,name,phone,office,tier,household,born,member,score\n"
    rows += "".join(f"K{i},n,,,,,,,\n" for i in range(4))
    load, calls = Loader.load, []

    def cut_off(self, tx, batch):
        calls.append(batch)
        if len(calls) == 2:
            raise error
        return load(self, tx, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Loader, "load", cut_off)
        with pytest.raises(raised) as caught:
            lite.load(rows, CUSTOMERS)
    assert "2 rows were read and 2 of them are stored; the same command goes on" in str(
        caught.value
    )
    assert caught.value.exit_code == raised.exit_code
    result = lite.load(rows, CUSTOMERS)
    assert (result.resumed_at, result.created) == (4, 4)


def test_another_profile_or_source_does_not_resume(lite, monkeypatch):
    monkeypatch.setattr("crmkit.intake.csv_rows.BATCH_ROWS", 1)

    def fail_on_second(batch):
        if len(lite.host.batches) > 2:
            raise ZeroDivisionError("broken check")
        return []

    lite.host.check = fail_on_second
    with pytest.raises(PluginError):
        lite.load(ROWS, CUSTOMERS)
    lite.host.check = None
    assert lite.load(ROWS, CUSTOMERS + "\n# changed").resumed_at is None
    assert lite.load(ROWS, CUSTOMERS, source="other").resumed_at is None
    assert lite.load(ROWS, CUSTOMERS).resumed_at == 3


def test_a_file_that_changes_while_it_is_imported_is_refused(lite, monkeypatch):
    monkeypatch.setattr("crmkit.intake.csv_rows.BATCH_ROWS", 1)
    file = lite.folder / "rows.csv"

    def meddle(done: int, total: int) -> None:
        with file.open("a") as out:
            out.write("Z9,Zoe,,,,,,,\n")

    with pytest.raises(
        InputRefused, match=r"rows\.csv was changed while it was imported"
    ) as caught:
        lite.load(ROWS, CUSTOMERS, progress=meddle)
    assert caught.value.code == "E_FILE_CHANGED"
    assert lite.one("select count(*) from customer") == 1


def test_two_imports_of_one_source_at_once_lose_and_double_nothing(shop, monkeypatch):
    """The second one begins after the first has decided that nothing is stored yet."""
    monkeypatch.setattr("crmkit.intake.csv_rows.BATCH_ROWS", 2)
    head = "id,name,phone,office,tier,household,born,member,score\n"
    first = head + "".join(f"K{i},n,,,,,,,\n" for i in range(6))
    second = shop.write("second.csv", head + "".join(f"K{i},n,,,,,,,\n" for i in range(3, 9)))
    profile = str(shop.write("profile2.toml", CUSTOMERS))
    inner = []

    def interleave(done: int, total: int) -> None:
        if not inner:
            inner.append(shop.intake.import_file(second, profile))

    outer = shop.load(first, CUSTOMERS, progress=interleave)
    assert counts(inner[0]) == (6, 6, 0, 0, 0)
    assert counts(outer) == (6, 3, 0, 3, 0)
    assert shop.sql("select count(*), count(distinct ref) from customer_ref") == [(9, 9)]
    assert shop.one("select count(*) from customer") == 9
    assert shop.one("select count(*) from shop_customer") == 9


def test_a_cut_in_row_with_unknown_columns_is_listed_or_refused(lite):
    rows = ROWS.replace("score\n", "score,extra\n")
    assert lite.load(rows, CUSTOMERS).unknown == ("extra",)
    with pytest.raises(InputRefused, match="does not map: extra") as caught:
        lite.load(rows, CUSTOMERS, strict=True)
    assert caught.value.code == "E_COLUMN_UNKNOWN"


def test_a_file_that_lacks_a_mapped_column_is_refused_unless_optional(lite):
    rows = ROWS.replace("tier", "teir")
    with pytest.raises(InputRefused, match=r"lacks the columns 'tier'.*Is it 'teir'") as caught:
        lite.load(rows, CUSTOMERS)
    assert caught.value.code == "E_COLUMN_MISSING"
    assert lite.one("select count(*) from import_run") == 0
    optional = CUSTOMERS.replace("[source]", '[source]\noptional = ["tier"]')
    assert counts(lite.load(rows, optional)) == (2, 2, 0, 0, 0)


def test_an_unsound_profile_changes_nothing_and_names_every_fault(lite):
    with pytest.raises(ProfileError) as caught:
        lite.load(ROWS, CUSTOMERS.replace("shop.customer", "gone.customer"))
    assert "no enabled plugin declares 'gone.customer'" in str(caught.value)
    assert caught.value.exit_code == 5
    assert lite.one("select count(*) from import_run") == 0


JSONL = """
name = "web"
[source]
name = "web"
format = "jsonl"
key = ["id"]
[[emit]]
entity = "customer"
key = "id"
[emit.fields]
name = "who.name"
[[emit]]
entity = "shop.customer"
[emit.fields]
household = "size"
member = "member"
tags = "tags"
score = "score"
"""


def test_json_lines_are_read_as_rows(shop):
    lines = [
        {
            "id": "J1",
            "who": {"name": "Zoë"},
            "size": 3,
            "member": True,
            "tags": ["a", "b"],
            "score": 0.1,
        },
        {"id": 2, "who": None, "size": None, "member": False, "extra": 1},
    ]
    content = "\n".join(json.dumps(line) for line in lines) + '\n\n{"id": 3, "id": 4}\nnot json\n'
    result = shop.load(content, JSONL, name="rows.jsonl")
    assert counts(result) == (4, 2, 0, 0, 2)
    assert result.unknown == ("extra",)
    assert shop.sql("select ref from customer_ref order by ref") == [("2",), ("J1",)]
    assert shop.sql("select household, tags, score from shop_customer order by household") in (
        [(None, None, None), (3, '["a","b"]', 0.1)],
        [(3, '["a","b"]', 0.1), (None, None, None)],
    )
    rejected = [
        json.loads(line)
        for line in Path(result.rejects_file).read_text(encoding="utf-8").splitlines()
    ]
    assert [(r["_line"], r["_code"]) for r in rejected] == [(4, "E_JSON"), (5, "E_JSON")]
    assert rejected[0]["_message"] == "the key 'id' stands twice"
    assert rejected[1]["_text"] == "not json"


def test_standard_input_is_a_file_too(lite, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(ROWS.encode()), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", stream)
    profile = str(lite.write("profile.toml", CUSTOMERS))
    assert counts(lite.intake.import_file("-", profile)) == (2, 2, 0, 0, 0)
    assert lite.sql("select file_name from import_run") == [("stdin",)]


def test_a_file_that_holds_everybody_lists_who_it_leaves_out(shop, monkeypatch):
    monkeypatch.setattr("crmkit.intake.csv_rows.BATCH_ROWS", 2)
    shop.load(ROWS + "C3,Cid,,,,,,,\nD4,Dan,,,,,,,\n", CUSTOMERS)
    shop.load(ROWS, CUSTOMERS, source="other")
    full = CUSTOMERS.replace("[source]", '[source]\nmode = "full"')
    # C3 is there, though its row is rejected.
    result = shop.load(ROWS.split("B2")[0] + "C3,Cid,,,gold,,,,\n", full)
    assert counts(result) == (2, 0, 0, 1, 1)
    assert result.absent == 2
    listed = Path(result.absent_file).read_text(encoding="utf-8")
    assert listed == "source,ref\ncrm,B2\ncrm,D4\n"
    assert shop.one("select count(*) from customer") == 6


def test_older_files_read_again_are_unchanged_where_they_contradict_nothing(shop):
    profile = CUSTOMERS.replace("[source]", '[source]\neffective = "day"')
    head = "id,name,phone,office,tier,household,born,member,score,day\n"
    january = head + "A,one,,,,,,,,2026-01-01\n"
    shop.load(january, profile)
    shop.load(head + "A,two,,,,,,,,2026-02-01\n", profile)
    assert counts(shop.load(january, profile)) == (1, 0, 0, 1, 0)
    before_all = head + "A,two,,,,,,,,2025-12-01\n"
    assert counts(shop.load(before_all, profile)) == (1, 0, 0, 1, 0)
    against = head + "A,two,,,,,,,,2026-01-15\n"
    assert counts(shop.load(against, profile)) == (1, 0, 0, 0, 1)
    assert shop.sql("select name, version from customer") == [("two", 2)]


def test_a_batch_that_had_to_give_way_is_loaded_again_under_the_same_keys(
    shop, monkeypatch, tmp_path
):
    """Rows without a key are numbered: a second try must not take them for second rows."""
    profile = PROFILE_WITHOUT_KEY
    save, tries = shop.store.imports.save_progress, []

    def contended(*args, **kwargs):
        tries.append(1)
        if len(tries) < 4:
            raise Contended("deadlock")
        return save(*args, **kwargs)

    monkeypatch.setattr(shop.store.imports, "save_progress", contended)
    rows = "name\nAnn\nBo\nAnn\n"
    result = shop.load(rows, profile)
    assert (result.created, len(tries)) == (3, 4)
    again = shop.load(rows, profile + "# once more\n")
    assert (again.created, again.unchanged) == (0, 3)
    tries.clear()
    monkeypatch.setattr(shop.store.imports, "save_progress", contended_always(tries))
    with pytest.raises(Contended):
        shop.load("name\nCy\n", profile)
    assert len(tries) == 4


def contended_always(tries):
    def save(*_, **__):
        tries.append(1)
        raise Contended("deadlock")

    return save


PROFILE_WITHOUT_KEY = """
name = "p"
[source]
name = "p"
[[emit]]
entity = "customer"
[emit.fields]
name = "name"
"""
