"""Items 15 to 25: the shape of CSV files; item 32: compressed ones."""

from __future__ import annotations

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


def _refused(name: str, item: int, content: bytes, code: str = "E_HEADER") -> Case:
    return Case(name=name, items=(item,), content=content, profile=PLAIN, refused=code)


def _with_wrong_sum(content: bytes) -> bytes:
    packed = gzip.compress(content)
    return packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]


CASES: tuple[Case, ...] = (
    _taken("line feeds", 15, b"id,name\n1,a\n2,b\n3,c\n", _THREE),
    _taken("carriage returns", 15, b"id,name\r1,a\r2,b\r3,c\r", _THREE),
    _taken("both", 15, b"id,name\r\n1,a\r\n2,b\r\n3,c\r\n", _THREE),
    _taken("mixed line ends", 15, b"id,name\r\n1,a\n2,b\r3,c", _THREE),
    _taken("blank lines", 15, b"id,name\n\n1,a\n\n\n2,b\r\n\r\n3,c\n", _THREE),
    _lines("open quote", 16, b'id,name\n3,"c\n1,a\n2,b\n', (2, "E_QUOTE")),
    _lines("open quote at the end", 16, b'id,name\n1,a\n2,b\n3,"c', (4, "E_QUOTE")),
    _lines("two open quotes", 16, b'id,name\n3,"c\n1,a\n2,b\n4,"d\n', (2, "E_QUOTE"), (5, "E_QUOTE")),
    _lines("text after a quote", 16, b'id,name\n1,a\n3,"c"d\n2,b\n', (3, "E_QUOTE")),
    _lines("open quote with multiline", 16, b'id,name\n1,a\n2,b\n3,"open\n', (4, "E_QUOTE"), profile=_MULTILINE),
    _taken("cell over two lines", 16, b'id,name\n1,"a\nb"\n2,c\n', {"1": "a\nb", "2": "c"}, profile=_MULTILINE),
    _taken("quotes inside a cell", 16, b'id,name\n1,"a ""b"", c"\n', {"1": 'a "b", c'}),
    _taken("quote inside a bare cell", 16, b'id,name\n1,5" screen\n', {"1": '5" screen'}),
    Case(
        name="cell of 50 MB", items=(17,), profile=PLAIN, stored=_TWO, rejects=((3, "E_CELL"),),
        content=lambda: b"id,name\n1,a\n3," + b"x" * (50 << 20) + b"\n2,b\n",
    ),
    _lines("cell above 1 MiB", 17, b"id,name\n1,a\n3," + b"x" * ((1 << 20) + 1) + b"\n2,b\n", (3, "E_CELL")),
    _taken("cell of 1 MiB", 17, b"id,name\n1," + b"x" * (1 << 20) + b"\n", {"1": "x" * (1 << 20)}),
    Case(
        name="line of 70 MB", items=(17,), profile=PLAIN, refused="E_LINE",
        content=lambda: b"id,name," + b"x" * (70 << 20),
    ),
    _refused("10000 columns", 18, ",".join(f"c{i}" for i in range(10_000)).encode()),
    _refused("2001 columns", 18, ",".join(["id", "name", *(f"c{i}" for i in range(1_999))]).encode()),
    _taken("2000 columns", 18, ",".join(["id", "name", *(f"c{i}" for i in range(1_998))]).encode() + b"\n1,a\n2,b\n", _TWO),
    _lines("row longer than the header", 19, b"id,name\n1,a\n3,c,d\n2,b\n", (3, "E_COLUMNS")),
    _lines("row longer by an empty cell", 19, b"id,name\n1,a\n3,c,\n2,b\n", (3, "E_COLUMNS")),
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
    _refused("header line blank", 23, b"\nid,name\n1,a\n"),
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
