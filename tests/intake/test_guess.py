"""Drafted profiles: what headers and values say, and that real files come in through the draft."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from attrs import evolve

from crmkit.entities.fields import Field, FieldType
from crmkit.errors import InputRefused, NotFound
from crmkit.intake.guess import Drafted, guess_profile
from crmkit.intake.guess.headers import likeness, role_of, words_of
from crmkit.intake.guess.shapes import shape_of

from .conftest import Shop

# Public files, with what has to be found in each: entities and the customer's key (None: the row's hash).
FILES = {
    "telco_ibm/telco_churn.csv": (["customer"], "customerID"),
    "telco_ibm/telco_churn_reasons.csv": (["customer"], "customerid"),
    "febrl/febrl1.csv": (["customer"], "rec_id"),
    "febrl/febrl4a.csv": (["customer"], "rec_id"),
    "febrl/febrl4b.csv": (["customer"], "rec_id"),
    "splink_fake_1000/fake_1000.csv": (["customer"], "unique_id"),
    "bank_marketing/bank_marketing.csv": (["customer"], None),
    "german_credit/german_credit.csv": (["customer"], None),
    "cdnow/cdnow_transactions.csv": (["customer", "core.order"], "customer_id"),
    "hotel_bookings/hotel_bookings_2015_2016.csv": (["customer"], None),
    "olist/customers.csv": (["customer"], "customer_id"),
}


def with_core(shop: Shop) -> Shop:
    """The shop with core's interaction kinds, as every workspace has them."""
    from crmkit.builtin.core.kinds import interaction_kinds

    kinds = {**shop.intake.catalog.interaction_kinds, **{k.name: k for k in interaction_kinds()}}
    shop.intake.catalog = evolve(shop.intake.catalog, interaction_kinds=kinds)
    shop.intake.store.catalog = shop.intake.catalog
    return shop


def drafted(shop: Shop, file: Path, **options: object) -> Drafted:
    return guess_profile(file, shop.intake.catalog, shop.intake.settings, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("MonthlyCharges", ("monthly", "charges")),
        ("customerID", ("customer", "id")),
        ("ＰＨＯＮＥ no.", ("phone", "no")),
        ("zip_code-prefix", ("zip", "code", "prefix")),
        ("客户 姓名", ("客户", "姓名")),
    ],
)
def test_header_is_split_into_words(header: str, words: tuple[str, ...]) -> None:
    assert words_of(header) == words


@pytest.mark.parametrize(
    ("header", "role"),
    [
        ("E-Mail", "email"), ("手机号码", "phone_mobile"), ("客户姓名", "name"), ("Surname", "family_name"),
        ("CustNo", "key"), ("會員編號", "key"), ("订单日期", "date"), ("soc_sec_id", None), ("status", None),
    ],
)  # fmt: skip
def test_header_says_a_role_in_english_and_chinese(header: str, role: str | None) -> None:
    found = role_of(header)
    assert (found and found[0]) == role


def test_likeness_orders_names_by_how_much_has_to_be_overlooked() -> None:
    fee = Field("monthly_fee", FieldType.MONEY, {"title": "Monthly fee", "title_zh": "月租费"})
    same = likeness("MonthlyFee", fee)
    words = likeness("MonthlyCharges", fee)
    near = likeness("monthlyfees", fee)
    assert same == likeness("月租费", fee) == 0.95
    assert same > words > near > likeness("yearly_fee", fee) == 0.0


@pytest.mark.parametrize(
    ("cells", "kind", "date"),
    [
        (["2026-03-31", "2026-04-01"], "date", None),
        (["2026-03-31T10:00:00Z"], "instant", None),
        (["31/03/2026", "01/04/2026"], "date", "%d/%m/%Y"),
        (["03/31/2026", "04/01/2026"], "date", "%m/%d/%Y"),
        (["20260331", "20251231"], "date", "%Y%m%d"),
        (["2026年3月31日"], "date", "%Y年%m月%d日"),
        (["31.03.2026 10:00"], "instant", "%d.%m.%Y %H:%M"),
        (["12", "-3", ""], "integer", None),
        (["12.5", "3"], "number", None),
        (["a@b.org", "c@d.cn"], "email", None),
        (["+86 10 1234 5678", "010-12345678"], "phone", None),
        (["Ann", "Bob"], "text", None),
        (["", None], "text", None),
    ],
)
def test_values_say_type_and_date_format(
    cells: list[str | None], kind: str, date: str | None
) -> None:
    found = shape_of(cells)
    assert (found.kind, found.date) == (kind, date)


