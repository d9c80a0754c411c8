"""Bad files and bad lines: refused whole with a stable code, or rejected alone with their line.

The cases are those of the project's list of bad inputs, sections on files, encodings, CSV and JSON.
"""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from crmkit.errors import InputRefused

PROFILE = """
name = "p"
[source]
name = "p"
key = ["id"]
[[emit]]
entity = "customer"
key = "id"
[emit.fields]
name = "name"
"""
JSONL = PROFILE.replace('name = "p"\nkey', 'name = "p"\nformat = "jsonl"\nkey')


def with_source(line: str, profile: str = PROFILE) -> str:
    return profile.replace("[source]", f"[source]\n{line}")


def names(lite) -> dict[str, str]:
    return dict(
        lite.sql("select r.ref, c.name from customer c join customer_ref r on r.customer_id = c.id")
    )


def rejected(lite, result) -> list[tuple[int, str]]:
    return [(r.line, r.code) for r in lite.store.imports.rejects(result.import_id)]


REFUSED = {
    "empty": (b"", "E_EMPTY"),
    "mark alone": (codecs.BOM_UTF8, "E_EMPTY"),
    "png": (b"\x89PNG\r\n\x1a\n....", "E_SIGNATURE"),
    "pdf": (b"%PDF-1.7\n", "E_SIGNATURE"),
    "exe": (b"MZ\x90\x00", "E_SIGNATURE"),
    "xlsx named csv": (b"PK\x03\x04....", "E_SIGNATURE"),
    "gzip": (b"\x1f\x8b\x08....", "E_GZIP"),
    "duplicate header": (b"id,name,name\n1,a,b\n", "E_HEADER"),
    "headers equal after folding": ("id,name,ＮＡＭＥ\n1,a,b\n".encode(), "E_HEADER"),
    "unnamed column": (b"id,,name\n1,a,b\n", "E_HEADER"),
    "too many columns": (",".join(f"c{i}" for i in range(2001)).encode(), "E_HEADER"),
    "missing column": (b"id,nom\n1,a\n", "E_COLUMN_MISSING"),
    "header in another encoding": ("id,name,größe\n".encode("latin-1"), "E_ENCODING"),
    "broken utf-16": (codecs.BOM_UTF16_LE + b"i\x00d\x00\x00\xd8x", "E_ENCODING"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_read_is_refused_and_nothing_is_changed(lite, case):
    content, code = REFUSED[case]
    with pytest.raises(InputRefused) as caught:
        lite.load(content, PROFILE)
    assert (caught.value.code, caught.value.exit_code) == (code, 2)
    assert "rows.csv" in str(caught.value)
    assert lite.one("select count(*) from import_run") == 0


ACCEPTED = {
    "header alone": (b"id,name\n", {}),
    "byte order mark": (codecs.BOM_UTF8 + b"id,name\n1,a\n", {"1": "a"}),
    "utf-16 le": ("\ufeffid,name\n1,é王\n".encode("utf-16-le"), {"1": "é王"}),
    "utf-16 be": ("\ufeffid,name\n1,é\n2,b\n".encode("utf-16-be"), {"1": "é", "2": "b"}),
    "crlf": (b"id,name\r\n1,a\r\n2,b\r\n", {"1": "a", "2": "b"}),
    "cr": (b"id,name\r1,a\r2,b", {"1": "a", "2": "b"}),
    "mixed ends, none at the end": (b"id,name\r\n1,a\n2,b\r3,c", {"1": "a", "2": "b", "3": "c"}),
    "blank lines": (b"id,name\n\n1,a\n\n\n2,b\n\n", {"1": "a", "2": "b"}),
    "semicolons": (b"id;name\n1;a,b\n", {"1": "a,b"}),
    "tabs": (b"id\tname\n1\ta\n", {"1": "a"}),
    "bars": (b"id|name\n1|a\n", {"1": "a"}),
    "short row": (b"name,id,more\nx,1\n", {"1": "x"}),
    "decomposed name": ("id,name\n1,Zoe\u0308\n".encode(), {"1": "Zo\u00eb"}),
    "quotes inside": (b'id,name\n1,"a ""b"", c"\n', {"1": 'a "b", c'}),
    "inch sign": (b'id,name\n1,5" screen\n', {"1": '5" screen'}),
    "form feed and separators are data": (
        "id,name\n1,a\x0cb\u2028c\x85d\n".encode(), {"1": "a\x0cb\u2028c\x85d"},
    ),
    "emoji": ("id,name\n1,👩‍👩‍👧🇦🇹\n".encode(), {"1": "👩‍👩‍👧🇦🇹"}),
    "bidi override": ("id,name\n1,a\u202eb\n".encode(), {"1": "a\u202eb"}),
}  # fmt: skip


@pytest.mark.parametrize("case", ACCEPTED)
def test_a_file_that_can_be_read_is(lite, case):
    content, expected = ACCEPTED[case]
    result = lite.load(content, PROFILE)
    assert (names(lite), result.rejected) == (expected, 0)
    assert result.read == len(expected)


@pytest.mark.parametrize(
    "name",
    ["null", "None", "undefined", "NaN", "O'Brien; DROP TABLE customer", "<script>", "=cmd|x", "王",
     "x" * 200, "{{7*7}}"],
)  # fmt: skip
def test_odd_names_are_names(lite, name):
    lite.load(f"id,name\n1,{name}\n", PROFILE)
    assert names(lite) == {"1": name}


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("gb18030", "李雷𠀀㐀"), ("gbk", "韩梅梅"), ("big5", "陳大文"), ("shift_jis", "山田太郎"), ("latin-1", "Müller")],
)  # fmt: skip
def test_the_profile_names_the_encoding(lite, encoding, text):
    content = f"id,name\n1,{text}\n2,b\n".encode(encoding)
    result = lite.load(content, with_source(f'encoding = "{encoding}"'))
    assert (names(lite), result.rejected) == ({"1": text, "2": "b"}, 0)


