"""Keys, phone numbers and codes that a spreadsheet or a data frame took for numbers."""

from __future__ import annotations

import pytest

from crmkit.intake.values import PrecisionLost, read_whole, whole_number

from .conftest import Shop

PROFILE = """
name = "p"
[source]
name = "p"
key = ["no"]
[[emit]]
entity = "customer"
key = "no"
[emit.fields]
name = "name"
phone = "phone"
[[emit]]
entity = "shop.line"
key = "{no}-1"
owner = { entity = "customer", column = "of", source = "p" }
[emit.fields]
number = "msisdn"
"""
CUSTOMERS = PROFILE.partition('[[emit]]\nentity = "shop.line"')[0]


def phones(lite: Shop) -> dict[str, str]:
    return dict(
        lite.sql(
            "select r.ref, p.value from contact_point p join customer_ref r on r.customer_id = p.customer_id"
        )
    )


def rejected(lite: Shop, result) -> list[tuple[int, str, str]]:
    found = lite.store.imports.rejects(result.import_id)
    return [(r.line, r.code, r.field) for r in found]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("49301234567.0", "49301234567"), ("49301234567,0", "49301234567"), ("2.00", "2"), ("-3.0", "-3"),
        ("+49301234567.0", "+49301234567"), ("20.0000", "20"), ("4.9301234567E+10", "49301234567"),
        ("4,9301234567e+10", "49301234567"), ("1E+00", "1"), ("1.50E+01", "15"),
        # Digits already, a fraction, a group of thousands, no number.
        ("20", None), ("2.5", None), ("2.000", None), ("2,000", None), ("1.05E+01", None), ("5E10", None),
        ("1.2.0", None), ("a.0", None), ("", None),
    ],
)  # fmt: skip
def test_a_whole_number_is_known_by_its_zeros(text: str, whole: str | None) -> None:
    assert whole_number(text) == whole


@pytest.mark.parametrize(
    "text", ["4.93E+11", "4.93012E+11", "4,93E+11", "1E+06", "1.380013800012346E+18"]
)
def test_a_number_with_fewer_digits_than_places_has_lost_some(text: str) -> None:
    with pytest.raises(PrecisionLost):
        whole_number(text)


def test_phones_are_restored_or_rejected_and_both_is_said(lite: Shop) -> None:
    content = (
        "no,name,phone\n20,Tom,4.93012E+11\n21,Uma,4.93E+11\n22,Vic,49301234567.0\n"
        "23,Wes,4.9301234567E+10\n24,Xi,+49 30 1234567\n"
    )
    result = lite.load(content, CUSTOMERS)
    assert phones(lite) == {"22": "49301234567", "23": "49301234567", "24": "+49 30 1234567"}
    assert [(line, code) for line, code, _ in rejected(lite, result)] == [
        (2, "E_PRECISION_LOST"), (3, "E_PRECISION_LOST"),
    ]  # fmt: skip
    (remark,) = result.remarks
    assert remark.startswith("column phone: whole numbers written with decimals")
    assert "(rows: 2, the first on line 4)" in remark


def test_keys_and_references_are_restored_alike(lite: Shop) -> None:
    lite.load("no,name,phone\n20.0,Tom,\n21.0,Uma,\n", CUSTOMERS)
    result = lite.load("no,name,phone,of,msisdn\n30,Vic,,20,1.0\n31,Wes,,21.0,22\n", PROFILE)
    assert (result.created, result.rejected) == (2, 0)
    refs = [ref for (ref,) in lite.sql("select ref from customer_ref order by ref")]
    assert refs == ["20", "21", "30", "31"]
    # A text field whose pattern takes digits only.
    assert lite.sql("select number from shop_line order by number") == [("1",), ("22",)]


def test_a_key_of_lost_digits_is_rejected_for_that(lite: Shop) -> None:
    result = lite.load("no,name,phone\n4.93E+11,Tom,\n5E10,Uma,\n", CUSTOMERS)
    assert rejected(lite, result) == [(2, "E_PRECISION_LOST", "no")]
    assert lite.sql("select ref from customer_ref") == [("5E10",)]


def test_numbers_of_sections_are_no_whole_numbers(lite: Shop) -> None:
    result = lite.load("no,name,phone\n1.0,a,\n1.1,b,\n2.0,c,\n", CUSTOMERS)
    assert result.remarks == ()
    assert lite.sql("select ref from customer_ref order by ref") == [("1.0",), ("1.1",), ("2.0",)]


