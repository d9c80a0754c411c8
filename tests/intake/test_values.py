"""Reading single cells: what is taken as what, and what is refused in which words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from crmkit.entities.fields import FieldType
from crmkit.entities.money import Money
from crmkit.intake.values import (
    PrecisionLost,
    Reading,
    expected_words,
    reader_of,
    whole_number,
    whole_or_none,
)

INT, NUM, BOOL = FieldType.INTEGER, FieldType.NUMBER, FieldType.BOOLEAN
DATE, AT, MONEY, LIST = FieldType.DATE, FieldType.INSTANT, FieldType.MONEY, FieldType.LIST
VIENNA = ZoneInfo("Europe/Vienna")

TAKEN = [
    (INT, "12", {}, 12),
    (INT, "-3", {}, -3),
    (INT, "9223372036854775807", {}, 2**63 - 1),
    (INT, "1,234,567", {"thousands": ","}, 1234567),
    (NUM, "1e3", {}, 1000.0),
    (NUM, "-0", {}, 0.0),
    (NUM, ".5", {}, 0.5),
    (NUM, "1.234,5", {"thousands": ".", "decimal": ","}, 1234.5),
    (NUM, "12,34,567.5", {"thousands": ","}, 1234567.5),
    (BOOL, "Yes", {}, True),
    (BOOL, "F", {}, False),
    (DATE, "2024-02-29", {}, date(2024, 2, 29)),
    (DATE, "31/12/2025", {"date": "%d/%m/%Y"}, date(2025, 12, 31)),
    (AT, "2026-03-31T10:00:00Z", {}, datetime(2026, 3, 31, 10, tzinfo=UTC)),
    (AT, "2026-03-31 10:00:00.5+02:00", {}, datetime(2026, 3, 31, 8, 0, 0, 500000, UTC)),
    # A leap second, which the clocks of computers do not have.
    (AT, "2016-12-31T23:59:60Z", {}, datetime(2016, 12, 31, 23, 59, 59, 999999, UTC)),
    # Vienna is UTC+2 in summer and UTC+1 in winter.
    (AT, "2026-07-01 12:00", {"zone": VIENNA}, datetime(2026, 7, 1, 10, tzinfo=UTC)),
    (AT, "2026-01-01", {"zone": VIENNA}, datetime(2025, 12, 31, 23, tzinfo=UTC)),
    (AT, "20260101120000", {"date": "%Y%m%d%H%M%S"}, datetime(2026, 1, 1, 12, tzinfo=UTC)),
    # The clocks of Havana skip midnight of 8 March 2026; its first moment is 01:00, UTC-4.
    (AT, "2026-03-08", {"zone": ZoneInfo("America/Havana")}, datetime(2026, 3, 8, 5, tzinfo=UTC)),
    (MONEY, "19.99", {}, Money(1999, "USD")),
    (MONEY, "-1234.5", {}, Money(-123450, "USD")),
    (MONEY, "100", {"currency": "JPY"}, Money(100, "JPY")),
    (MONEY, "1.2345", {"currency": "CLF"}, Money(12345, "CLF")),
    (MONEY, "$1,234.50", {"thousands": ","}, Money(123450, "USD")),
    (MONEY, "12,50 €", {"decimal": ",", "currency": "EUR"}, Money(1250, "EUR")),
    (MONEY, "EUR 5", {"currency": "EUR"}, Money(500, "EUR")),
    (MONEY, "$ 5", {"currency": "CAD"}, Money(500, "CAD")),
    (MONEY, "-$5", {}, Money(-500, "USD")),
    (MONEY, "(5.00)", {}, Money(-500, "USD")),
    (DATE, "31/1/24", {"date": "%d/%m/%y", "first_year": 1930}, date(2024, 1, 31)),
    (DATE, "1/2/30", {"date": "%d/%m/%y", "first_year": 1930}, date(1930, 2, 1)),
    (DATE, "1/2/68", {"date": "%d/%m/%y", "first_year": 1930}, date(1968, 2, 1)),
    (DATE, "29/2/2000", {"date": "%d/%m/%y", "first_year": 1930}, date(2000, 2, 29)),
    (LIST, '["a","b"]', {}, ["a", "b"]),
    (LIST, "[]", {}, []),
    (LIST, " ", {"split": ";"}, []),
    # The smallest and the largest numbers of 64 bits, and the longest text that is read as one.
    (INT, "-9223372036854775808", {}, -(2**63)),
    (INT, "0" * 19 + "7", {}, 7),
    (INT, "2.0", {}, 2),
    (INT, "2,00", {"decimal": ","}, 2),
    (INT, "2.0", {"decimal": ","}, 2),
    (INT, "1.5E+1", {}, 15),
    (INT, "12,34,567", {"thousands": ","}, 1234567),
    (INT, "1\u202f234", {"thousands": " "}, 1234),
    (INT, "1\u00a0234 567", {"thousands": "\u00a0"}, 1234567),
    (NUM, "1,234.", {"thousands": ","}, 1234.0),
    (NUM, "999", {"thousands": ","}, 999.0),
    (BOOL, "1.0", {}, True),
    (BOOL, "0,0", {}, False),
    (MONEY, "92233720368547758.07", {}, Money(2**63 - 1, "USD")),
    (MONEY, "-92233720368547758.08", {}, Money(-(2**63), "USD")),
    # The hundred years from 1930 on end with 2029; four digits of a year are taken as they are.
    (DATE, "31/12/29", {"date": "%d/%m/%y", "first_year": 1930}, date(2029, 12, 31)),
    (DATE, "31/12/1929", {"date": "%d/%m/%y", "first_year": 1930}, date(1929, 12, 31)),
    (DATE, "1900-01-01", {}, date(1900, 1, 1)),
    (DATE, "2200-12-31", {}, date(2200, 12, 31)),
    (AT, "2026-03-31T23:59", {}, datetime(2026, 3, 31, 23, 59, tzinfo=UTC)),
    (AT, "2026-03-31 10:00:00,25 +0530", {}, datetime(2026, 3, 31, 4, 30, 0, 250000, UTC)),
    # On the day of the change 01:59 is still winter time and 03:00 summer time, and so is 01:59 of
    # the day on which it ends, of which 03:00 is winter time.
    (AT, "2026-03-29 01:59", {"zone": VIENNA}, datetime(2026, 3, 29, 0, 59, tzinfo=UTC)),
    (AT, "2026-03-29 03:00", {"zone": VIENNA}, datetime(2026, 3, 29, 1, tzinfo=UTC)),
    (AT, "2026-10-25 01:59", {"zone": VIENNA}, datetime(2026, 10, 24, 23, 59, tzinfo=UTC)),
    (AT, "2026-10-25 03:00", {"zone": VIENNA}, datetime(2026, 10, 25, 2, tzinfo=UTC)),
    (LIST, "a; b;;c", {"split": ";"}, ["a", "b", "c"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "options", "value"), TAKEN)
def test_a_text_is_read_as_its_type(kind, text, options, value):
    found = reader_of(kind, Reading(**options))(text)
    assert (found, type(found)) == (value, type(value))


REFUSED = [
    (INT, "1.5", {}, "is not a whole number"),
    (INT, "1_000", {}, "is not a whole number"),
    (INT, "１２", {}, "is not a whole number"),
    (INT, "9223372036854775808", {}, "does not fit into 64 bits"),
    (INT, "9" * 5000, {}, "does not fit into 64 bits"),
    (INT, "1,5", {"thousands": ","}, "is not grouped by ','"),
    (NUM, "1,5", {}, "is not a number"),
    (NUM, "1.5", {"decimal": ","}, "has a '.', but the decimal sign is ','"),
    (NUM, "nan", {}, "is not a number"),
    (NUM, "1e999", {}, "is not a finite number"),
    (BOOL, "maybe", {}, "is neither true nor false"),
    (DATE, "2026-02-30", {}, "is not a date"),
    (DATE, "20260228", {}, "is not a date such as 2026-03-31"),
    (DATE, "03/04/2026", {}, "is not a date such as 2026-03-31"),
    (DATE, "0001-01-01", {}, "is outside the years 1900 to 2200"),
    (DATE, "9999-12-31", {}, "is outside the years 1900 to 2200"),
    (AT, "2026-01-01T24:00:00", {}, "is not an instant"),
    (AT, "2026-01-01T10:00:60Z", {}, "second must be in 0..59"),
    (AT, "2026-03-29 02:30", {"zone": VIENNA}, "does not exist in Europe/Vienna"),
    (AT, "2026-10-25 02:30", {"zone": VIENNA}, "occurs twice in Europe/Vienna"),
    (MONEY, "1,234.50", {}, "is not a decimal amount"),
    (MONEY, "¥1 234", {}, "is in ¥, and the amount is read in USD"),
    (MONEY, "$1 234", {}, "is not a decimal amount"),
    (MONEY, "1e3", {}, "is not a decimal amount"),
    (MONEY, "1.999", {}, "has more than 2 decimals of USD"),
    (MONEY, "1.5", {"currency": "JPY"}, "has more than 0 decimals of JPY"),
    (MONEY, "1", {"currency": "XXX"}, "'XXX' is not a currency"),
    (MONEY, "92233720368547758.08", {}, "does not fit into 64 bits"),
    (LIST, "a;b", {}, "is not a JSON array of texts"),
    (LIST, "[1]", {}, "is not a JSON array of texts"),
    (LIST, '["a", 1]', {}, "is not a JSON array of texts"),
    (LIST, '{"a": "b"}', {}, "is not a JSON array of texts"),
    (LIST, '"a"', {}, "is not a JSON array of texts"),
    (LIST, "[" * 100_000, {}, "is not a JSON array of texts"),
    (INT, "-9223372036854775809", {}, "does not fit into 64 bits"),
    (INT, "0" * 20 + "7", {}, "does not fit into 64 bits"),
    (INT, "2.5", {"decimal": ","}, "has a '.', but the decimal sign is ','"),
    (INT, "4.93E+11", {}, "shows the first digits only"),
    (INT, "1234,567", {"thousands": ","}, "is not grouped by ','"),
    (INT, "1,2345", {"thousands": ","}, "is not grouped by ','"),
    (INT, "1,2,345", {"thousands": ","}, "is not grouped by ','"),
    (BOOL, "2.0", {}, "is neither true nor false"),
    (MONEY, "-92233720368547758.09", {}, "does not fit into 64 bits"),
    (MONEY, "€5", {}, "is in €, and the amount is read in USD"),
    (MONEY, "1", {"currency": "XTS"}, "'XTS' is not a currency"),
    (MONEY, "1", {"currency": "usd"}, "'usd' is not a currency"),
    (DATE, "1899-12-31", {}, "is outside the years 1900 to 2200"),
    (DATE, "2201-01-01", {}, "is outside the years 1900 to 2200"),
    (AT, "2201-01-01T00:00:00Z", {}, "is outside the years 1900 to 2200"),
    (DATE, "31.12.2025", {"date": "%d/%m/%Y"}, "is not written as %d/%m/%Y"),
    (AT, "2026-03-29 02:00", {"zone": VIENNA}, "does not exist in Europe/Vienna"),
    (AT, "2026-03-29 02:59", {"zone": VIENNA}, "does not exist in Europe/Vienna"),
    (AT, "2026-10-25 02:00", {"zone": VIENNA}, "occurs twice in Europe/Vienna"),
    (AT, "2026-10-25 02:59", {"zone": VIENNA}, "occurs twice in Europe/Vienna"),
]


@pytest.mark.parametrize(("kind", "text", "options", "words"), REFUSED)
def test_a_text_that_is_not_of_the_type_is_refused_in_words(kind, text, options, words):
    with pytest.raises(ValueError, match=r".*") as caught:
        reader_of(kind, Reading(**options))(text)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["-0", "-0.0", "0", "-1e-999"])
def test_zero_has_no_sign(text: str) -> None:
    assert str(reader_of(NUM, Reading())(text)) == "0.0"


def test_an_offset_settles_a_doubled_local_time():
    read = reader_of(AT, Reading(zone=VIENNA))
    assert read("2026-10-25 02:30+02:00") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert read("2026-10-25 02:30+01:00") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("1.0", "1"),
        ("20.00", "20"),
        ("1,0", "1"),
        ("-5.0", "-5"),
        ("1.0000", "1"),
        # Three zeros may be a group of thousands; and what is no whole number stays as it is.
        ("1.000", None),
        ("1.5", None),
        ("1.", None),
        ("12", None),
        ("x", None),
        # As many digits as places, more of which nothing but zeros may be left, or fewer.
        ("4.93012E+05", "493012"),
        ("4,93012e+5", "493012"),
        ("-1.2E+1", "-12"),
        ("5E+0", "5"),
        ("1.50E+01", "15"),
        ("1.55E+01", None),
        ("1.2E-1", None),
        ("0.5E+01", None),
        ("1.2E+100", None),
    ],
)
def test_a_whole_number_is_known_as_spreadsheets_write_it(text: str, digits: str | None) -> None:
    assert whole_number(text) == whole_or_none(text) == digits


@pytest.mark.parametrize("text", ["4.93E+11", "1E+1", "4.93012E+06"])
def test_a_number_whose_last_digits_are_left_out_is_never_guessed(text: str) -> None:
    with pytest.raises(PrecisionLost, match="export the column as text"):
        whole_number(text)
    assert whole_or_none(text) is None


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        (INT, {}, "a whole number"),
        (DATE, {}, "a date as 2026-03-31"),
        (DATE, {"date": "%d.%m.%Y"}, "a date as %d.%m.%Y"),
        (AT, {}, "an instant as 2026-03-31T10:00:00Z"),
        (AT, {"date": "%d.%m.%Y %H:%M"}, "an instant as %d.%m.%Y %H:%M"),
        (MONEY, {"decimal": ",", "currency": "EUR"}, "an amount of EUR as 1234,50"),
    ],
)
def test_what_was_expected_is_said_as_the_file_writes_it(kind, options, words) -> None:
    assert expected_words(kind, Reading(**options)) == words
