"""Numbers of standards: a wrong check digit is refused, another writing brought into one form."""

from __future__ import annotations

import sys

import pytest

from crmkit.entities import FieldSet
from crmkit.entities.standard_numbers import is_known, number_reader
from crmkit.errors import ConfigError, UsageError
from crmkit.store.values import Codec

pytest.importorskip("stdnum")

FIELDS = FieldSet(
    {
        "type": "object",
        "properties": {
            "card": {"type": "string", "format": "cn.ric", "pii": "direct"},
            "account": {"type": "string", "format": "iban"},
            "mail": {"type": "string", "format": "email"},
            "free": {"type": "string"},
        },
    }
)


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        # The example of the standard itself (GB 11643-1999).
        ("cn.ric", "11010519491231002x", "11010519491231002X"),
        # The example of the IBAN registry (SWIFT).
        ("iban", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
    ],
)
def test_a_number_is_brought_into_its_standard_form(name: str, text: str, form: str) -> None:
    assert number_reader(name)(text) == form


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("cn.ric", "110105194912310021", "is no valid cn.ric: the number's checksum or check digit"),
        ("cn.ric", "1101051949123100", "is no valid cn.ric: the number has an invalid length"),
        ("iban", "DE88370400440532013000", "is no valid iban: the number's checksum"),
    ],
)  # fmt: skip
def test_a_wrong_number_is_refused(name: str, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        number_reader(name)(text)


def test_formats_of_json_schema_are_no_standard_numbers() -> None:
    assert [f.standard_number for f in FIELDS.fields] == ["cn.ric", "iban", None, None]


def test_a_value_typed_by_a_person_is_judged_too() -> None:
    codec = Codec("shop.customer", FIELDS, "USD")
    assert codec.parse({"card": "11010519491231002x"}) == {"card": "11010519491231002X"}
    with pytest.raises(UsageError, match=r"field 'card': the value is no valid cn\.ric"):
        codec.parse({"card": "110105194912310021"})


@pytest.mark.parametrize("name", ["cn.rick", "../os", "util", "cn", "os.path"])
def test_what_the_library_does_not_have_is_refused(name: str) -> None:
    assert is_known(name) is False
    with pytest.raises(ConfigError, match="python-stdnum has none"):
        number_reader(name)


def test_without_the_library_a_number_is_refused_and_not_taken_unseen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [n for n in sys.modules if n == "stdnum" or n.startswith("stdnum.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "stdnum", None)
    assert is_known("us.ssn") is None
    with pytest.raises(ConfigError, match="python-stdnum is not installed") as caught:
        number_reader("us.ssn")
    assert "crmkit[phone]" in caught.value.hint
