"""Formats beyond plain text: resumed, rejected and mended as a CSV file is; and encodings suggested."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from crmkit.errors import InputRefused
from crmkit.intake.encodings import suggest_encodings
from crmkit.present.files import write_csv
from crmkit.present.grid import Grid
from crmkit.testing.corpus import CASES

PROFILE = """
name = "p"
[source]
name = "p"
format = "FORMAT"
date = "%d/%m/%Y"
key = ["id"]
[[emit]]
entity = "customer"
key = "id"
[emit.fields]
name = "name"
[[emit]]
entity = "shop.customer"
[emit.fields]
born_on = "born"
"""
ROWS = [(f"c{i}", f"name {i}", date(1990, 1, 1 + i)) for i in range(9)]
BATCHES = ("csv_rows", "xlsx_rows", "parquet_rows")


def as_csv(rows) -> bytes:
    lines = [f"{i},{n},{b:%d/%m/%Y}" if isinstance(b, date) else f"{i},{n},{b}" for i, n, b in rows]
    return "\n".join(["id,name,born", *lines]).encode()


def as_gzip(rows) -> bytes:
    return gzip.compress(as_csv(rows), mtime=0)


def as_xlsx(rows) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, ("id", "name", "born"))
        for number, (ref, name, born) in enumerate(rows, 1):
            sheet.write_row(number, 0, (ref, name))
            if isinstance(born, date):
                sheet.write_datetime(number, 2, born, day)
            else:
                sheet.write_string(number, 2, born)
    return out.getvalue()


def as_parquet(rows) -> bytes:
    out = io.BytesIO()
    ids, names, births = zip(*rows, strict=True)
    texts = [f"{b:%d/%m/%Y}" if isinstance(b, date) else b for b in births]
    days = texts if any(isinstance(b, str) for b in births) else list(births)
    pq.write_table(pa.table({"id": ids, "name": names, "born": days}), out)
    return out.getvalue()


FORMATS = {
    "csv": ("csv", as_csv), "gzip": ("csv", as_gzip), "xlsx": ("xlsx", as_xlsx),
    "parquet": ("parquet", as_parquet),
}  # fmt: skip


def profile(name: str) -> str:
    return PROFILE.replace("FORMAT", FORMATS[name][0])


class Stop(Exception):
    pass


@pytest.mark.parametrize("name", FORMATS)
def test_an_import_that_was_stopped_goes_on(shop, monkeypatch, name):
    for module in BATCHES:
        monkeypatch.setattr(f"crmkit.intake.{module}.BATCH_ROWS", 3)
    content, done = FORMATS[name][1](ROWS), []

    def stop(read: int, size: int) -> None:
        done.append(read)
        if len(done) == 2:
            raise Stop

    with pytest.raises(Stop):
        shop.load(content, profile(name), progress=stop)
    assert shop.one("select count(*) from customer") == 6
    result = shop.load(content, profile(name))
    assert (result.resumed_at, result.read, result.created) == (7 if name == "parquet" else 8, 9, 9)
    found = shop.sql(
        "select r.ref, c.name, cast(s.born_on as text) from customer c "
        "join customer_ref r on r.customer_id = c.id join shop_customer s on s.customer_id = c.id "
        "order by r.ref"
    )
    assert found == [(i, n, b.isoformat()) for i, n, b in ROWS]


@pytest.mark.parametrize("name", FORMATS)
def test_its_rejects_are_mended_and_imported_with_the_same_profile(lite, name):
    rows = [*ROWS[:2], ("c2", "Zoë 王", "1990-02-30")]
    first = lite.load(FORMATS[name][1](rows), profile(name))
    assert (first.created, first.rejected) == (2, 1)
    rejects = Path(first.rejects_file).read_text(encoding="utf-8")
    assert "E_TYPE" in rejects
    mended = lite.load(rejects.replace("1990-02-30", "28/02/1990"), profile(name))
    assert (mended.created, mended.rejected) == (1, 0)
    assert lite.one("select name from customer order by id desc limit 1") == "Zoë 王"


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_rows_in_another_format_are_unchanged(lite, name):
    lite.load(as_csv(ROWS), profile("csv"))
    result = lite.load(FORMATS[name][1](ROWS), profile(name).replace('date = "', '# "', 1)
                       if name in ("xlsx", "parquet") else profile(name))  # fmt: skip
    assert (result.read, result.unchanged) == (9, 9)


def test_rejects_of_another_encoding_are_read_again(lite):
    source = profile("csv").replace("[source]", '[source]\nencoding = "gb18030"')
    content = "id,name,born\n1,李雷𠀀,30/02/1990\n".encode("gb18030")
    first = lite.load(content, source)
    mended = Path(first.rejects_file).read_bytes().replace(b"30/02", b"28/02")
    assert lite.load(mended, source).created == 1
    assert lite.one("select name from customer") == "李雷𠀀"


def test_numbers_of_rejected_objects_stay_as_they_are_written(lite):
    source = profile("csv").replace('format = "csv"', 'format = "jsonl"')
    line = '{"id": 12345678901234567890, "born": "x", "more": 0.12345678901234567890}'
    first = lite.load(line, source)
    written = Path(first.rejects_file).read_text(encoding="utf-8")
    assert written.startswith(line[:-1] + ', "_line": 1, "_code": "E_TYPE"')
    again = lite.load(written, source)
    second = Path(again.rejects_file).read_text(encoding="utf-8")
    assert second == written
    assert list(json.loads(second)).count("_line") == 1


def test_an_encoding_given_to_the_import_is_another_import(lite):
    content = "id,name,born\n1,é,\n".encode("latin-1")
    with pytest.raises(InputRefused, match="It may be cp1252"):
        lite.load(content, profile("csv"))
    assert lite.load(content, profile("csv"), encoding="latin-1").created == 1
    with pytest.raises(InputRefused, match="'klingon' is no encoding"):
        lite.load(content, profile("csv"), encoding="klingon")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gb18030", "编号,姓名,地址\n1,李雷,北京市朝阳区\n2,韩梅梅,上海市浦东新区\n"),
        ("big5", "編號,姓名,地址\n1,陳大文,臺北市信義區\n2,林美玲,高雄市左營區\n"),
        ("shift_jis", "番号,氏名,住所\n1,山田たろう,東京都しんじゅく区\n2,佐藤ハナコ,おおさか市\n"),
        ("euc_kr", "번호,이름,주소\n1,김철수,서울특별시 강남구\n2,이영희,부산광역시\n"),
        ("cp1252", "id,name,city\n1,Müller,Köln\n2,José Peña,Málaga\n"),
    ],
)
def test_the_encoding_is_suggested_first(encoding, text):
    assert suggest_encodings(text.encode(encoding))[0] == encoding


def test_no_encoding_is_suggested_for_bytes_that_are_no_text():
    assert suggest_encodings(bytes(range(256))) == []
    assert suggest_encodings(b"plain") == []


def test_a_bomb_is_refused_before_it_is_unpacked(lite, monkeypatch):
    """213 MB unpacked: at most a hundredth of that is read from the archive."""
    (case,) = (c for c in CASES if c.name == "213 MB unpacked")
    file = lite.write("bomb.xlsx", case.bytes())
    known = str(lite.write("p.toml", case.profile.replace('"corpus"', '"p"')))
    lite.intake.profile(known)
    unpacked = []
    read = zipfile.ZipExtFile.read

    def counted(part, size=-1):
        data = read(part, size)
        unpacked.append(len(data))
        return data

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    with pytest.raises(InputRefused) as caught:
        lite.intake.import_file(file, known)
    assert caught.value.code == "E_BOMB"
    assert sum(unpacked) < 2_130_000


@pytest.mark.parametrize("text", ["=1+1", "'=1", "''@x", "-2+3", "'quoted'", "+cmd", "plain", "'"])
def test_what_is_guarded_on_export_is_imported_as_it_was(lite, text):
    out = io.BytesIO()
    write_csv(Grid.of([{"id": "1", "name": text, "born": ""}]), out)
    lite.load(out.getvalue(), profile("csv").replace("[source]", "[source]\nguarded = true"))
    assert lite.one("select name from customer") == text


def test_the_corpus_shows_every_item_and_names_each_case_once():
    assert {item for case in CASES for item in case.items} == set(range(1, 70))
    assert len({case.name for case in CASES}) == len(CASES) >= 150


def test_an_amount_of_more_decimals_than_count_is_read(lite) -> None:
    """Data warehouses keep amounts as DECIMAL(18,4); 19.9950 has a digit that dollars lack."""
    table = pa.table(
        {
            "id": ["a", "b", "c"],
            "fee": pa.array([Decimal("19.9900"), Decimal("-20.0000"), Decimal("19.9950")], pa.decimal128(18, 4)),
        }
    )  # fmt: skip
    out = io.BytesIO()
    pq.write_table(table, out)
    profile = PROFILE.replace("FORMAT", "parquet").replace('name = "name"\n[[', 'name = "id"\n[[')
    profile = profile.replace("shop.customer", "shop.line").replace('born_on = "born"', 'fee = "fee"')  # fmt: skip
    result = lite.load(out.getvalue(), profile, name="rows.parquet")
    assert (result.created, result.rejected) == (2, 1)
    assert lite.sql("SELECT fee_minor FROM shop_line ORDER BY fee_minor") == [(-2000,), (1999,)]
