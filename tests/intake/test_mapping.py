"""What a field's source can do with a cell: take a piece, scale it, and say what the rest becomes."""

from __future__ import annotations

import json

import pytest

from crmkit.errors import ProfileError

from .conftest import Shop

PROFILE = """
name = "p"
[source]
name = "p"
key = ["id"]
[[emit]]
entity = "customer"
key = "id"
[emit.fields]
%s
[[emit]]
entity = "shop.customer"
[emit.fields]
%s
"""


def test_two_fields_take_two_pieces_of_a_column(lite: Shop) -> None:
    profile = PROFILE % (
        'name = { column = "who", part = -1 }\nregion = { column = "at", split = "/", part = 2 }',
        "",
    )
    result = lite.load("id,who,at\n1,Ann von Berg,AT/Wien\n2,Bo,DE\n", profile)
    assert (result.created, result.rejected) == (2, 0)
    assert lite.sql("SELECT name, region FROM customer ORDER BY name") == [
        ("Berg", "Wien"),
        ("Bo", None),
    ]


@pytest.mark.parametrize(
    ("part", "taken"),
    [(1, "a"), (2, "b"), (3, "c"), (4, None), (-1, "c"), (-2, "b"), (-3, "a"), (-4, None)],
)
def test_the_pieces_of_a_cell_are_counted_from_1_and_from_its_end(
    lite: Shop, part: int, taken: str | None
) -> None:
    profile = PROFILE % (f'region = {{ column = "at", split = "/", part = {part} }}', "")
    assert lite.load("id,at\n1, a/b /c\n", profile).created == 1
    assert lite.one("SELECT region FROM customer") == taken


def test_columns_are_joined_without_those_that_are_blank(lite: Shop) -> None:
    profile = PROFILE % ('name = { join = ["first", "last"], sep = ", " }', "")
    lite.load("id,first,last\n1, Ann ,Berg\n2,,Bo\n3,Cy,\n4,,\n", profile)
    found = [name for (name,) in lite.sql("SELECT name FROM customer ORDER BY id")]
    assert found == ["Ann, Berg", "Bo", "Cy", None]


def test_an_amount_has_the_currency_of_its_row(lite: Shop) -> None:
    """12.5 euros are 1250 cents, and 7 yen are 7: the yen has no smaller unit (ISO 4217)."""
    profile = (PROFILE % ('name = "id"', "")).replace("shop.customer", "shop.line") + (
        'fee = { column = "fee", currency = { column = "unit" } }\n'
    )
    result = lite.load("id,fee,unit\n1,12.5,EUR\n2,7,JPY\n3,,EUR\n4,5,\n5,5,euro\n", profile)
    assert lite.sql("SELECT fee_minor, fee_currency FROM shop_line ORDER BY id") == [
        (1250, "EUR"),
        (7, "JPY"),
        (None, None),
    ]
    assert [(r.line, r.code) for r in lite.store.imports.rejects(result.import_id)] == [
        (5, "E_REQUIRED"),
        (6, "E_TYPE"),
    ]


VISIT = """
[[emit]]
entity = "shop.visit"
key = "id"
occurred_at = "at"
[emit.fields]
tip = { column = "tip", currency = { column = "unit" } }
given = { column = "tip", currency = "USD" }
"""


def test_amounts_of_an_event_stand_in_its_payload_and_missing_ones_are_left_out(lite: Shop) -> None:
    """20:00 UTC is the next day in the workspace's zone, Asia/Shanghai (UTC+8)."""
    profile = PROFILE.partition("[[emit]]")[0] + VISIT
    lite.load(
        "id,at,tip,unit\n1,2026-02-01T20:00:00Z,5,EUR\n2,2026-02-02T08:00:00Z,,EUR\n", profile
    )
    rows = lite.sql(
        "SELECT payload, occurred_at, occurred_on FROM interaction ORDER BY occurred_at"
    )
    assert [(json.loads(row[0]), row[1][:16], row[2]) for row in rows] == [
        (
            {"tip_minor": 500, "tip_currency": "EUR", "given_minor": 500, "given_currency": "USD"},
            "2026-02-01 20:00",
            "2026-02-02",
        ),
        ({}, "2026-02-02 08:00", "2026-02-02"),
    ]


@pytest.mark.parametrize(
    ("title", "stored"),
    [("ab", "ab"), (" ab ", "ab"), ("a", None), (" a ", None), ("  a", None)],
)
def test_the_length_of_a_text_is_that_without_the_blanks_around_it(
    lite: Shop, title: str, stored: str | None
) -> None:
    """A plan's title has at least two characters."""
    profile = PROFILE.partition("[[emit]]")[0] + (
        '[[emit]]\nentity = "shop.plan"\nkey = "id"\n[emit.fields]\ntitle = "title"\n'
    )
    result = lite.load(f"id,title\n1,{title}\n2,other\n", profile)
    found = [text for (text,) in lite.sql("SELECT title FROM shop_plan ORDER BY id")]
    assert found == ([] if stored is None else [stored]) + ["other"]
    assert [r.code for r in lite.store.imports.rejects(result.import_id)] == (
        ["E_LENGTH"] if stored is None else []
    )