def test_a_date_that_may_be_two_is_told() -> None:
    assert shape_of(["03/04/2026", "05/06/2026"]).also == "%m/%d/%Y"
    assert shape_of(["03/04/2026", "31/06/2025", "31/05/2026"]).also is None


def test_number_signs_are_read_from_the_values() -> None:
    european, english = shape_of(["1.234,50", "7,25"]), shape_of(["1,234.50", "7.25"])
    assert (european.decimal, european.thousands) == (",", ".")
    assert (english.decimal, english.thousands) == (None, ",")


def test_words_for_missing_are_data_among_names() -> None:
    assert shape_of(["12", "7", "NA", "?"]).null == ("NA", "?")
    assert shape_of(["Ann", "None", "null", "Null"]).null == ()
    assert shape_of(["PRT", "NULL"]).null == ("NULL",)


def test_chinese_headers_make_a_whole_profile(lite: Shop) -> None:
    file = lite.write(
        "客户.csv",
        "客户编号,姓,名,手机号码,邮箱,省份,城市,地址,tier\n"
        "K1,王,小明,13800138000,w@example.cn,广东,深圳,南山路1号,Basic\n"
        "K2,李,雷,13900139000,l@example.cn,北京,北京,长安街2号,MAX\n",
    )
    found = drafted(with_core(lite), file)
    profile = tomllib.loads(found.text)
    customer, shop = profile["emit"]
    assert customer["key"] == "客户编号"
    assert customer["fields"]["name"] == {"join": ["姓", "名"], "sep": ""}
    assert customer["fields"]["phone"] == "手机号码"
    assert customer["fields"]["region"] == "省份"
    assert shop["fields"]["tier"] == {"column": "tier", "map": {"Basic": "basic", "MAX": "max"}}
    assert found.rows == found.fitting == 2
    result = lite.load(file.read_text(encoding="utf-8"), found.text)
    assert (result.created, result.rejected) == (2, 0)
    assert lite.sql("SELECT name FROM customer ORDER BY name") == [("李雷",), ("王小明",)]
    assert lite.sql("SELECT tier FROM shop_customer ORDER BY tier") == [("basic",), ("max",)]


def test_a_choice_with_a_value_that_is_none_of_them_stays_unmapped(lite: Shop) -> None:
    file = lite.write("a.csv", "id,tier\n1,basic\n2,gold\n")
    found = drafted(lite, file)
    assert [(g.column, g.target) for g in found.columns] == [
        ("id", "customer: key"),
        ("tier", None),
    ]
    assert "# Not mapped: tier" in found.text


def test_a_field_that_would_spoil_rows_is_left_out(lite: Shop) -> None:
    """Its header and type fit, but the schema allows at most 20."""
    rows = "".join(f"{i},{i * 10}\n" for i in range(1, 11))
    found = drafted(lite, lite.write("a.csv", f"id,household\n{rows}"))
    assert found.columns[1].target is None
    assert (found.rows, found.fitting) == (10, 10)


def test_events_of_repeated_customers_are_interactions(lite: Shop) -> None:
    file = lite.write(
        "orders.csv",
        "order_no,cust_no,email,order_date,amount_eur,qty\n"
        'A1,7,a@b.org,31/01/2026,"1.234,50",2\n'
        'A2,7,a@b.org,01/02/2026,"7,25",1\n'
        'A3,8,c@d.org,02/02/2026,"9,00",1\n',
    )
    profile = tomllib.loads(drafted(with_core(lite), file).text)
    customer, order = profile["emit"]
    assert customer == {"entity": "customer", "key": "cust_no", "fields": {"email": "email"}}
    assert order["entity"] == "core.order"
    assert order["key"] == "order_no"
    assert order["occurred_at"] == {"column": "order_date", "date": "%d/%m/%Y"}
    assert order["amount"] == {
        "column": "amount_eur", "currency": "EUR", "decimal": ",", "thousands": ".",
    }  # fmt: skip
    assert order["fields"] == {"quantity": "qty"}


