"""Shapes of text: what is taken and what is refused, with words that say why."""

from __future__ import annotations

import pytest

from crmkit.entities.text_formats import TEXT_FORMATS, text_reader

# RFC 5321 (e-mail), E.164 (phone numbers), BCP 47 (languages), the IANA database (time zones).
TAKEN = {
    "shown_text": ["x", " 李 ", "=1+1"],
    "email_address": ["ann@example.org", "a.b+c@mail.example.co.uk", "ann@bücher.example", "o'neil@example.org"],
    "phone_number": ["110", "+49 30 123456", "(030) 123-45.67", "0049/30/123456", "+1 555 0100 ext. 12", "030 1234567 x9", "+861 3800138000"],
    "web_address": ["https://example.org/a?b=c:d", "HTTP://EXAMPLE.ORG", "example.org/path"],
    "social_handle": ["@ann", "wechat:ann_1", "https://example.org/ann"],
    "language_tag": ["de", "zh-CN", "pt_BR", "zh-Hant-TW"],
    "time_zone": ["Europe/Berlin", "UTC", "Etc/GMT+5"],
    "week": ["mon-fri 09:00-17:00", "fri 22:00-24:00; sat 00:00-02:00"],
    "windows": ["09:00-12:00 13:00-17:00", ""],
    "target": ["24 h", "3 working days"],
}  # fmt: skip
REFUSED = {
    "shown_text": ["", "  ", "\t\n"],
    "email_address": ["notanemail", "ann@", "@example.org", "ann@localhost", "a b@example.org", "a@b@example.org", "Ann <ann@example.org>", "ann@example.org, bob@example.org", "ann@example..org", ".ann@example.org", "a@x.org\nBcc: b@x.org", f"{'a' * 65}@example.org", f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.{'f' * 60}"],
    "phone_number": ["notaphone", "", "12", "ann@example.org", "4.93E+11", "49301234567.0", "+49 30 1, +49 30 2", "0301234567/0301234568", "030123456 or 030123457", "1234567890123456789", "+49 30 12345\n678"],
    "web_address": ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "ftp://example.org", "https://", "https:///x", "https://example.org/a b", ""],
    "social_handle": ["javascript:alert(1)", " JAVASCRIPT:x", "data:text/html,x", ""],
    "language_tag": ["!!!", "d", "de-", "en_US.UTF-8", ""],
    "time_zone": ["Mars/Phobos", "Europe", "", "../../etc/passwd", "CEST+1x"],
    "week": ["fri 22:00-02:00", "gibberish", "", "mon 25:00-26:00"],
    "windows": ["22:00-02:00", "9-17", "09:00-09:00"],
    "target": ["soon", "0 h", "-3 days", ""],
}  # fmt: skip


def test_every_shape_is_tried() -> None:
    assert set(TAKEN) == set(REFUSED) == set(TEXT_FORMATS)


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, listed in TAKEN.items() for t in listed])
def test_a_text_of_the_shape_is_kept_as_it_is(name: str, text: str) -> None:
    assert text_reader(name)(text) == text


@pytest.mark.parametrize(
    ("name", "text"), [(n, t) for n, listed in REFUSED.items() for t in listed]
)
def test_any_other_is_refused_with_a_reason(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r".{8,}"):
        text_reader(name)(text)
    # What a file takes without reading it must never be what reading would refuse.
    usual = TEXT_FORMATS[name].usual
    assert usual is None or not usual.fullmatch(text)


def test_a_night_is_told_how_to_be_written() -> None:
    with pytest.raises(ValueError, match=r"write a night as 22:00-24:00 and 00:00-06:00"):
        text_reader("week")("fri 22:00-02:00")


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [
        ("phone_number", "0301234567, 0171234567", "holds several phone numbers, and one is allowed"),
        ("phone_number", "+49 30 1234567 / +49 171 1234567", "holds several phone numbers"),
        ("phone_number", "12345678/12345679", "holds several phone numbers"),
        ("phone_number", "0301234567\n0171234567", "holds several phone numbers"),
        ("phone_number", "ann@example.org", "is an e-mail address and not a phone number"),
        ("phone_number", "030/12, 34", "is not one phone number"),
        ("email_address", "a@example.org; b@example.org", "holds several e-mail addresses"),
        ("email_address", "a@example.org or b@example.org", "holds several e-mail addresses"),
        ("email_address", "+49 30 1234567", "is a phone number and not an e-mail address"),
        ("email_address", "12345", "is not an e-mail address"),
    ],
)  # fmt: skip
def test_a_cell_with_several_or_of_the_wrong_kind_is_told(form: str, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"^(holds|is) ") as caught:
        text_reader(form)(text)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["030/1234567", "04321/123456", "0049/30/123456", "030 1234567/8"])
def test_a_slash_within_a_number_is_no_second_number(text: str) -> None:
    assert text_reader("phone_number")(text) == text
