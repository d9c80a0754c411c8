"""Which phone numbers and e-mail addresses are one, however they are written."""

from __future__ import annotations

import pytest

from crmkit.entities.address import address_key, is_same_address

SAME = [
    ("email", "ann@x.example", "Ann@X.Example"),
    ("email", "ann@x.example", "  ann@x.example "),
    ("email", "ann@x.example", "ann+newsletter@x.example"),
    ("email", "ann@x.example", "Ann Example <ann+a+b@x.example>"),
    ("email", "ann@x.example", "mailto:ann@x.example."),
    ("email", "ann@x.example", "ａｎｎ@x.example"),
    ("phone", "+49 30 123456", "0049-30-123456"),
    ("phone", "+49 30 123456", "(030) 123 456"),
    ("phone", "+49 30 123456", "+49 (0)30 123456 ext. 12"),
    ("phone", "+44 20 7946 0958", "020 7946 0958"),
    ("phone", "13800138000", "+86 138-0013-8000"),
    ("phone", "+1 212 555 0123", "tel:212.555.0123"),
    # Short numbers are one only where all their digits are.
    ("phone", "12345", "1-23-45"),
]
OTHER = [
    ("email", "ann@x.example", "bob@x.example"),
    ("email", "ann@x.example", "ann@y.example"),
    # A dot is a letter of the mailbox's name at most providers.
    ("email", "a.nn@x.example", "ann@x.example"),
    ("email", "none", "none"),
    # The last eight digits are equal and the area codes are not.
    ("phone", "+1 212 555 0123", "+1 312 555 0123"),
    ("phone", "+49 30 123456", "+49 30 123457"),
    ("phone", "00000000", "00000000"),
    ("phone", "1234", "1234"),
    ("phone", "12345", "912345"),
    # Two people of one household are written to at one address, each by name.
    ("address", "1 Main Street", "1 Main Street"),
]


@pytest.mark.parametrize(("kind", "one", "other"), SAME)
def test_one_address_in_two_writings(kind: str, one: str, other: str) -> None:
    assert is_same_address(kind, one, other)
    assert is_same_address(kind, other, one)
    # They are looked up by their key, so what is one address has one key.
    assert address_key(kind, one) == address_key(kind, other) != ""


@pytest.mark.parametrize(("kind", "one", "other"), OTHER)
def test_two_addresses(kind: str, one: str, other: str) -> None:
    assert not is_same_address(kind, one, other)
    assert not is_same_address(kind, other, one)