def test_rows_without_a_key_have_one_of_their_own_also_one_alone(lite: Shop) -> None:
    profile = (
        PROFILE.partition("key = ")[0] + VISIT.replace('key = "id"\n', "").partition("given")[0]
    )
    row = "2026-02-01T20:00:00Z,5,EUR\n"
    assert lite.load(f"at,tip,unit\n{row}", profile).created == 1
    again = lite.load(f"at,tip,unit\n{row}{row}", profile, name="more.csv")
    assert (again.created, again.unchanged) == (1, 1)


def test_a_number_is_brought_to_its_unit_in_decimal_digits(lite: Shop) -> None:
    """0.1 three times is 0.3, as it is not in binary floats."""
    profile = PROFILE % (
        'name = "id"',
        'score = { column = "s", factor = 0.1, decimal = ",", thousands = "." }\n'
        'household = { column = "h", factor = 0.5 }',
    )
    result = lite.load('id,s,h\n1,3,4\n2,"1.234,5",3\n3,"1.234,5",\n4,x,\n', profile)
    assert (result.created, result.rejected) == (2, 2)
    assert lite.sql("SELECT score, household FROM shop_customer ORDER BY score") == [
        (0.3, 2),
        (123.45, None),
    ]
    # Half of 3 is no whole number, and x is none at all.
    rejects = lite.store.imports.rejects(result.import_id)
    assert [(r.line, r.field, r.code) for r in rejects] == [
        (3, "household", "E_TYPE"),
        (5, "score", "E_TYPE"),
    ]


def test_an_amount_is_scaled_to_whole_cents(lite: Shop) -> None:
    profile = (PROFILE % ('name = "id"', "")).replace("shop.customer", "shop.line") + (
        'fee = { column = "cents", factor = 0.01, currency = "EUR" }\n'
    )
    lite.load("id,cents\n1,1999\n", profile)
    assert lite.sql("SELECT fee_minor, fee_currency FROM shop_line") == [(1999, "EUR")]


