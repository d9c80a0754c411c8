"""Items 26 to 31 and 10: the shape of JSON lines."""

from __future__ import annotations

import gzip

from .case import JSONL, Case, profile

_TWO = {"1": "a", "2": "b"}
_COUNT = profile('format = "jsonl"', fields='count = "count"\nratio = "ratio"')


def _broken(name: str, item: int, line: str) -> Case:
    content = f'{{"id": "1", "name": "a"}}\n{line}\n{{"id": 2, "name": "b"}}\n'
    return Case(
        name=name, items=(item,), content=content.encode(), file="rows.jsonl", profile=JSONL,
        rejects=((2, "E_JSON"),), stored=_TWO,
    )  # fmt: skip


def _number(name: str, item: int, line: str, code: str) -> Case:
    return Case(
        name=name, items=(item,), content=f'{{"id": 1, "count": 7}}\n{line}\n'.encode(),
        file="rows.jsonl", profile=_COUNT, rejects=((2, code),), column="count", stored={"1": 7},
    )  # fmt: skip


CASES: tuple[Case, ...] = (
    _broken("lone surrogate", 10, r'{"id": "3", "name": "\ud800"}'),
    _broken("lone low surrogate", 10, r'{"id": "3", "name": "x\udc00"}'),
    _broken("surrogate in a key", 10, r'{"id": "3", "\ud800": "x"}'),
    _broken("nul escape", 11, r'{"id": "3", "name": "a\u0000"}'),
    _broken("key twice", 26, '{"id": "3", "id": "4"}'),
    _broken("key twice inside", 26, '{"id": "3", "more": {"a": 1, "a": 2}}'),
    _broken("not a number", 27, '{"id": "3", "name": NaN}'),
    _broken("infinity", 27, '{"id": "3", "name": Infinity}'),
    _broken("minus infinity", 27, '{"id": "3", "name": -Infinity}'),
    _number("number beyond floats", 27, '{"id": 3, "ratio": 1e999}', "E_TYPE"),
    _broken("deep arrays", 28, '{"id": "3", "name": ' + "[" * 100_000 + "]" * 100_000 + "}"),
    _broken("deep objects", 28, '{"id": "3", "name": ' + '{"a":' * 100_000 + "1" + "}" * 100_001),
    _broken("deep and unclosed", 28, '{"id": "3", "name": ' + "[" * 100_000),
    _number("integer of 5000 digits", 29, '{"id": 3, "count": ' + "9" * 5_000 + "}", "E_TYPE"),
    _number("integer of 2 to the 63rd", 30, '{"id": 3, "count": 9223372036854775808}', "E_TYPE"),
    Case(
        name="largest integer", items=(30,), content=b'{"id": 1, "count": 9223372036854775807}',
        file="rows.jsonl", profile=_COUNT, column="count", stored={"1": (1 << 63) - 1},
    ),
    Case(
        name="long integer as text", items=(30,), file="rows.jsonl", profile=JSONL,
        content=b'{"id": 12345678901234567890123, "name": "a"}',
        stored={"12345678901234567890123": "a"},
    ),
    Case(
        name="blank lines between objects", items=(31,), file="rows.jsonl", profile=JSONL,
        content=b'{"id": 1, "name": "a"}\n\n  \n{"id": 2, "name": "b"}\n\n', stored=_TWO,
    ),
    _broken("broken object", 31, '{"id": "3", "name": '),
    _broken("array", 31, '["3", "c"]'),
    _broken("bare number", 31, "3"),
    _broken("two objects on a line", 31, '{"id": "3"} {"id": "4"}'),
    _broken("single quotes", 31, "{'id': '3'}"),
    _broken("trailing comma", 31, '{"id": "3",}'),
    _broken("comment", 31, '{"id": "3"} // c'),
    Case(
        name="surrogate pair", items=(10, 48), file="rows.jsonl", profile=JSONL,
        content=rb'{"id": 1, "name": "\ud83d\ude00"}', stored={"1": "😀"},
    ),
    Case(
        name="gzip of json", items=(32,), file="rows.jsonl.gz", profile=JSONL,
        content=gzip.compress(b'{"id": 1, "name": "a"}\n'), stored={"1": "a"},
    ),
    Case(
        name="empty json file", items=(1,), content=b"", file="rows.jsonl", profile=JSONL,
        refused="E_EMPTY",
    ),
    Case(
        name="bad byte in json", items=(8,), file="rows.jsonl", profile=JSONL, stored=_TWO,
        content=b'{"id": 1, "name": "a"}\n{"id": 3, "name": "\xff"}\n{"id": 2, "name": "b"}\n',
        rejects=((2, "E_ENCODING"),),
    ),
)  # fmt: skip