def test_what_the_first_batch_decides_holds_for_the_file(lite: Shop, monkeypatch) -> None:
    monkeypatch.setattr("crmkit.intake.csv_rows.BATCH_ROWS", 2)
    lite.load("no,name,phone\n1.0,a,\n1.1,b,\n2.0,c,\n3.0,d,\n", CUSTOMERS)
    assert len(lite.sql("select 1 from customer_ref where ref like '%.0'")) == 3


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("no", ["00123", "00124", "125", "12345"], "column no: values that may have lost a leading zero, which others have (rows: 1, the first on line 4)"),
        ("phone", ["0301234567", "0171234567", "1701234", "30123456"], "column phone: values that may have lost a leading zero, which others have (rows: 2, the first on line 4)"),
        ("phone", ["0301234567", "+49301234567", "110"], ""),
        ("no", ["123", "124"], ""),
    ],
)  # fmt: skip
def test_a_zero_that_others_have_is_missed(lite: Shop, column: str, values: list[str], said: str):
    rows = [(v, "") if column == "no" else (str(i), v) for i, v in enumerate(values)]
    content = "no,name,phone\n" + "".join(f"{no},n,{phone}\n" for no, phone in rows)
    result = lite.load(content, CUSTOMERS)
    assert result.rejected == 0
    assert " ".join(result.remarks).startswith(said)
    assert bool(said) == bool(result.remarks)


FIELDS = """
name = "p"
[source]
name = "p"
key = ["no"]
[values.tiers]
1 = "basic"
2 = "plus"
[lookups.tiers]
file = "tiers.csv"
key = "code"
[[emit]]
entity = "customer"
key = "no"
when = { column = "kind", equals = "1" }
[emit.fields]
name = "name"
[[emit]]
entity = "shop.customer"
when = { column = "kind", equals = "1" }
[emit.fields]
household = "household"
member = "member"
tier = SPEC
"""


@pytest.mark.parametrize("sign", [".", ","])
@pytest.mark.parametrize("spec", ['{ column = "tier", map = "tiers" }', '{ column = "tier", lookup = "tiers", take = "tier" }'])  # fmt: skip
def test_codes_and_counts_written_as_one_point_nought(lite: Shop, sign: str, spec: str) -> None:
    lite.write("tiers.csv", "code,tier\n1,basic\n2,plus\n")
    content = f"no;name;kind;household;member;tier\n7;Ann;1{sign}0;2{sign}0;1{sign}0;2{sign}0\n"
    result = lite.load(content, FIELDS.replace("SPEC", spec))
    assert (result.created, result.rejected) == (1, 0)
    assert lite.sql("select household, member, tier from shop_customer") == [(2, 1, "plus")]


@pytest.mark.parametrize("text", ["2.5", "2,5", "2.000", "2,000", "1E+06"])
def test_what_is_no_whole_number_is_rejected(lite: Shop, text: str) -> None:
    content = f"no;name;kind;household;member;tier\n7;Ann;1;{text};1;1\n"
    result = lite.load(content, FIELDS.replace("SPEC", '{ column = "tier", map = "tiers" }').replace('[lookups.tiers]\nfile = "tiers.csv"\nkey = "code"\n', ""))  # fmt: skip
    code = "E_PRECISION_LOST" if "E" in text else "E_TYPE"
    assert rejected(lite, result) == [(2, code, "household")]


def test_grouped_numbers_keep_their_groups() -> None:
    def plain(text: str) -> str:
        return text.replace(",", "")

    assert [read_whole(t, plain) for t in ("1,234", "1,234.0", "12.00")] == [1234, 1234, 12]


def test_cells_of_the_wrong_kind_or_with_two_numbers_are_told_and_taken_apart(lite: Shop) -> None:
    content = "no,name,phone\n1,a,a@x.org\n2,b,0301234567 / 0171234567\n3,c,0301234567\n"
    result = lite.load(content, CUSTOMERS)
    found = lite.store.imports.rejects(result.import_id)
    assert [(r.line, r.message.partition(" ")[2]) for r in found] == [
        (2, "is an e-mail address and not a phone number"),
        (3, "/ 0171234567' holds several phone numbers, and one is allowed"),
    ]
    apart = CUSTOMERS.replace(
        'phone = "phone"',
        'phone = { column = "phone", split = "/", part = 1 }\n'
        '"phone.second" = { column = "phone", split = "/", part = 2 }',
    )
    assert lite.load("no,name,phone\n2,b,0301234567 / 0171234567\n", apart).created == 1
    values = lite.sql("select value from contact_point order by value")
    assert [v for (v,) in values] == ["0171234567", "0301234567", "0301234567"]