OPEN = {
    "open quote": (b'id,name\n1,"a\n2,b\n3,c\n', 2),
    "open quote on the last line": (b'id,name\n2,b\n3,c\n1,"a', 4),
    "open quote before two": (b'id,name\n2,b\n1,"a\n3,"c\n4,"d\n', 3),
    "open quotes one after the other": (b'id,name\n1,"a\n3,c\n4,"d"\n2,b\n', 2),
    "quotes inside an open cell": (b'id,name\n2,b\n1,"a "b" c\n3,c\n', 3),
}


@pytest.mark.parametrize("setting", ["multiline = false", "multiline = true"])
@pytest.mark.parametrize("case", OPEN)
def test_a_quote_that_is_never_closed_refuses_the_file_and_names_the_setting(lite, case, setting):
    content, line = OPEN[case]
    with pytest.raises(InputRefused) as caught:
        lite.load(content, with_source(setting))
    assert caught.value.code == "E_QUOTE"
    assert f"rows.csv, line {line}: a quote opens a cell" in str(caught.value)
    assert "multiline = true" in caught.value.hint
    assert (lite.one("select count(*) from import_run"), names(lite)) == (0, {})


def test_a_quote_far_down_refuses_the_file_before_the_first_batch(lite, monkeypatch):
    monkeypatch.setattr("crmkit.intake.csv_rows.BATCH_ROWS", 2)
    rows = "".join(f"{i},n\n" for i in range(20))
    with pytest.raises(InputRefused, match="line 22: a quote opens"):
        lite.load(f'id,name\n{rows}99,"open\n', PROFILE)
    assert names(lite) == {}


SPANNING = {
    "a record": (b'id,name\n1,"Oda\nFifteen"\n2,b\n', [(2, ["1", "Oda\nFifteen"])]),
    "a line like a row": (b'id,name\n1,"a\n42,looks like a row\nend"\n2,b\n', [(2, ["1", "a\n42,looks like a row\nend"])]),
    "an inner quote on a later line": (b'id,name\n1,"a\nsays "x" y\n7,end"\n2,b\n', [(2, ["1", 'a\nsays x" y\n7,end"'])]),
    "an inner quote on its first line": (b'id,name\n1,"a "b" to\n7,me"\n2,b\n', [(2, ["1", 'a b" to\n7,me"'])]),
    "an inch sign": (b'id,name\n1,"5" screen"\n2,b\n', [(2, ["1", '5 screen"'])]),
    "blank lines inside": (b'id,name\n1,"a\n\n\nb"\n2,b\n', [(2, ["1", "a\n\n\nb"])]),
    "crlf": (b'id,name\r\n1,"a\r\n7,b"\r\n2,b\r\n', [(2, ["1", "a\n7,b"])]),
    "two records": (b'id,name\n1,"a\nb"\n2,b\n3,"c\nd"\n', [(2, ["1", "a\nb"]), (5, ["3", "c\nd"])]),
}  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 10_000])
@pytest.mark.parametrize("case", SPANNING)
def test_a_record_over_several_lines_is_rejected_as_one_and_kept_whole(
    lite, monkeypatch, case, size
):
    monkeypatch.setattr("crmkit.intake.csv_rows.BATCH_ROWS", size)
    content, expected = SPANNING[case]
    result = lite.load(content, PROFILE)
    found = lite.store.imports.rejects(result.import_id)
    assert [(r.line, [r.row["id"], r.row["name"]]) for r in found] == expected
    assert {r.code for r in found} == {"E_QUOTE"}
    assert names(lite) == {"2": "b"}
    spans = any("\n" in cells[1] for _, cells in expected)
    assert any("rejected records that span lines" in r for r in result.remarks) == spans


