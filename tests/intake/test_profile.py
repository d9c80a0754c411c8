"""Profiles: every fault is found at once, and the example in the reference is sound."""

from __future__ import annotations

import re

import pytest
from attrs import evolve

from crmkit.declarations import InteractionKind, RecordType
from crmkit.errors import NotFound, ProfileError
from crmkit.intake.plan import build_plan
from crmkit.intake.profile import Condition, Key
from crmkit.intake.profile_toml import parse_profile

GOOD = """
name = "p"
[source]
key = ["id"]
[[emit]]
entity = "customer"
key = "id"
[emit.fields]
name = "name"
"""
LINE = """
[[emit]]
entity = "shop.line"
key = "id"
[emit.fields]
number = "number"
"""


def plan(lite, text: str):
    return build_plan(
        parse_profile(text, "here"), lite.store.catalog, source="s", currency="USD",
        time_zone="UTC", form="sqlite",
    )  # fmt: skip


def faults(lite, text: str) -> str:
    with pytest.raises(ProfileError) as caught:
        plan(lite, text)
    assert caught.value.exit_code == 5
    return str(caught.value)


def test_the_defaults_are_those_of_the_reference():
    profile = parse_profile(GOOD, "here")
    source = profile.source
    assert (source.name, source.format, source.encoding, source.mode) == (
        "p",
        "csv",
        "utf-8",
        "upsert",
    )
    assert (source.null, source.decimal, source.multiline, source.last_wins) == (
        {""},
        ".",
        False,
        False,
    )
    (emit,) = profile.emits
    assert (emit.name, emit.key, emit.when) == ("customer", Key((("", "id"),)), ())
    assert profile.used == ("id", "name")


def test_keys_are_columns_templates_or_lists():
    text = GOOD.replace('key = "id"', 'key = "{a}-{b}x"')
    assert parse_profile(text, "").emits[0].key == Key((("", "a"), ("-", "b"), ("x", None)))
    text = GOOD.replace('key = "id"\n', 'key = ["a", "b"]\n')
    assert parse_profile(text, "").emits[0].key == Key((("", "a"), (":", "b")))


def test_conditions_may_be_one_or_many():
    text = GOOD.replace(
        'key = "id"\n[',
        'key = "id"\nwhen = [{column = "a", in = ["x", "y"]}, {column = "b", filled = false}]\n[',
    )
    assert parse_profile(text, "").emits[0].when == (
        Condition(column="a", operator="in", values=frozenset("xy")),
        Condition(column="b", operator="empty"),
    )


