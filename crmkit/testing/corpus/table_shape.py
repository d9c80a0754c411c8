"""Items 15 to 25: the shape of CSV files; item 32: compressed ones."""

from __future__ import annotations

import codecs
import gzip

from .case import PLAIN, Case, profile

_THREE = {"1": "a", "2": "b", "3": "c"}
_TWO = {"1": "a", "2": "b"}
_MULTILINE = profile("multiline = true")


def _taken(name: str, item: int, content: bytes, stored: dict[str, str], **more: str) -> Case:
    return Case(
        name=name, items=(item,), content=content, stored=stored,
        profile=more.get("profile", PLAIN), remark=more.get("remark", ""),
    )  # fmt: skip


def _lines(name: str, item: int, content: bytes, *rejects: tuple[int, str], **more: str) -> Case:
    return Case(
        name=name, items=(item,), content=content, profile=more.get("profile", PLAIN),
        rejects=rejects, stored=_TWO,
    )  # fmt: skip


def _refused(
    name: str, item: int, content: bytes, code: str = "E_HEADER", profile: str = PLAIN
) -> Case:
    return Case(name=name, items=(item,), content=content, profile=profile, refused=code)


def _with_wrong_sum(content: bytes) -> bytes:
    packed = gzip.compress(content)
    return packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]