def test_another_encoding_is_named_and_not_taken(lite: Shop) -> None:
    file = lite.write("a.csv", "编号,姓名\n1,王伟\n".encode("gb18030"))
    with pytest.raises(InputRefused, match=r"a\.csv is not utf-8") as refused:
        drafted(lite, file)
    assert refused.value.code == "E_ENCODING"
    assert "gb18030" in refused.value.hint
    found = drafted(lite, file, encoding="gb18030")
    assert tomllib.loads(found.text)["source"]["encoding"] == "gb18030"
    with pytest.raises(NotFound, match=r"no file .*b\.csv"):
        drafted(lite, lite.folder / "b.csv")


def test_json_lines_are_drafted_too(lite: Shop) -> None:
    file = lite.write(
        "a.jsonl",
        '{"id": 1, "name": "Ann", "address": {"city": "Oslo"}}\n{"id": 2, "name": "Bob"}\n',
    )
    found = drafted(lite, file)
    assert tomllib.loads(found.text)["source"]["format"] == "jsonl"
    assert [g.column for g in found.columns] == ["id", "name", "address.city"]
    assert found.columns[0].target == "customer: key"


def test_packed_files_and_parquet_are_drafted_and_come_in(lite: Shop) -> None:
    import gzip

    import pyarrow as pa
    import pyarrow.parquet as pq

    packed = lite.write("a.csv.gz", gzip.compress(b"id,name\n1,Ann\n2,Bob\n"))
    pq.write_table(pa.table({"id": [3, 4], "name": ["Cy", "Di"]}), lite.folder / "b.parquet")
    for file, form in ((packed, "csv"), (lite.folder / "b.parquet", "parquet")):
        found = drafted(lite, file)
        assert tomllib.loads(found.text)["source"]["format"] == form
        assert [g.target for g in found.columns] == ["customer: key", "customer: name"]
        path = lite.write("draft.toml", found.text)
        assert lite.intake.import_file(file, str(path)).created == 2


def test_a_header_cannot_end_its_comment_or_its_text(lite: Shop) -> None:
    file = lite.write("a.csv", 'id,"x\u2028y = ""1"" \\ # z",name\n1,2,Ann\n')
    profile = tomllib.loads(drafted(lite, file).text)
    assert profile["emit"][0]["fields"] == {"name": "name"}


@pytest.mark.parametrize(
    ("cells", "date"),
    [
        (["1/31/24", "12/25/24"], "%m/%d/%y"), (["31.12.99", "1.2.03"], "%d.%m.%y"), (["31/12/2024", "1/2/2024"], "%d/%m/%Y"),
        (["31-Dec-24"], "%d-%b-%y"), (["Dec 31 2024"], "%b %d %Y"), (["31/12/2024 23:59"], "%d/%m/%Y %H:%M"),
        (["12/31/2024 11:59:00 PM"], "%m/%d/%Y %I:%M:%S %p"), (["2024-12-31T23:59"], None),
    ],
)  # fmt: skip
def test_more_spellings_of_dates_are_known(cells: list[str], date: str | None) -> None:
    assert shape_of(cells).date == date


@pytest.mark.parametrize(
    ("cells", "styles", "sign"),
    [
        (["12.5", "3"], [(None, None, 1)], None),
        (["1.234,50", "13,00"], [(",", ".", 2)], None),
        (["$1,234.50", "$13.00"], [(None, ",", 2)], "$"),
        (["1 234,50 €", "7,00 €"], [(",", " ", 2)], "€"),
        (["1\u202f234,50"], [(",", " ", 2)], None),
        (["CHF 1'234.50", "CHF 3.00"], [(None, "'", 2)], "CHF"),
        (["(12.00)", "-3.00", "4.00-"], [(None, None, 2)], None),
        # Two readings: a thousand and some, or one and some thousandths.
        (["1,234", "5,678"], [(None, ",", 0), (",", None, 3)], None),
        (["1.234", "5.678"], [(None, None, 3), (None, ".", 0)], None),
    ],
)  # fmt: skip
def test_numbers_say_every_way_to_read_them(cells, styles, sign) -> None:
    found = shape_of(cells)
    assert [(s.decimal, s.thousands, s.decimals) for s in found.styles] == styles
    assert (found.kind, found.sign) == ("number", sign)