def test_a_record_over_several_lines_is_mended_in_the_rejects_file(lite):
    content = b'id,name,note\n1,"Oda\nFifteen","x\ny"\n2,b,\n'
    first = lite.load(content, PROFILE)
    rejects = Path(first.rejects_file).read_text(encoding="utf-8")
    assert rejects.count("\n") == 4  # the header, and a record over three lines
    assert "multiline = true" in rejects
    again = lite.load(rejects, PROFILE)
    assert (again.created, again.rejected) == (0, 1)
    mended = rejects.replace("Oda\nFifteen", "Oda Fifteen").replace("x\ny", "x y")
    assert lite.load(mended, PROFILE).created == 1
    assert names(lite) == {"1": "Oda Fifteen", "2": "b"}
    whole = lite.load(rejects, with_source("multiline = true"), source="q")
    assert (whole.created, whole.rejected) == (1, 0)


@pytest.mark.parametrize(
    ("source", "above"),
    [('columns = ["id", "name", "web"]', ""), ("skip_lines = 2", "A\nB\nid,name,web\n"),
     ('columns = ["id", "name", "web"]\nskip_lines = 1', "No,Name,Web\n"),
     ('delimiter = ","', "sep=;\nid;name;web\n")],
)  # fmt: skip
def test_rejects_are_imported_again_whatever_stood_above_the_rows(lite, source, above):
    profile = with_source(source, PROFILE.replace('name = "name"', 'name = "name"\nweb = "web"'))
    sign = ";" if "sep" in above else ","
    content = above + "1,a,javascript:x\n2,b,\n".replace(",", sign)
    first = lite.load(content, profile)
    assert (first.created, first.rejected) == (1, 1)
    rejects = Path(first.rejects_file).read_text(encoding="utf-8")
    again = lite.load(rejects.replace("javascript:", "https://"), profile)
    assert (again.created, again.rejected) == (1, 0)
    assert names(lite) == {"1": "a", "2": "b"}


def test_a_header_over_several_lines_needs_multiline(lite):
    content = b'id,"name\n(full)"\n1,a\n'
    profile = PROFILE.replace('name = "name"', 'name = "name\\n(full)"')
    with pytest.raises(InputRefused, match="multiline = true") as caught:
        lite.load(content, profile)
    assert caught.value.code == "E_HEADER"
    lite.load(content, with_source("multiline = true", profile))
    assert names(lite) == {"1": "a"}


LINES = {
    "text after a quote": (b'id,name\n1,"a"b\n2,b\n3,c\n', [(2, "E_QUOTE")]),
    "long row": (b"id,name\n1,a,b\n2,b\n3,c\n", [(2, "E_COLUMNS")]),
    "nul": (b"id,name\n2,b\n1,a\0\n3,c\n", [(3, "E_NUL")]),
    "bad byte": (b"id,name\n2,b\n1,\xff\n3,c\n", [(3, "E_ENCODING")]),
    "cut character at the end": (b"id,name\n2,b\n3,c\n1,\xe7\x8e", [(4, "E_ENCODING")]),
    "large cell": (b"id,name\n1," + b"x" * 1_100_000 + b"\n2,b\n3,c\n", [(2, "E_CELL")]),
    "missing key": (b"id,name\n,a\n2,b\n3,c\n", [(2, "E_KEY")]),
    "blank key": (b"id,name\n  ,a\n2,b\n3,c\n", [(2, "E_KEY")]),
}  # fmt: skip


