"""Items 45 to 55: text and Unicode."""

from __future__ import annotations

from .case import PLAIN, Case, profile


def _kept(name: str, item: int, text: str, stored: str | None = None) -> Case:
    """A name that is stored as it stands (in composed form)."""
    return Case(
        name=name, items=(item,), content=f'id,name\n1,"{text}"\n'.encode(), profile=PLAIN,
        stored={"1": text if stored is None else stored},
    )  # fmt: skip


def _web(name: str, address: str, *, taken: bool) -> Case:
    return Case(
        name=name, items=(54,), content=f'id,name,web\n1,a,"{address}"\n'.encode(),
        profile=profile(customer='web = "web"'), rejects=() if taken else ((2, "E_PATTERN"),),
        stored={"1": "a"} if taken else {},
    )  # fmt: skip


CASES: tuple[Case, ...] = (
    _kept("composed name", 45, "Zo\u00eb"),
    _kept("decomposed name", 45, "Zoe\u0308", "Zo\u00eb"),
    Case(
        name="one ref in two forms", items=(45,), profile=PLAIN, unchanged=1,
        content="id,name\n\u00e91,a\ne\u03011,a\n".encode(), stored={"\u00e91": "a"},
    ),
    _kept("sharp s", 46, "Straße"),
    _kept("dotless i", 46, "Işık İnci"),
    _kept("bidi override", 47, "a\u202eb"),
    _kept("hebrew", 47, "שלום עולם"),
    _kept("emoji family", 48, "👩‍👩‍👧"),
    _kept("flag", 48, "🇦🇹"),
    _kept("skin tone", 48, "👍🏽"),
    _kept("zero-width space in a name", 49, "a\u200bb"),
    _kept("cyrillic look-alike", 49, "\u0430dmin"),
    Case(
        name="zero-width space in a key", items=(49,), profile=PLAIN,
        content="id,name\n1,a\n1\u200b,b\n".encode(), stored={"1": "a", "1\u200b": "b"},
        remark="look alike",
    ),
    _kept("full-width digits in a name", 50, "１２３号"),
    Case(
        name="full-width digits are no number", items=(50,), content="id,name,count\n1,a,１２\n".encode(),
        profile=profile(fields='count = "count"'), rejects=((2, "E_TYPE"),), stored={},
    ),
    _kept("ideographic space inside", 50, "王　伟"),
    _kept("terminal escape", 51, "\x1b[31mred\x1b[0m"),
    _kept("bell", 51, "a\x07b"),
    _kept("form feed and separators", 51, "a\x0cb\u2028c\u2029d\x85e"),
    Case(
        name="line end in a name", items=(52,), content=b'id,name\n1,"a\r\nBcc: x"\n2,b\n',
        profile=PLAIN, rejects=((2, "E_QUOTE"),),
    ),
    Case(
        name="line end in an address", items=(52,), content=b'id,name,email\n1,a,"x@example.com\nBcc: y"\n2,b,z@example.com\n',
        profile=profile("multiline = true", customer='email = "email"'),
        rejects=((2, "E_PATTERN"),), stored={"2": "b"},
    ),
    _kept("one letter", 53, "王"),
    _kept("200 letters", 53, "x" * 200),
    _kept("null", 53, "null"),
    _kept("None", 53, "None"),
    _kept("undefined", 53, "undefined"),
    _kept("NaN", 53, "NaN"),
    _kept("NULL", 53, "NULL"),
    _kept("true", 53, "true"),
    _kept("sql", 53, "O'Brien; DROP TABLE customer"),
    _kept("script", 54, "<script>alert(1)</script>"),
    _kept("template", 54, "{{7*7}}${7*7}"),
    _web("javascript address", "javascript:alert(1)", taken=False),
    _web("javascript in capitals", "JaVaScRiPt:alert(1)", taken=False),
    _web("data address", "data:text/html,x", taken=False),
    _web("https address", "https://example.com/a?b=c", taken=True),
    _kept("equals sign", 55, "=cmd|' /C calc'!A0"),
    _kept("plus sign", 55, "+1"),
    _kept("minus sign", 55, "-1"),
    _kept("at sign", 55, "@x"),
    _kept("guard of another program", 55, "'=1"),
    Case(
        name="guard taken off", items=(55,), profile=profile("guarded = true"),
        content=b"id,name\n1,'=1+1\n2,''=1\n3,'quoted'\n4,'\t=1\n",
        stored={"1": "=1+1", "2": "'=1", "3": "'quoted'", "4": "=1"},
    ),
)  # fmt: skip