def test_amounts_of_two_currencies_are_no_column_of_money() -> None:
    assert shape_of(["$5.00", "€5.00"]).kind == "text"
    assert shape_of(["ABC 5", "XYZ 7"]).kind == "text"


LINES = {
    # Values of opened_at and fee; how they are read; what is stored; what is said.
    "day first": (("01/02/2024", "25/12/2024"), ("1.234,50", "13,00"), "%d/%m/%Y", {"decimal": ",", "thousands": "."}, ("2024-01-31 16:00", 123450), "dates as %d/%m/%Y)"),
    "month first": (("1/31/24", "12/25/24"), ("$1,234.50", "$13.00"), "%m/%d/%y", {"thousands": ",", "currency": "USD"}, ("2024-01-30 16:00", 123450), "two-digit years from 1930)"),
    "either": (("01/02/2024", "03/04/2024"), ("12.00", "13.00"), "%d/%m/%Y", {}, ("2024-01-31 16:00", 1200), "dates as %d/%m/%Y, but %m/%d/%Y fits as well"),
    "thousands of a currency with two decimals": (("2024-02-01", "2024-02-02"), ("1.234", "5.678"), None, {"thousands": "."}, ("2024-01-31 16:00", 123400), "thousands '.'"),
}  # fmt: skip


@pytest.mark.parametrize("case", LINES)
def test_dates_and_money_are_mapped_by_their_values(lite: Shop, case: str) -> None:
    dates, fees, date, fee, stored, said = LINES[case]
    rows = "".join(f'{i},n,{d},"{f}"\n' for i, (d, f) in enumerate(zip(dates, fees, strict=True)))
    file = lite.write("a.csv", f"customer_id,name,opened_at,fee\n{rows}")
    found = drafted(lite, file)
    _, line = tomllib.loads(found.text)["emit"]
    assert line["entity"] == "shop.line"
    given = line["fields"]["opened_at"]
    assert given == "opened_at" if date is None else given["date"] == date
    more = line["fields"]["fee"]
    assert ({} if more == "fee" else {k: v for k, v in more.items() if k != "column"}) == fee
    assert said in found.text
    done = lite.intake.import_file(file, str(lite.write("p.toml", found.text)))
    assert (done.created, done.rejected) == (2, 0)
    ((opened, minor),) = lite.sql("select opened_at, fee_minor from shop_line order by id limit 1")
    assert (opened[:16], minor) == stored


def test_a_date_that_may_be_two_is_read_as_the_files_other_dates(lite: Shop) -> None:
    file = lite.write(
        "a.csv", "id,opened_at,seen\n1,01/02/2024,12/25/2024\n2,03/04/2024,11/30/2024\n"
    )
    found = drafted(lite, file)
    (guess,) = (g for g in found.columns if g.column == "opened_at")
    assert (guess.values, guess.remark) == ("date %m/%d/%Y", "dates as %m/%d/%Y")


@pytest.mark.parametrize(
    ("header", "values", "target"),
    [
        ("fee", ("1.00", "2.00"), "shop.line: fee"),
        ("shop.line.number", ("11", "12"), "shop.line: number"),
        ("line_number", ("11", "12"), "shop.line: number"),
        # A word that may head any file, and values that are none of the field's.
        ("number", ("11", "11"), None), ("fee", ("high", "low"), None),
    ],
)  # fmt: skip
def test_the_very_name_of_a_records_field_is_found(lite: Shop, header, values, target) -> None:
    rows = "".join(f"{i},{v}\n" for i, v in enumerate(values))
    found = drafted(lite, lite.write("a.csv", f"customer_id,{header}\n{rows}"))
    assert found.columns[1].target == target


def test_truths_and_counts_written_as_one_point_nought_are_drafted(lite: Shop) -> None:
    file = lite.write(
        "a.csv", "id,member,household,phone\n1,1.0,2.0,49301234567.0\n2,0.0,3.0,49301234568.0\n"
    )
    found = drafted(lite, file)
    assert [g.target for g in found.columns] == [
        "customer: key", "shop.customer: member", "shop.customer: household", "customer: phone",
    ]  # fmt: skip
    assert lite.intake.import_file(file, str(lite.write("p.toml", found.text))).created == 2
    assert lite.sql("select member, household from shop_customer order by household") == [
        (1, 2),
        (0, 3),
    ]


