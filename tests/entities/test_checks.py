"""The fast checks and the jsonschema library judge every value alike."""

from __future__ import annotations

import socketserver
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmkit.entities.checks import Reference, compile_check

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
