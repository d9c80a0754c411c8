"""Items 56 to 69: values."""

from __future__ import annotations

from typing import Any

from .case import PLAIN, Case, profile


def _value(
    name: str, item: int, field: str, text: str, stored: Any = None, code: str | None = None,
    source: str = "", spec: str = "", column: str = "",
) -> Case:  # fmt: skip
    """One cell of one field: stored as given, or rejected with a code."""
    return Case(
        name=name, items=(item,), content=f'id,name,{field}\n1,a,"{text}"\n'.encode(),
        profile=profile(source, fields=spec or f'{field} = "{field}"'), column=column or field,
        rejects=((2, code),) if code else (), stored={} if code else {"1": stored},
    )  # fmt: skip


def _fee(
    name: str, text: str, stored: int | None = None, code: str | None = None, **how: Any
) -> Case:
    return _value(name, 56, "fee", text, stored, code, column="fee_minor", **how)


def _at(
    name: str, item: int, text: str, stored: str | None = None, code: str | None = None
) -> Case:
    return _value(
        name, item, "seen_at", text, stored, code, source='time_zone = "Europe/Berlin"'
    )  # fmt: skip


def _refs(
    name: str,
    item: int,
    content: str,
    stored: dict[str, str],
    *rejects: tuple[int, str],
    **more: Any,
) -> Case:
    return Case(
        name=name, items=(item,), content=content.encode(), stored=stored, rejects=rejects,
        profile=more.pop("profile", PLAIN), **more,
    )  # fmt: skip


_PHONE = profile(customer='phone = "phone"')


def _phone(name: str, text: str) -> Case:
    return Case(
        name=name, items=(65,), content=f'id,name,phone\n1,a,"{text}"\n'.encode(), profile=_PHONE,
        stored={"1": "a"},
    )  # fmt: skip