@pytest.mark.parametrize("case", LINES)
def test_a_broken_line_is_rejected_alone(lite, case):
    content, expected = LINES[case]
    result = lite.load(content, PROFILE)
    assert rejected(lite, result) == expected
    assert names(lite) == {"2": "b", "3": "c"}
    assert result.read == 2 + len(expected)


def test_an_undecodable_line_names_the_byte_and_keeps_the_bytes(lite):
    result = lite.load(b"id,name\n1,a\n2,x\xffy\n", PROFILE)
    (reject,) = lite.store.imports.rejects(result.import_id)
    # The header has 8 bytes, the first row 4, and "2,x" stands before it.
    assert "byte 15 of the file is not utf-8" in reject.message
    assert reject.row == {"id": "2", "name": "x\\xffy"}


def test_an_open_quote_names_the_column_and_what_is_allowed(lite):
    result = lite.load(b'id,name,x\n1,"a,b\nc"\n', PROFILE)
    (reject,) = lite.store.imports.rejects(result.import_id)
    assert (reject.field, reject.value) == ("name", "a,b\nc")
    assert reject.allowed.startswith('every " that opens a cell closes it on the same line')
    assert "spans lines 2 to 3, and multiline is off" in reject.message


def test_cells_span_lines_only_where_the_profile_says_so(lite):
    content = b'id,name\n1,"a\nb"\n2,c\n'
    result = lite.load(content, with_source("multiline = true"))
    assert names(lite) == {"1": "a\nb", "2": "c"}
    assert rejected(lite, result) == []
    alone = lite.load(content, PROFILE, source="q")
    assert rejected(lite, alone) == [(2, "E_QUOTE")]


def test_line_numbers_stay_exact_over_blank_and_long_cells(lite, monkeypatch):
    monkeypatch.setattr("crmkit.intake.csv_rows.BATCH_ROWS", 2)
    result = lite.load(b'id,name\n\n1,"a\nb"\n\n,x\n2,c\n\n,y\n', with_source("multiline = true"))
    assert rejected(lite, result) == [(6, "E_KEY"), (9, "E_KEY")]


def test_a_file_without_header_has_the_columns_that_the_profile_names(lite):
    lite.load(b"1,a\n2,b\n", with_source('columns = ["id", "name"]'))
    assert names(lite) == {"1": "a", "2": "b"}


def test_blocks_may_end_anywhere(lite, monkeypatch):
    content = "id,name\r\n" + "".join(f"{i},n{i}é\r\n" for i in range(40)) + "40,last"
    for size in (1, 2, 3, 7, 64):
        monkeypatch.setattr("crmkit.intake.lines.BLOCK_BYTES", size)
        result = lite.load(content, PROFILE, source=f"s{size}")
        assert (result.read, result.created) == (41, 41)
    monkeypatch.setattr("crmkit.intake.lines.BLOCK_BYTES", 5)
    wide = lite.load(("\ufeff" + content).encode("utf-16-le"), PROFILE, source="wide")
    assert (wide.read, wide.created) == (41, 41)


OBJECTS = {
    "duplicate key": '{"id": "1", "id": "2"}',
    "nan": '{"id": "1", "name": NaN}',
    "infinity": '{"id": "1", "name": -Infinity}',
    "lone surrogate": '{"id": "1", "name": "\\ud800"}',
    "nul": '{"id": "1", "name": "a\\u0000"}',
    "deep": '{"id": "1", "name": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "array": '["1"]',
    "number": "1",
    "text": '"1"',
    "broken": '{"id": "1"',
    "two objects": '{"id": "1"} {"id": "2"}',
}


@pytest.mark.parametrize("case", OBJECTS)
def test_a_line_that_is_no_sound_object_is_rejected_alone(lite, case):
    content = f'{{"id": "8", "name": "b"}}\n{OBJECTS[case]}\n\n{{"id": 9, "name": "c"}}\n'
    result = lite.load(content, JSONL, name="rows.jsonl")
    assert rejected(lite, result) == [(2, "E_JSON")]
    assert names(lite) == {"8": "b", "9": "c"}


def test_surrogate_pairs_and_long_numbers_survive(lite):
    lite.load('{"id": 12345678901234567890123, "name": "\\ud83d\\ude00"}\n', JSONL)
    assert names(lite) == {"12345678901234567890123": "😀"}