CASES: tuple[Case, ...] = (
    _taken("line feeds", 15, b"id,name\n1,a\n2,b\n3,c\n", _THREE),
    _taken("carriage returns", 15, b"id,name\r1,a\r2,b\r3,c\r", _THREE),
    _taken("both", 15, b"id,name\r\n1,a\r\n2,b\r\n3,c\r\n", _THREE),
    _taken("mixed line ends", 15, b"id,name\r\n1,a\n2,b\r3,c", _THREE),
    _taken("blank lines", 15, b"id,name\n\n1,a\n\n\n2,b\r\n\r\n3,c\n", _THREE),
    _refused("open quote", 16, b'id,name\n3,"c\n1,a\n2,b\n', "E_QUOTE"),
    _refused("open quote at the end", 16, b'id,name\n1,a\n2,b\n3,"c', "E_QUOTE"),
    _refused("two open quotes", 16, b'id,name\n1,a\n2,b\n3,"c\n8,x\n9,y\n4,"d\n', "E_QUOTE"),
    _lines("cell over two lines without multiline", 16, b'id,name\n1,a\n15,"Oda\nFifteen"\n2,b\n', (3, "E_QUOTE")),
    _lines("row within a cell without multiline", 16, b'id,name\n41,"Long note\n42,looks like a row\nend"\n1,a\n2,b\n', (2, "E_QUOTE")),
    _lines("quoted sign within a cell over two lines", 16, b'id,name\n3,"a "b" to\n7,c"\n1,a\n2,b\n', (2, "E_QUOTE")),
    _lines("inch sign within a quoted cell", 16, b'id,name\n3,"5" screen"\n1,a\n2,b\n', (2, "E_QUOTE")),
    _lines("text after a quote", 16, b'id,name\n1,a\n3,"c"d\n2,b\n', (3, "E_QUOTE")),
    _refused("open quote with multiline", 16, b'id,name\n1,a\n2,b\n3,"open\n', "E_QUOTE", _MULTILINE),
    _taken("cell over two lines", 16, b'id,name\n1,"a\nb"\n2,c\n', {"1": "a\nb", "2": "c"}, profile=_MULTILINE),
    _taken("quotes inside a cell", 16, b'id,name\n1,"a ""b"", c"\n', {"1": 'a "b", c'}),
    _taken("quote inside a bare cell", 16, b'id,name\n1,5" screen\n', {"1": '5" screen'}),
    Case(
        name="cell of 50 MB", items=(17,), profile=PLAIN, stored=_TWO, rejects=((3, "E_CELL"),),
        content=lambda: b"id,name\n1,a\n3," + b"x" * (50 << 20) + b"\n2,b\n",
    ),
    _lines("cell above 1 MiB", 17, b"id,name\n1,a\n3," + b"x" * ((1 << 20) + 1) + b"\n2,b\n", (3, "E_CELL")),
    Case(
        name="cell of 1 MiB", items=(17,), content=b"id,name,note\n1,a," + b"x" * (1 << 20) + b"\n",
        profile=profile(fields='note = "note"'), column="note", stored={"1": "x" * (1 << 20)},
    ),
    _lines("name of 501 characters", 17, b"id,name\n1,a\n3," + b"x" * 501 + b"\n2,b\n", (3, "E_LENGTH")),
    Case(
        name="line of 70 MB", items=(17,), profile=PLAIN, refused="E_LINE",
        content=lambda: b"id,name," + b"x" * (70 << 20),
    ),
    _refused("10000 columns", 18, ",".join(f"c{i}" for i in range(10_000)).encode()),
    _refused("2001 columns", 18, ",".join(["id", "name", *(f"c{i}" for i in range(1_999))]).encode()),
    _taken("2000 columns", 18, ",".join(["id", "name", *(f"c{i}" for i in range(1_998))]).encode() + b"\n1,a\n2,b\n", _TWO),
    _lines("row longer than the header", 19, b"id,name\n1,a\n3,c,d\n2,b\n", (3, "E_COLUMNS")),
    _taken("row longer by an empty cell", 19, b"id,name\n1,a\n3,c,\n2,b\n", _THREE, remark="longer than the header: 1"),
    _taken("rows longer by blanks", 19, b"id,name\n1,a,\n2,b, ,\n", _TWO, remark="longer than the header: 2"),
    _taken("delimiter at the end of every line", 19, b"id,name,\n1,a,\n2,b,\n", _TWO, remark="the header ends with empty cells (1)"),
    _taken("delimiters at the end of the header", 19, b"id;name;;\n1;a\n2;b\n", _TWO, remark="the header ends with empty cells (2)"),
    _lines("value below an unnamed last column", 19, b"id,name,\n1,a,\n3,c,x\n2,b,\n", (3, "E_COLUMNS")),
    _taken("rows of nothing but delimiters", 15, b"id,name\n1,a\n,\n ,\n2,b\n,,,\n", _TWO, remark="without any value were left out: 3"),
    _taken("sep line", 23, b"sep=;\nid;name\n1;a,x\n2;b\n", {"1": "a,x", "2": "b"}),
    _taken("sep line after a mark", 23, codecs.BOM_UTF8 + b"SEP=|\r\nid|name\r\n1|a\r\n2|b\r\n", _TWO),
    _taken("sep line quoted", 23, b'"sep=;"\nid;name\n1;a\n2;b\n', _TWO),
    _taken("sep line of a tab", 23, b"sep=\t\nid\tname\n1\ta\n2\tb\n", _TWO),
    _taken("sep line against the profile", 23, b"sep=;\nid;name\n1;a\n2;b\n", _TWO, profile=profile('delimiter = ","')),
    _taken("sep line in utf-16", 23, "\ufeffsep=;\nid;name\n1;a\n2;b\n".encode("utf-16-le"), _TWO),
    _taken("sep line in gb18030", 23, "sep=;\nid;name\n1;李雷\n2;b\n".encode("gb18030"), {"1": "李雷", "2": "b"}, profile=profile('encoding = "gb18030"')),
    _taken("blank lines above the header", 23, b"\n \nid,name\n1,a\n2,b\n", _TWO),
    _taken("lines of delimiters above the header", 23, b";;\n;;\nid;name\n1;a\n2;b\n", _TWO),
    _taken("title above the header by profile", 23, b"Customers 2026,,\n\nid,name\n1,a\n2,b\n", _TWO, profile=profile("skip_lines = 1")),
    _taken("header by its line", 23, b"Customers 2026\nof,all,shops\nid,name\n1,a\n2,b\n", _TWO, profile=profile("header_row = 3")),
    _taken("title in gb18030", 23, "客户名单\n\nid,name\n1,李雷\n2,b\n".encode("gb18030"), {"1": "李雷", "2": "b"}, profile=profile('encoding = "gb18030"\nskip_lines = 2')),
    Case(
        name="title above the header", items=(23,), content=b"Customers 2026,,\nid,name\n1,a\n",
        profile=PLAIN, refused="E_COLUMN_MISSING", remark="Line 2 has the columns: set skip_lines = 1",
    ),
    Case(
        name="uneven titles above the header", items=(23,), content=b"From:,,\n,to\nid,name\n1,a\n",
        profile=PLAIN, refused="E_COLUMN_MISSING", remark="Line 3 has the columns: set skip_lines = 2",
    ),
    Case(
        name="title with a gap above the header", items=(23,), content=b"From:,,May\nid,name,x\n1,a,\n",
        profile=PLAIN, refused="E_HEADER", remark="Line 2 has the columns: set skip_lines = 1",
    ),
    _taken("columns given beside a header", 23, b"ID, Name\n1,a\n2,b\n", _TWO, profile=profile('columns = ["id", "name"]'), remark="was not read as a row"),
    _taken("columns given and the header skipped", 23, b"No,\n1,a\n2,b\n", _TWO, profile=profile('columns = ["id", "name"]\nskip_lines = 1')),
    _refused("lines to skip beyond the file", 23, b"id,name\n1,a\n", "E_EMPTY", profile("skip_lines = 9")),
    _taken("row shorter than the header", 20, b"id,name,more\n1,a\n2,b,x\n", _TWO),
    Case(
        name="short row has no value", items=(20,), content=b"name,id,count\na,1\nb,2,5\n",
        profile=profile(fields='count = "count"'), column="count", stored={"1": None, "2": 5},
    ),
    _refused("two headers of one name", 21, b"id,name,name\n1,a,b\n"),
    _refused("unused headers of one name", 21, b"id,name,x,x\n1,a,b,c\n"),
    _refused("headers equal by case", 22, b"id,name,NAME\n1,a,b\n"),
    _refused("headers equal by width", 22, "id,name,ｎａｍｅ\n1,a,b\n".encode()),
    _refused("headers equal by composition", 22, "id,name,\u00e9,e\u0301\n1,a,b,c\n".encode()),
    _refused("headers equal by sharp s", 22, "id,name,straße,STRASSE\n".encode()),
    _refused("header without a name", 23, b"id,,name\n1,a,b\n"),
    _refused("header of blanks", 23, b"id,  ,name\n1,a,b\n"),
    _taken("columns by position", 23, b"1,a\n2,b\n", _TWO, profile=profile('columns = ["id", "name"]')),
    _taken("unknown column", 24, b"id,name,more\n1,a,x\n2,b,y\n", _TWO),
    Case(
        name="unknown column with strict", items=(24,), content=b"id,name,more\n1,a,x\n",
        profile=PLAIN, options={"strict": True}, refused="E_COLUMN_UNKNOWN",
    ),
    _refused("missing column", 24, b"id,nom\n1,a\n", "E_COLUMN_MISSING"),
    _taken("semicolons", 25, b"id;name\n1;a,b\n", {"1": "a,b"}),
    _taken("tabs", 25, b"id\tname\n1\ta;b\n", {"1": "a;b"}),
    _taken("bars", 25, b"id|name\n1|a,b\n", {"1": "a,b"}),
    _taken("gzip", 32, gzip.compress(b"id,name\n1,a\n2,b\n"), _TWO),
    _taken("gzip in two members", 32, gzip.compress(b"id,name\n1,a\n") + gzip.compress(b"2,b\n"), _TWO),
    _taken("gzip with padding", 32, gzip.compress(b"id,name\n1,a\n2,b\n") + b"\0" * 512, _TWO),
    _refused("gzip cut off", 32, gzip.compress(b"id,name\n1,a\n2,b\n")[:-6], "E_GZIP"),
    _refused("gzip with a wrong checksum", 32, _with_wrong_sum(b"id,name\n1,a\n"), "E_GZIP"),
    _refused("gzip with something after it", 32, gzip.compress(b"id,name\n1,a\n") + b"more", "E_GZIP"),
    _refused("gzip head alone", 32, b"\x1f\x8b\x08", "E_GZIP"),
    _refused("gzip of nothing", 32, gzip.compress(b""), "E_EMPTY"),
    _refused("gzip of a picture", 32, gzip.compress(b"\x89PNG\r\n\x1a\n"), "E_SIGNATURE"),
    _refused("gzip of a gzip", 32, gzip.compress(gzip.compress(b"id,name\n1,a\n")), "E_SIGNATURE"),
    Case(
        name="gzip bomb", items=(32,), profile=PLAIN, refused="E_BOMB", file="rows.csv.gz",
        content=lambda: gzip.compress(b"id,name\n" + b"1,a\n" * (16 << 20)),
    ),
    _refused("carets are not tried", 25, b"id^name\n1^a\n", "E_COLUMN_MISSING"),
    _taken("carets by profile", 25, b"id^name\n1^a\n2^b\n", _TWO, profile=profile('delimiter = "^"')),
)  # fmt: skip