SHAPES = [
    ("name = 3", "3 is not a text"),
    ('name = "a b"', "'a b' is not a name of letters"),
    ('name = "p"\nextra = 1', "extra: unknown key (known: name, title, source, quality, values, lookups, emit)"),
    ("x = = 1", "line 1"),
    ('name = "p"', "a profile needs at least one [[emit]] block"),
    (GOOD.replace("[source]", '[source]\nformat = "xml"'), "source.format: 'xml' is not one of csv, jsonl"),
    (GOOD.replace("[source]", '[source]\nencoding = "klingon"'), "'klingon' is no encoding"),
    (GOOD.replace("[source]", '[source]\nencoding = "utf-7"'), "'utf-7' does not keep ASCII"),
    (GOOD.replace("[source]", '[source]\nencoding = "cp500"'), "'cp500' does not keep ASCII"),
    (GOOD.replace("[source]", '[source]\ndelimiter = "::"'), "'::' is not one character"),
    (GOOD.replace("[source]", '[source]\ndate = "%d.%m.%y"'), "two-digit years"),
    (GOOD.replace("[source]", '[source]\ntime_zone = "Mars/Base"'), "'Mars/Base' is not an IANA time zone"),
    (GOOD.replace("[source]", '[source]\ncurrency = "usd"'), "'usd' is no ISO 4217 code"),
    (GOOD.replace("[source]", "[source]\nmultiline = 1"), "1 is not true or false"),
    (GOOD.replace('name = "name"', "name = { }"), "needs exactly one of column, value, join"),
    (GOOD.replace('name = "name"', 'name = { column = "a", maps = 1 }'), "maps: unknown key"),
    (GOOD.replace('name = "name"', 'name = { column = "a", map = "m" }'), "there is no [values.m] (known: none)"),
    (GOOD + LINE.replace('key = "id"', 'key = "id"\nowner = "who"'), "'who' is no earlier emit (earlier: customer)"),
    (GOOD + GOOD[GOOD.index("[[emit]]") :], "two emits are named 'customer'"),
    (GOOD.replace('key = "id"\n[', 'key = "id"\nwhen = { column = "a" }\n['), "needs column and one of equals"),
    (GOOD.replace('key = "id"\n[', 'key = "{id"\n['), "template '{id'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), SHAPES)
def test_a_fault_of_shape_is_named_with_its_place(text, words):
    with pytest.raises(ProfileError) as caught:
        parse_profile(text, "my.toml")
    assert words in str(caught.value)
    assert "profile my.toml: " in str(caught.value)


FITS = [
    (GOOD.replace('name = "name"', 'nickname = "name"'), "a customer has no field 'nickname' (fields: kind, name,"),
    (GOOD.replace('name = "name"', 'kind = { value = "robot" }'), "'robot' is not one of ['person', 'organisation']"),
    (GOOD.replace('name = "name"', 'kind = { column = "k", map = { R = "robot" } }'), "(allowed: person, organisation)"),
    (GOOD + LINE.replace("shop.line", "shop.lime"), "no enabled plugin declares 'shop.lime' (declared: customer, shop.customer,"),
    (GOOD + LINE.replace("number =", "numbers ="), "shop.line has no field 'numbers' (fields: number, fee, deposit, opened_at)"),
    (LINE.join(['name = "p"', ""]), "owner: no earlier emit is a customer"),
    (GOOD + LINE.replace('key = "id"', 'key = "id"\nsubject = "customer"'), "subject: only interactions have that"),
    (GOOD + LINE.replace('number = "number"', 'deposit = { column = "d", currency = "USD" }'), "field 'deposit' is always in JPY"),
    (GOOD + LINE.replace("shop.line", "shop.plan").replace("number =", "title ="), ""),
    (GOOD + LINE.replace("shop.line", "shop.plan").replace('number = "number"', ""), "shop.plan requires title, which nothing feeds"),
    (GOOD + LINE.replace("shop.line", "shop.plan").replace("number =", "title =").replace('key = "id"', 'key = "id"\nowner = "customer"'), "shop.plan has no owner"),
    (GOOD + LINE.replace("shop.line", "shop.scan").replace("number =", "place =").replace('key = "id"', 'key = "id"\nowner = "customer"'), "owner: 'customer' is a customer, not a shop.line"),
    (GOOD + LINE.replace("shop.line", "shop.customer").replace("number =", "tier ="), "customer fields have no key of their own"),
    (GOOD + LINE.replace("shop.line", "shop.bill").replace("number =", "total ="), "an interaction needs occurred_at"),
    (GOOD + LINE.replace("shop.line", "shop.visit").replace('number = "number"', "").replace('key = "id"', 'effective = "2026-01-01"\noccurred_at = "2026-01-01"'), "an interaction has occurred_at and no effective"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), FITS)
def test_a_profile_that_does_not_fit_the_plugins_says_why(lite, text, words):
    if words:
        assert words in faults(lite, text)
    else:
        assert len(plan(lite, text).emits) == 2


def test_all_faults_are_named_at_once(lite):
    text = GOOD.replace('name = "name"', 'kind = { value = "x" }\nage = "age"') + LINE.replace(
        "number =", "digits ="
    )
    found = faults(lite, text)
    assert all(
        words in found for words in ("'x' is not one of", "no field 'age'", "no field 'digits'")
    )


def test_the_example_of_the_reference_is_sound(lite, root):
    reference = (root / "docs/reference/profiles.md").read_text(encoding="utf-8")
    example, _ = re.findall(r"```toml\n(.*?)```", reference, flags=re.S)
    profile = parse_profile(example, "profiles.md")

    def schema(*names: str, **others: dict) -> dict:
        return {"type": "object", "properties": {n: {"type": "string"} for n in names} | others}

    money, day = {"type": "string", "format": "money"}, {"type": "string", "format": "date"}
    contract = {"type": "string", "enum": ["month_to_month", "one_year", "two_year"]}
    lines = RecordType(
        name="telecom.subscription",
        schema=schema(
            contract_type=contract, monthly_fee=money, total_charges=money, activated_on=day
        ),
    )
    leaving = InteractionKind(
        name="telecom.port_out", schema=schema("reason"), subject="telecom.subscription"
    )
    catalog = evolve(
        lite.store.catalog,
        customer_fields={
            "telecom": type(lite.store.catalog.customer_fields["shop"])(schema("gender"))
        },
        record_types={lines.name: lines},
        interaction_kinds={leaving.name: leaving},
    )
    found = build_plan(
        profile, catalog, source="acme", currency="USD", time_zone="UTC", form="sqlite"
    )
    assert [e.kind for e in found.emits] == ["customer", "fields", "record", "interaction"]
    assert [e.owner for e in found.emits] == [None, 0, 0, 0]
    assert found.emits[3].subject == 2


def test_every_key_of_the_format_stands_in_the_reference(root):
    from crmkit.intake.profile import OPERATORS, SPEC_KEYS, Emit, Source

    reference = (root / "docs/reference/profiles.md").read_text(encoding="utf-8")
    names = [a.name for kind in (Emit, Source) for a in kind.__attrs_attrs__]
    missing = [
        n
        for n in (*names, *SPEC_KEYS, *OPERATORS)
        if f"`{n}`" not in reference and f" {n} =" not in reference
    ]
    assert missing == []


def test_every_reject_code_stands_in_the_reference(root):
    reference = (root / "docs/reference/error-codes.md").read_text(encoding="utf-8")
    raised = {"E_EMPTY", "E_SIGNATURE", "E_HEADER", "E_COLUMN_MISSING", "E_FILE_CHANGED", "E_LINE"}
    for path in (root / "crmkit/intake").glob("*.py"):
        raised |= set(re.findall(r'"(E_[A-Z_]+)"', path.read_text(encoding="utf-8")))
    raised -= {"E_CONFLICT"}
    assert sorted(code for code in raised if f"`{code}`" not in reference) == []


def test_a_workspace_profile_hides_a_plugins_and_unknown_ones_are_suggested(lite):
    folder = lite.intake.settings.profiles
    folder.mkdir()
    (folder / "mine.toml").write_text(GOOD.replace('name = "p"', 'name = "p"\ntitle = "Mine"', 1))
    (known,) = lite.intake.profiles()
    assert (known.name, known.title, known.owner) == ("mine", "Mine", "workspace")
    assert lite.intake.lint("mine") == []
    (folder / "bad.toml").write_text(GOOD.replace("customer", "nobody"))
    (fault,) = lite.intake.lint("bad")
    assert "no enabled plugin declares 'nobody'" in fault
    with pytest.raises(NotFound, match="Did you mean mine"):
        lite.intake.profile("mina")