def test_an_unmapped_key_is_rejected_with_strict(lite):
    content = '{"id": "1", "name": "a"}\n{"id": "2", "nom": "b"}\n'
    result = lite.load(content, JSONL, strict=True)
    (reject,) = lite.store.imports.rejects(result.import_id)
    assert (reject.line, reject.code) == (2, "E_COLUMN_UNKNOWN")
    assert reject.message == "the profile does not map nom"


def test_an_empty_json_file_is_refused(lite):
    with pytest.raises(InputRefused) as caught:
        lite.load(b"", JSONL)
    assert caught.value.code == "E_EMPTY"


@pytest.mark.parametrize(
    ("address", "taken"),
    [("example.com/a", True), ("https://example.com", True), ("HTTP://x.y", True),
     ("javascript:alert(1)", False), ("data:text/html,x", False)],
)  # fmt: skip
def test_a_web_address_of_another_scheme_is_rejected(lite, address, taken):
    profile = PROFILE.replace('name = "name"', 'name = "name"\nweb = "web"')
    result = lite.load(f'id,name,web\n1,a,"{address}"\n', profile)
    assert (result.created, result.rejected) == ((1, 0) if taken else (0, 1))


PEOPLE = PROFILE.replace('key = ["id"]', 'key = ["id"]\n%s')


def test_short_long_and_blank_rows_are_told_apart(lite):
    """Lines 3 and 7 are rows without a value, one of them no row at all; lines 4 and 8 are longer
    than the header by nothing, and line 5 by a cell that has no column."""
    result = lite.load("id,name\n1,Ann\n,\n2,Bo,,\n3,Cy,x\n4\n\n5,Di,\n", PEOPLE % "")
    assert (result.read, result.created, result.rejected) == (5, 4, 1)
    assert lite.sql("SELECT name FROM customer ORDER BY id") == [
        ("Ann",),
        ("Bo",),
        (None,),
        ("Di",),
    ]
    (row,) = lite.store.imports.rejects(result.import_id)
    assert (row.line, row.code, row.value, row.allowed) == (5, "E_COLUMNS", "x", "2 cells")
    assert row.message == "the row has 3 cells, the header 2"
    assert [remark for remark in result.remarks if "rows" in remark] == [
        "empty cells after the last column were ignored (rows longer than the header: 2).",
        "rows without any value were left out: 1.",
    ]


def test_a_rejected_record_over_lines_counts_them_and_names_its_cell(lite):
    """The record of lines 2 to 4 has a cell over lines, and so has that of lines 6 and 7."""
    rows = 'id,name\n1,"A\n\nnn"\n2,Bo\n3,"C\ny"\n4,Di\n'
    result = lite.load(rows, PEOPLE % "")
    assert (result.read, result.created, result.rejected) == (4, 2, 2)
    found = lite.store.imports.rejects(result.import_id)
    assert [(r.line, r.code, r.field) for r in found] == [
        (2, "E_QUOTE", "name"),
        (6, "E_QUOTE", "name"),
    ]
    (remark,) = [r for r in result.remarks if "span" in r]
    assert remark.startswith("rejected records that span lines: 2, of 5 lines together;")


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("id,name\n1,Ann\n", ","),
        ("id;name\n1;Ann\n", ";"),
        ("id\tname\n1\tAnn\n", "\t"),
        ("id|name\n1|Ann\n", "|"),
        # The one that stands most often in the header; of two as often the first of , ; tab |.
        ("id;name;a,b\n1;Ann;x\n", ";"),
        ("id,name;x\n1,Ann\n", ","),
        # Said above the header, whatever the header holds; blank lines there say nothing.
        ("sep=|\nid|name|a,b,c,d\n1|Ann|x\n", "|"),
        ("\n;;\n , \nid;name\n1;Ann\n", ";"),
    ],
)
def test_the_delimiter_is_the_one_of_the_header(lite, text, delimiter):
    column = "name;x" if delimiter == "," and ";" in text else "name"
    result = lite.load(text, (PEOPLE % "").replace('"name"', f'"{column}"'))
    assert (result.delimiter, result.created) == (delimiter, 1)
    assert lite.sql("SELECT name FROM customer") == [("Ann",)]


def test_lines_above_the_header_are_skipped_by_their_number(lite):
    text = "Report, of March\n\nid,name\n1,Ann\n"
    for above in ("skip_lines = 1", "skip_lines = 2", "header_row = 3"):
        result = lite.load(text, PEOPLE % above, dry_run=True)
        assert (above, result.created, result.rejected) == (above, 1, 0)
