"""The fast checks and the jsonschema library judge every value alike."""

from __future__ import annotations

import socketserver
import threading
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.entities.checks import (
    Reference,
    allowed_words,
    as_json,
    check_year,
    compile_check,
    shown,
)
from crmkit.entities.money import Money

texts = st.text(st.sampled_from("abc01 é王"), max_size=6)
whole = st.integers(-30, 30)
steps = st.sampled_from([1, 2, 5, 0.01, 0.1, 0.25, 2.5])
numbers = st.one_of(whole, st.decimals(-30, 30, places=2).map(float))
patterns = st.sampled_from(["^a", "[0-9]+$", "^[a-c]{2,3}$", "", "é|王", r"\d", "^(a+)+$"])


def optional(**keywords: st.SearchStrategy) -> st.SearchStrategy[dict]:
    return st.fixed_dictionaries({}, optional=keywords)


text_schemas = optional(
    enum=st.lists(texts, min_size=1, max_size=4),
    const=texts,
    minLength=st.integers(0, 4),
    maxLength=st.integers(0, 6),
    pattern=patterns,
    format=st.sampled_from(["email", "ipv4"]),
).map(lambda s: {"type": "string", **s})
bounds = {
    "minimum": whole, "maximum": whole, "exclusiveMinimum": whole, "exclusiveMaximum": whole,
    "multipleOf": steps,
}  # fmt: skip
integer_schemas = optional(enum=st.lists(whole, min_size=1), **bounds).map(
    lambda s: {"type": "integer", **s}
)
number_schemas = optional(enum=st.lists(numbers, min_size=1), **bounds).map(
    lambda s: {"type": "number", **s}
)
boolean_schemas = optional(enum=st.lists(st.booleans() | st.integers(0, 1), min_size=1)).map(
    lambda s: {"type": "boolean", **s}
)
list_schemas = optional(
    minItems=st.integers(0, 3),
    maxItems=st.integers(0, 3),
    uniqueItems=st.booleans(),
    items=text_schemas,
).map(lambda s: {"type": "array", "items": {"type": "string"}, **s})
cases = st.one_of(
    st.tuples(text_schemas, texts),
    st.tuples(text_schemas, st.sampled_from(["a@b.c", "127.0.0.1", "abc", "aaaaaa"])),
    st.tuples(integer_schemas, whole),
    st.tuples(number_schemas, numbers),
    st.tuples(boolean_schemas, st.booleans()),
    st.tuples(list_schemas, st.lists(texts, max_size=4)),
)


@given(cases)
def test_both_engines_agree(case):
    schema, value = case
    check = compile_check(schema)
    assert (check is None or check(value)) == Reference(schema).valid(value)


FAULTS = [
    ({"type": "string", "enum": ["a", "b"]}, "c", "E_ENUM", "a, b", "'c' is not one of ['a', 'b']"),
    ({"type": "integer", "minimum": 0, "maximum": 72}, 99, "E_RANGE", "integer, 0 or more, 72 or less", "99 is greater than the maximum of 72"),
    ({"type": "string", "maxLength": 2}, "abc", "E_LENGTH", "text, at most 2 characters", "'abc' is too long"),
    ({"type": "string", "pattern": "^x"}, "abc", "E_PATTERN", "text, matching ^x", "'abc' does not match '^x'"),
    ({"type": "number", "multipleOf": 0.01}, 1.005, "E_RANGE", "number, in steps of 0.01", "1.005 is not a multiple of 0.01"),
    ({"type": "boolean", "const": True}, False, "E_ENUM", "true", "True was expected"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "value", "code", "allowed", "words"), FAULTS)
def test_a_fault_has_a_code_what_is_allowed_and_words(schema, value, code, allowed, words):
    fault = Reference(schema).fault(value, "given")
    assert (fault.code, fault.allowed, fault.message, fault.value) == (
        code,
        allowed,
        words,
        "given",
    )


def test_hundredths_are_multiples_of_a_hundredth():
    """19.99 is no multiple of 0.01 in binary; jsonschema alone refuses it."""
    assert Reference({"type": "number", "multipleOf": 0.01}).valid(19.99)


def test_a_pattern_cannot_be_made_to_run_for_ever():
    check = compile_check({"type": "string", "pattern": "^(a+)+$"})
    assert check is not None
    assert not check("a" * 100_000 + "b")


def test_a_remote_reference_is_never_fetched():
    asked = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.client_address)

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/schema"
        with pytest.raises(Exception, match="Unresolvable"):
            Reference({"$ref": url}).valid("x")
        server.shutdown()
        thread.join()
    assert asked == []