CASES: tuple[Case, ...] = (
    _fee("plain amount", "1234.50", 123450),
    _fee("grouped amount", "1,234.50", code="E_TYPE"),
    _fee("grouped amount by profile", "1,234.50", 123450, source='thousands = ","'),
    _fee("european amount", "1.234,50", code="E_TYPE"),
    _fee("european amount by profile", "1.234,50", 123450, source='thousands = "."\ndecimal = ","'),
    _fee("amount grouped by a blank", "¥1 234", code="E_TYPE"),
    _fee("amount with its currency's sign", "¥1234.50", 123450),
    _fee("amount with its currency's code", "1234.50 CNY", 123450),
    _fee("amount with another currency's sign", "$1234.50", code="E_TYPE"),
    _fee("amount in brackets", "(12.50)", -1250),
    _fee("amount with its minus behind", "12.50-", -1250),
    _fee("amount with two minus", "-12.50-", code="E_TYPE"),
    _fee("amount grouped by a no-break blank by profile", "1\u202f234,50", 123450, source='thousands = " "\ndecimal = ","'),
    _fee("badly grouped amount", "1,5", code="E_TYPE", source='thousands = ","'),
    _fee("amount with an exponent", "1E+3", code="E_TYPE"),
    _fee("amount of three decimals", "1.005", code="E_TYPE"),
    _fee("amount beyond 64 bits", "99999999999999999999.00", code="E_TYPE"),
    _value("step of a hundredth", 57, "price", "19.99", 19.99),
    _value("half a step", 57, "price", "19.995", code="E_RANGE"),
    _value("minus zero", 58, "ratio", "-0", 0.0),
    _value("large exponent", 58, "ratio", "1E+30", 1e30),
    _value("exponent beyond floats", 58, "ratio", "1e999", code="E_TYPE"),
    _value("three tenths", 58, "ratio", "0.30000000000000004", 0.1 + 0.2),
    _value("nan as a number", 58, "ratio", "NaN", code="E_TYPE"),
    _value("underscored number", 58, "count", "1_000", code="E_TYPE"),
    _value("count with a decimal of nought", 57, "count", "2.0", 2),
    _value("count with a comma and a nought", 57, "count", "2,0", 2),
    _value("count with thousands or decimals", 57, "count", "2,000", code="E_TYPE"),
    _value("count of lost digits", 57, "count", "1E+06", code="E_PRECISION_LOST"),
    _value("truth of one point nought", 57, "member", "1.0", True),
    _value("hexadecimal number", 58, "count", "0x10", code="E_TYPE"),
    _value("yen", 59, "yen", "1200", 1200, column="yen_minor"),
    _value("yen with decimals", 59, "yen", "12.50", code="E_TYPE", column="yen_minor"),
    Case(
        name="currency for no currency", items=(59,), content=b"id,name,fee,cur\n1,a,1,XXX\n2,b,1,EUR\n",
        profile=profile(fields='fee = { column = "fee", currency = { column = "cur" } }'),
        rejects=((2, "E_TYPE"),), column="fee_minor", stored={"2": 100},
    ),
    Case(
        name="parts of a hundred", items=(60,), column="fee_minor",
        content=b"id,name,fee\n1,a,33.34\n2,b,33.33\n3,c,33.33\n",
        profile=profile(fields='fee = "fee"'), stored={"1": 3334, "2": 3333, "3": 3333},
    ),
    _value("30 february", 61, "born_on", "2026-02-30", code="E_TYPE"),
    _value("29 february of a common year", 61, "born_on", "2023-02-29", code="E_TYPE"),
    _value("29 february of a leap year", 61, "born_on", "2024-02-29", "2024-02-29"),
    _value("year 1", 61, "born_on", "0001-01-01", code="E_TYPE"),
    _value("year 9999", 61, "born_on", "9999-12-31", code="E_TYPE"),
    _value("two-digit year", 61, "born_on", "26-02-03", code="E_TYPE"),
    _value("slashed date without format", 61, "born_on", "03/04/2025", code="E_TYPE"),
    _value("slashed date by profile", 61, "born_on", "03/04/2025", "2025-04-03", source='date = "%d/%m/%Y"'),
    Case(
        name="two-digit year by profile", items=(61,), content=b"id,name\n1,a\n",
        profile=profile('date = "%d/%m/%y"'), refused="E_PROFILE", exit_code=5,
    ),
    Case(
        name="two-digit years by profile", items=(61,), column="born_on",
        content=b"id,name,born_on\n1,a,31/1/24\n2,b,1/2/30\n3,c,1/2/1929\n",
        profile=profile('date = "%d/%m/%y"\nfirst_year = 1930', fields='born_on = "born_on"'),
        stored={"1": "2024-01-31", "2": "1930-02-01", "3": "1929-02-01"},
    ),
    _at("hour 24", 61, "2026-03-30 24:00:00", code="E_TYPE"),
    _at("instant with its zone", 61, "2026-03-30T10:00:00Z", "2026-03-30 10:00:00.000000"),
    _at("instant in local time", 61, "2026-03-30 10:00:00", "2026-03-30 08:00:00.000000"),
    _at("leap second", 61, "2016-12-31T23:59:60Z", "2016-12-31 23:59:59.999999"),
    _at("hour that the clocks skip", 62, "2026-03-29 02:30:00", code="E_TYPE"),
    _at("hour after the skipped one", 62, "2026-03-29 03:30:00", "2026-03-29 01:30:00.000000"),
    _at("hour that comes twice", 63, "2025-10-26 02:30:00", code="E_TYPE"),
    _at("second of the two hours", 63, "2025-10-26T02:30:00+01:00", "2025-10-26 01:30:00.000000"),
    _at("first of the two hours", 63, "2025-10-26T02:30:00+02:00", "2025-10-26 00:30:00.000000"),
    _value("birthday in the future", 64, "born_on", "2027-01-01", code="E_PLUGIN_CHECK"),
    Case(
        name="left before arrival", items=(64,), column="left_on", stored={"2": "2026-03-02"},
        content=b"id,name,a,l\n1,a,2026-03-02,2026-03-01\n2,b,2026-03-01,2026-03-02\n",
        profile=profile(fields='arrived_on = "a"\nleft_on = "l"'), rejects=((2, "E_PLUGIN_CHECK"),),
    ),
    _phone("phone without a country", "0512 1234567"),
    Case(
        name="phones that a spreadsheet took for numbers", items=(42, 65), profile=_PHONE,
        content=b"id,name,phone\n20,Tom,4.93012E+11\n21,Uma,4.93E+11\n22,Vic,49301234567.0\n",
        rejects=((2, "E_PRECISION_LOST"), (3, "E_PRECISION_LOST")), stored={"22": "Vic"},
        remark="whole numbers written with decimals",
    ),
    _phone("phone with 00", "0043 1 234567"),
    _phone("phone with an extension", "+1 555 0100 ext. 12"),
    # The example of GB 11643-1999.
    _value("resident id", 66, "resident_id", "11010519491231002X", "11010519491231002X"),
    _value("resident id with a wrong digit", 66, "resident_id", "110105194912310021", code="E_NUMBER"),
    _value("resident id with a small x", 66, "resident_id", "11010519491231002x", "11010519491231002X"),
    _value("resident id that is too long", 66, "resident_id", "11010519491231002X0", code="E_NUMBER"),
    _refs("missing key", 67, "id,name\n,a\n2,b\n", {"2": "b"}, (2, "E_KEY")),
    _refs("blank key", 67, "id,name\n   ,a\n2,b\n", {"2": "b"}, (2, "E_KEY")),
    _refs("key of an ideographic space", 67, "id,name\n　,a\n2,b\n", {"2": "b"}, (2, "E_KEY")),
    _refs("keys that a spreadsheet took for numbers", 42, "id,name\n1001.0,a\n4.93E+11,b\n1002.0,c\n", {"1001": "a", "1002": "c"}, (3, "E_PRECISION_LOST"), remark="whole numbers written with decimals"),
    _refs("numbers of sections as keys", 42, "id,name\n1.0,a\n1.1,b\n", {"1.0": "a", "1.1": "b"}),
    _refs("keys that lost a leading zero", 41, "id,name\n00123,a\n124,b\n", {"00123": "a", "124": "b"}, remark="may have lost a leading zero"),
    _refs("key twice with equal values", 68, "id,name\n1,a\n1,a\n", {"1": "a"}, unchanged=1),
    _refs("key twice with other values", 68, "id,name\n1,a\n1,b\n", {"1": "a"}, (3, "E_DUPLICATE")),
    _refs("last wins by profile", 68, "id,name\n1,a\n1,b\n", {"1": "b"}, profile=profile("last_wins = true")),
    _refs("keys that differ by case", 69, "id,name\nab,a\nAB,b\n", {"ab": "a", "AB": "b"}, remark="differ only"),
    _refs("keys that differ by blanks", 69, "id,name\n1,a\n 1 ,a\n", {"1": "a"}, unchanged=1),
    _refs("keys that differ by inner blanks", 69, "id,name\na b,a\nab,b\n", {"a b": "a", "ab": "b"}, remark="differ only"),
)  # fmt: skip