ABOVE = {
    "nothing": ("", 0),
    "a title": ("Customer list 2026\n", 1),
    "a title and its delimiters": ("Customer list 2026,,,\n", 1),
    "titles and a blank line": ("Customers of ACME\nExported by: Ann\n\n", 3),
    "two cells a line": ("Exported by,Ann\nOn,2026-01-31\n", 2),
    "a title over two lines": ('"Customers\nof ACME",,,\n', 2),
    "blank lines": ("\n,,,\n", 0),
    "a sep line": ("sep=,\n", 0),
    "a sep line and a title": ("sep=,\nCustomer list 2026\n", 2),
}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
@pytest.mark.parametrize("case", ABOVE)
def test_the_header_is_found_below_titles_and_the_draft_reads_the_file(
    lite: Shop, case: str, encoding: str
) -> None:
    above, skipped = ABOVE[case]
    text = above + "no,name,phone,email\n12,李雷,+4930121212,l@x.org\n13,Bo,+4930131313,b@x.org\n"
    file = lite.write("a.csv", text.encode(encoding))
    found = drafted(lite, file, encoding="gb18030" if encoding == "gb18030" else "utf-8")
    source = tomllib.loads(found.text)["source"]
    assert source.get("skip_lines", 0) == skipped
    assert source["key"] == ["no"]
    done = lite.intake.import_file(file, str(lite.write("p.toml", found.text)))
    assert (done.created, done.rejected) == (2, 0)


def test_the_delimiter_is_that_of_the_rows_and_not_of_a_title(lite: Shop) -> None:
    file = lite.write("a.csv", "Prices, fees, and more\nid;name\n1;Ann\n2;Bob\n")
    source = tomllib.loads(drafted(lite, file).text)["source"]
    assert (source["delimiter"], source["skip_lines"]) == (";", 1)


def test_the_header_of_a_workbook_is_found_below_titles(lite: Shop) -> None:
    import xlsxwriter

    path = lite.folder / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(1, 0, ("Customer list", "2026"))
        sheet.write_row(3, 0, ("no", "name", "email"))
        sheet.write_row(4, 0, (1, "Ann", "a@x.org"))
        sheet.write_row(5, 0, (2, "Bob", "b@x.org"))
    found = drafted(lite, path)
    assert tomllib.loads(found.text)["source"]["skip_lines"] == 3
    assert lite.intake.import_file(path, str(lite.write("p.toml", found.text))).created == 2


def test_cells_that_span_lines_are_found_and_set(lite: Shop) -> None:
    rows = "".join(f"{i},n\n" for i in range(300))
    file = lite.write("a.csv", f'no,name\n{rows}999,"Oda\nFifteen"\n')
    found = drafted(lite, file)
    assert tomllib.loads(found.text)["source"]["multiline"] is True
    assert (found.rows, found.fitting) == (301, 301)
    plain = drafted(lite, lite.write("b.csv", f'no,name\n{rows}999,"Oda"\n'))
    assert "multiline" not in tomllib.loads(plain.text)["source"]
    with pytest.raises(InputRefused, match="line 302: a quote opens"):
        drafted(lite, lite.write("c.csv", f'no,name\n{rows}999,"Oda\n'))


@pytest.mark.parametrize("name", FILES)
def test_public_file_comes_in_through_the_draft(name: str, lite: Shop, shared_data: Path) -> None:
    """No edit at all, where five are allowed; at least 95 % of rows."""
    file = shared_data / name
    if not file.is_file():
        pytest.skip(f"no {name}")
    entities, key = FILES[name]
    found = drafted(with_core(lite), file)
    profile = tomllib.loads(found.text)
    assert [e["entity"] for e in profile["emit"] if not e["entity"].startswith("shop.")] == entities
    assert profile["emit"][0].get("key") == key
    path = lite.write("draft.toml", found.text)
    result = lite.intake.import_file(file, str(path), dry_run=True)
    assert result.read == found.rows > 0
    assert result.rejected <= 0.05 * result.read
