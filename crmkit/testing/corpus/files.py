"""Items 1 to 14: files and encodings."""

from __future__ import annotations

import codecs

from .case import PLAIN, Case, profile

_TWO = {"1": "a", "2": "b"}


def _refused(name: str, item: int, content: bytes, code: str, file: str = "rows.csv") -> Case:
    return Case(
        name=name, items=(item,), content=content, file=file, profile=PLAIN, refused=code
    )  # fmt: skip


def _encoded(name: str, item: int, encoding: str, text: str, file: str = "rows.csv") -> Case:
    return Case(
        name=name, items=(item,), content=f"id,name\n1,{text}\n2,b\n".encode(encoding), file=file,
        profile=profile(f'encoding = "{encoding}"'), stored={"1": text, "2": "b"},
    )  # fmt: skip


def _marked(name: str, item: int, mark: bytes, encoding: str) -> Case:
    return Case(
        name=name, items=(item,), content=mark + "id,name\n1,é王😀\n2,b\n".encode(encoding),
        profile=PLAIN, stored={"1": "é王😀", "2": "b"},
    )  # fmt: skip


def _lines(name: str, item: int, content: bytes, *rejects: tuple[int, str]) -> Case:
    return Case(
        name=name, items=(item,), content=content, profile=PLAIN, rejects=rejects, stored=_TWO
    )  # fmt: skip


CASES: tuple[Case, ...] = (
    _refused("empty file", 1, b"", "E_EMPTY"),
    _refused("byte order mark alone", 1, codecs.BOM_UTF8, "E_EMPTY"),
    _refused("utf-16 mark alone", 1, codecs.BOM_UTF16_LE, "E_EMPTY"),
    Case(name="header alone", items=(2,), content=b"id,name\n", profile=PLAIN, stored={}),
    Case(name="header without line end", items=(2,), content=b"id,name", profile=PLAIN, stored={}),
    _marked("utf-8 mark", 3, codecs.BOM_UTF8, "utf-8"),
    Case(
        name="utf-8 mark before a quoted header", items=(3,), profile=PLAIN,
        content=codecs.BOM_UTF8 + b'"id","name"\n1,a\n2,b\n', stored=_TWO,
    ),
    _marked("utf-16 little endian", 4, codecs.BOM_UTF16_LE, "utf-16-le"),
    _marked("utf-16 big endian", 4, codecs.BOM_UTF16_BE, "utf-16-be"),
    _marked("utf-32 little endian", 4, codecs.BOM_UTF32_LE, "utf-32-le"),
    _refused("utf-16 cut in a surrogate", 4, codecs.BOM_UTF16_LE + b"i\0d\0\0\xd8x", "E_ENCODING"),
    # Most lines are undecodable as UTF-8: nothing is taken on a guess.
    Case(
        name="gb18030 without its name", items=(5,), profile=PLAIN,
        content="id,name\n1,李雷\n2,韩梅梅\n".encode("gb18030"),
        refused="E_ENCODING", remark="It may be gb18030 (it would say '李雷韩梅梅')",
    ),
    _refused("gb18030 header", 5, "编号,姓名\n1,李雷\n".encode("gb18030"), "E_ENCODING"),
    _encoded("gb18030 by profile", 5, "gb18030", "李雷"),
    Case(
        name="gb18030 by option", items=(5,), profile=PLAIN, options={"encoding": "gb18030"},
        content="id,name\n1,李雷\n".encode("gb18030"), stored={"1": "李雷"},
    ),
    _encoded("gbk by profile", 5, "gbk", "韩梅梅"),
    _encoded("gb18030 four bytes", 6, "gb18030", "𠀀㐀䶮"),
    _encoded("gb18030 beyond the plane", 6, "gb18030", "𪚥😀"),
    _encoded("big5 by profile", 7, "big5", "陳大文"),
    # The second byte of this sign is a backslash, of the next a vertical bar.
    _encoded("big5 with ascii second bytes", 7, "big5", "許功蓋"),
    _encoded("shift-jis by profile", 7, "shift_jis", "山田太郎"),
    _encoded("shift-jis with a bar in a sign", 7, "shift_jis", "ポール"),
    _encoded("euc-kr by profile", 7, "euc_kr", "김철수"),
    _encoded("latin-1 by profile", 7, "latin-1", "Müller"),
    _encoded("windows-1252 by profile", 7, "cp1252", "O’Brien €"),
    _lines("one line in another encoding", 8, b"id,name\n1,a\n3,M\xfcller\n2,b\n", (3, "E_ENCODING")),
    _lines("two encodings by turns", 8, "id,name\n3,é\n".encode("latin-1") + b"1,a\n4,\xc0\xee\n2,b\n", (2, "E_ENCODING"), (4, "E_ENCODING")),
    _lines("cut character at the end", 9, b"id,name\n1,a\n2,b\n3,\xe7\x8e", (4, "E_ENCODING")),
    _lines("cut emoji at the end", 9, b"id,name\n1,a\n2,b\n3,\xf0\x9f\x98", (4, "E_ENCODING")),
    _lines("nul in a cell", 11, b"id,name\n1,a\n3,x\0y\n2,b\n", (3, "E_NUL")),
    _lines("nul in quotes", 11, b'id,name\n1,a\n3,"x\0"\n2,b\n', (3, "E_NUL")),
    _lines("encoded surrogate", 10, b"id,name\n1,a\n3,\xed\xa0\x80\n2,b\n", (3, "E_ENCODING")),
    _lines("overlong slash", 8, b"id,name\n1,a\n3,\xc0\xaf\n2,b\n", (3, "E_ENCODING")),
    Case(
        name="utf-7", items=(12,), content=b"id,name\n1,+AOk-\n", refused="E_PROFILE", exit_code=5,
        profile=profile('encoding = "utf-7"'),
    ),
    Case(
        name="ebcdic", items=(12,), content="id,name\n1,a\n".encode("cp500"), refused="E_PROFILE",
        profile=profile('encoding = "cp500"'), exit_code=5,
    ),
    _refused("ebcdic without its name", 12, "id,name\n1,a\n".encode("cp500"), "E_ENCODING"),
    Case(
        name="codec that is no encoding", items=(12,), content=b"id,name\n1,a\n",
        profile=profile('encoding = "rot13"'), refused="E_PROFILE", exit_code=5,
    ),
    _refused("png named csv", 13, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "E_SIGNATURE"),
    _refused("jpeg named csv", 13, b"\xff\xd8\xff\xe0\0\x10JFIF", "E_SIGNATURE"),
    _refused("pdf named csv", 13, b"%PDF-1.7\n%\xe2\xe3\n", "E_SIGNATURE"),
    _refused("windows program named csv", 13, b"MZ\x90\0\x03\0", "E_SIGNATURE"),
    _refused("linux program named csv", 13, b"\x7fELF\x02\x01\x01", "E_SIGNATURE"),
    _refused("sqlite database named csv", 13, b"SQLite format 3\0" + b"\0" * 84, "E_SIGNATURE"),
    _refused("old workbook named csv", 14, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "E_SIGNATURE"),
    _refused("old workbook named xlsx", 14, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "E_SIGNATURE", "rows.xlsx"),
)  # fmt: skip