NUMBER, TEXT = {"type": "number"}, {"type": "string"}
AMOUNT = {"type": "string", "format": "money"}
LIST = {"type": "array", "items": {"type": "string"}}
# A schema, values that fit and values that do not: the bound itself and its neighbours.
EDGES = [
    ({**NUMBER, "minimum": 3}, [3, 4, 3.0], [2, 2.99]),
    ({**NUMBER, "maximum": 3}, [3, 2], [4, 3.01]),
    ({**NUMBER, "exclusiveMinimum": 3}, [3.01, 4], [3, 2]),
    ({**NUMBER, "exclusiveMaximum": 3}, [2.99, 2], [3, 4]),
    ({**NUMBER, "multipleOf": 2}, [0, 2, -4], [1, 3, 2.5]),
    ({**NUMBER, "minimum": 1, "maximum": 2}, [1, 2], [0, 3]),
    # JSON says that true is no number, so a step does not speak of it.
    ({"multipleOf": 2}, [4], [3]),
    ({**TEXT, "minLength": 2}, ["ab", "éé"], ["a", ""]),
    ({**TEXT, "maxLength": 2}, ["ab", ""], ["abc"]),
    ({**TEXT, "minLength": 1, "pattern": "b$"}, ["ab", "b"], ["", "ba"]),
    ({"type": "boolean", "enum": [True]}, [True], [False]),
    ({"type": "integer", "enum": [0, 2]}, [0, 2], [1]),
    ({"type": "integer", "const": 1}, [1], [0, 2]),
    # An amount is a text whose number counts: 10 lies above 9, and 5 and 5.00 are one.
    ({**AMOUNT, "minimum": 5}, ["5.00", "5", "10.00"], ["4.99", "-9"]),
    ({**AMOUNT, "maximum": 5}, ["5.00", "-10"], ["5.01", "10.00"]),
    ({**AMOUNT, "exclusiveMinimum": 5}, ["5.01", "10"], ["5.00", "4.99"]),
    ({**AMOUNT, "exclusiveMaximum": 5}, ["4.99"], ["5.00", "5.01", "10"]),
    ({**LIST, "minItems": 1}, [["a"]], [[]]),
    ({**LIST, "maxItems": 1}, [["a"], []], [["a", "b"]]),
    ({**LIST, "uniqueItems": True}, [["a", "b"], []], [["a", "a"], ["a", "b", "a"]]),
    ({**LIST, "uniqueItems": False, "minItems": 1}, [["a", "a"]], [[]]),
    (
        {"type": "array", "items": {**TEXT, "maxLength": 1}},
        [["a", "b"]],
        [["a", "bc"], ["ab", "c"]],
    ),
]


@pytest.mark.parametrize(("schema", "fits", "faulty"), EDGES)
def test_a_bound_is_within_or_without_as_its_word_says(
    schema: dict[str, Any], fits: list[Any], faulty: list[Any]
) -> None:
    check, reference = compile_check(schema), Reference(schema)
    assert check is not None
    for values, expected in ((fits, True), (faulty, False)):
        assert [(v, bool(check(v)), reference.valid(v)) for v in values] == [
            (v, expected, expected) for v in values
        ]


@pytest.mark.parametrize(
    "schema",
    [
        TEXT,
        NUMBER,
        {"type": "boolean"},
        LIST,
        {**TEXT, "format": "date"},
        {**LIST, "uniqueItems": False},
    ],
)
def test_a_type_alone_needs_no_check(schema: dict[str, Any]) -> None:
    assert compile_check(schema) is None


def test_a_step_does_not_speak_of_true() -> None:
    assert Reference({"multipleOf": 2}).valid(True)
    assert Reference({"multipleOf": 2}).valid("3")


@pytest.mark.parametrize(
    ("word", "value", "words"),
    [
        ("minimum", "4.99", "4.99 is not 5 or more"),
        ("maximum", "5.01", "5.01 is not 5 or less"),
        ("exclusiveMinimum", "5.00", "5.00 is not more than 5"),
        ("exclusiveMaximum", "5.00", "5.00 is not less than 5"),
    ],
)
def test_an_amount_beyond_its_bound_is_told_the_bound(word: str, value: str, words: str) -> None:
    fault = Reference({**AMOUNT, word: 5}).fault(value, value)
    assert (fault.code, fault.message) == ("E_RANGE", words)


def test_a_long_reason_is_cut_to_300_characters() -> None:
    """``'aaa' does not match '^b'`` has 22 characters beside the letters."""
    schema = {**TEXT, "pattern": "^b"}
    whole, cut = (Reference(schema).fault("a" * n, "a").message for n in (278, 279))
    assert whole == f"'{'a' * 278}' does not match '^b'"
    assert len(whole) == len(cut) == 300
    assert cut == f"'{'a' * 279}' does not match ..."


def test_a_long_value_is_shown_by_its_first_117_characters() -> None:
    assert shown("x" * 120) == "x" * 120
    assert shown("x" * 121) == "x" * 117 + "..."


@pytest.mark.parametrize(
    ("day", "sound"),
    [
        (date(1899, 12, 31), False),
        (date(1900, 1, 1), True),
        (date(2200, 12, 31), True),
        (date(2201, 1, 1), False),
    ],
)
def test_a_year_lies_from_1900_to_2200(day: date, sound: bool) -> None:
    if sound:
        assert check_year(day) == day
    else:
        with pytest.raises(ValueError, match="is outside the years 1900 to 2200"):
            check_year(day)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"enum": ["a", 1, True]}, "a, 1, true"),
        ({"const": False}, "false"),
        ({}, "text"),
        (
            {**TEXT, "minLength": 1, "maxLength": 9},
            "text, at least 1 characters, at most 9 characters",
        ),
        (
            {**NUMBER, "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            "number, more than 0, less than 1",
        ),
        (
            {**LIST, "minItems": 1, "maxItems": 2},
            "list, at least 1 items, at most 2 items, each of: text",
        ),
        ({**TEXT, "format": "date"}, "date"),
    ],
)
def test_what_is_allowed_is_said_in_words(schema: dict[str, Any], words: str) -> None:
    assert allowed_words(schema) == words


def test_a_value_is_judged_as_the_text_that_json_has_for_it() -> None:
    assert as_json(Money(1250, "EUR")) == "12.50"
    assert as_json(date(2026, 3, 31)) == "2026-03-31"
    assert as_json(datetime(2026, 3, 31, 10, tzinfo=UTC)) == "2026-03-31T10:00:00Z"
    assert as_json(7) == 7