@pytest.mark.parametrize(("other", "stored"), [("basic", "basic"), ("", None)])
def test_other_says_what_the_rest_becomes(lite: Shop, other: str, stored: str | None) -> None:
    spec = f'tier = {{ column = "t", map = {{ G = "max" }}, other = "{other}" }}'
    result = lite.load("id,t\n1,G\n2,Z\n", PROFILE % ('name = "id"', spec))
    assert result.rejected == 0
    assert lite.sql("SELECT tier FROM shop_customer ORDER BY customer_id") == [("max",), (stored,)]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ('tier = { column = "t", factor = 2 }', "field 'tier': factor is for numbers, and this is text"),
        ('score = { column = "t", factor = 0 }', "factor: 0 is not a number other than 0"),
        ('score = { column = "t", factor = nan }', "factor: nan is not a number other than 0"),
        ('tier = { column = "t", part = 0 }', "part: 0 is not a whole number from 1"),
        ('tier = { column = "t", other = "max" }', "so it needs a map"),
        ('tier = { column = "t", map = { G = "max" }, other = "gold" }', "gold"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(lite: Shop, spec: str, words: str) -> None:
    with pytest.raises(ProfileError) as refused:
        lite.load("id,t\n1,1\n", PROFILE % ('name = "id"', spec))
    assert words in str(refused.value)


def test_the_line_of_a_row_can_be_stored_and_survives_mending(lite: Shop) -> None:
    """A file without dates whose order tells the time: a blank line counts, a mended row stays."""
    profile = PROFILE % ('name = "who"', 'score = "#line"\nhousehold = "h"')
    first = lite.load("id,who,h\n1,Ann,2\n\n2,Bo,x\n3,Cy,3\n", profile)
    assert (first.created, first.rejected) == (2, 1)
    mended = lite.load("_line,id,who,h\n4,2,Bo,4\n", profile)
    assert mended.created == 1
    assert lite.sql("SELECT household, score FROM shop_customer ORDER BY score") == [
        (2, 2.0),
        (4, 4.0),
        (3, 5.0),
    ]


def test_a_row_makes_what_its_conditions_let_through(lite: Shop) -> None:
    """A code written as 1.0 is 1; blank and missing are the same, and no value."""
    conditions = {
        "equals": 'equals = "1"',
        "in": 'in = ["1", "2"]',
        "not_equals": 'not_equals = "1"',
        "not_in": 'not_in = ["1", "2"]',
        "filled": "filled = true",
        "empty": "filled = false",
    }
    emits = [
        f"""
[[emit]]
name = "{name.replace("_", "-")}"
entity = "shop.visit"
occurred_at = "2026-02-01"
actor = {{ value = "{name}" }}
when = {{ column = "code", {condition} }}
"""
        for name, condition in conditions.items()
    ]
    codes = {"a": "1", "b": " 1.0 ", "c": "2", "d": "3", "e": "", "f": " ", "g": "01"}
    rows = "".join(f"{row},{code}\n" for row, code in codes.items())
    result = lite.load(f"id,code\n{rows}", PROFILE.partition("[[emit]]")[0] + "".join(emits))
    assert (result.created, result.rejected) == (7, 0)
    made: dict[str, str] = dict.fromkeys(conditions, "")
    for actor, ref in lite.sql("SELECT actor, ref FROM interaction ORDER BY ref"):
        made[actor] += ref.partition(":")[0]
    assert made == {
        "equals": "ab",
        "in": "abc",
        "not_equals": "cdefg",
        "not_in": "defg",
        "filled": "abcdg",
        "empty": "ef",
    }


def test_of_several_conditions_all_hold(lite: Shop) -> None:
    """What another emit makes of the same row is not touched by them."""
    emits = """
[[emit]]
entity = "customer"
key = "id"
when = [{ column = "a", equals = "1" }, { column = "b", filled = true }]
[emit.fields]
name = "id"
[[emit]]
entity = "shop.plan"
key = "id"
[emit.fields]
title = "title"
"""
    rows = "id,a,b,title\n1,1,x,aa\n2,1,,bb\n3,2,x,cc\n4,2,,dd\n"
    result = lite.load(rows, PROFILE.partition("[[emit]]")[0] + emits)
    assert (result.created, result.rejected) == (4, 0)
    assert lite.sql("SELECT name FROM customer") == [("1",)]
    assert lite.one("SELECT count(*) FROM shop_plan") == 4


def test_an_owner_is_looked_up_only_by_the_rows_that_name_one(lite: Shop) -> None:
    """A line belongs to a stored customer: line 3 of the file names none, and line 4 an unknown."""
    customers = PROFILE % ('name = "id"', "")
    lite.load("id\n1\n2\n", customers)
    lines = PROFILE.partition("[[emit]]")[0] + (
        '[[emit]]\nentity = "shop.line"\nkey = "id"\n'
        'owner = { entity = "customer", column = "who" }\n[emit.fields]\nnumber = "id"\n'
    )
    result = lite.load("id,who\n10,2\n11,\n12,9\n13,1\n", lines, name="lines.csv")
    assert (result.created, result.rejected) == (2, 2)
    assert lite.sql(
        "SELECT l.number, c.name FROM shop_line l JOIN customer c ON c.id = l.owner_id ORDER BY 1"
    ) == [("10", "2"), ("13", "1")]
    rejects = lite.store.imports.rejects(result.import_id)
    assert [(r.line, r.code, r.field, r.value) for r in rejects] == [
        (3, "E_OWNER", "owner", ""),
        (4, "E_OWNER", "owner", "9"),
    ]


def test_customers_keys_that_look_alike_are_remarked(lite: Shop) -> None:
    """Full-width letters and case are one shape; of other things than customers nothing is said."""
    plans = PROFILE.partition("[[emit]]")[0] + (
        '[[emit]]\nentity = "shop.plan"\nkey = "id"\n[emit.fields]\ntitle = "id"\n'
    )
    wide = "\uff21\uff22\uff11"
    rows = f"id\nAB1\nab1\nAB2\n{wide}\nab1\n"
    said = lite.load(rows, PROFILE % ('name = "id"', "")).remarks
    assert [remark for remark in said if "look alike" in remark] == [
        "keys look alike and differ only by case, blanks or invisible signs: 'AB1' and 'ab1', "
        f"'AB1' and '{wide}' (3 rows in all); they are kept as different customers."
    ]
    assert not any("look alike" in r for r in lite.load(rows, plans, name="plans.csv").remarks)


def test_a_rejected_row_names_its_first_fault_and_five_more(lite: Shop) -> None:
    names = ("tier", "household", "born_on", "member", "score")
    fields = "\n".join(f'{name} = "x"' for name in names)
    profile = (PROFILE % ('name = "id"', fields)) + (
        '[[emit]]\nentity = "shop.line"\nkey = "id"\n[emit.fields]\nnumber = "x"\nfee = "x"\n'
    )
    result = lite.load("id,x\n1,no number\n", profile)
    (row,) = lite.store.imports.rejects(result.import_id)
    assert (row.field, row.code) == ("tier", "E_ENUM")
    first, *more = row.message.split("; also ")[0], *row.message.split("; also ")[1].split("; ")
    assert first.startswith("column x: ")
    assert [words.partition(":")[0] for words in more] == [
        "household",
        "born_on",
        "member",
        "score",
        "number",
    ]


def test_of_repeated_keys_the_last_wins_whichever_rows_lie_between(lite: Shop) -> None:
    """Ann is named on lines 2, 3 and 5: the equal one is no version, the other is the second."""
    profile = (PROFILE % ('name = "name"\nphone = "phone"', "")).replace(
        'key = ["id"]', 'key = ["id"]\nlast_wins = true'
    )
    result = lite.load("id,name,phone\n1,Ann,110\n1,Ann,110\n2,Bo,\n1,Anna,\n", profile)
    assert (result.created, result.updated, result.unchanged) == (2, 1, 1)
    assert lite.sql("SELECT name, version FROM customer ORDER BY name") == [("Anna", 2), ("Bo", 1)]
    assert lite.sql("SELECT value FROM contact_point") == [("110",)]
