"""Fragments: the index finds whom a plain reading finds, and says when it is behind."""

from __future__ import annotations

import random
import unicodedata
from typing import Any

import pytest

import crmkit
from crmkit.entities.customer import ContactPoint, CustomerRef
from crmkit.entities.transaction import REVERT
from crmkit.store import fragments
from crmkit.store.fragments import grams_of, text_of

# One to four characters of these: two-character Chinese names, Latin, accents, full width, signs.
LETTERS = "李雷王伟欧阳娜敏aAbBzéÉßＡ１23.'+-_%\"&|*:\\"


def drawn(draw: random.Random, least: int = 1, most: int = 4) -> str:
    while True:
        text = "".join(draw.choice(LETTERS) for _ in range(draw.randint(least, most))).strip()
        if text:
            return text


def plain(text: str) -> str:
    """What is compared, in the words of Unicode: the case-folded NFKC without the marks of its NFD."""
    found = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    bare = "".join(c for c in unicodedata.normalize("NFD", found) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", bare)


def spellings(own: list[str], points: list[str]) -> list[str]:
    """Every text in which a fragment of one customer may stand."""
    without = [plain(text.replace("'", "")) for text in own]
    return [*map(plain, (*own, *points)), *without]


def filled(store: Any, draw: random.Random, count: int) -> dict[int, tuple[list[str], list[str]]]:
    """Random customers: names and keys, and contact points, by id."""
    people = {}
    with store.begin("test") as tx:
        for n in range(count):
            name, ref, phone = drawn(draw), f"{drawn(draw)}{n}", drawn(draw, 2, 6)
            made = store.customers.add(
                name=name,
                refs=[CustomerRef("billing", ref)],
                contact_points=[ContactPoint("address", phone)],
                tx=tx,
            )
            people[made.id] = ([name, ref], [phone])
    return people


def found_by_hand(people: Any, fragment: str) -> list[int]:
    """Equal ones first, then the others, each by id."""
    wanted = plain(fragment)
    equal = [i for i, (own, _) in sorted(people.items()) if wanted in map(plain, own)]
    others = [
        i
        for i, (own, points) in sorted(people.items())
        if i not in equal and any(wanted in text for text in spellings(own, points))
    ]
    return equal + others


def test_the_index_and_the_reading_find_whom_a_search_by_hand_finds(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So small that most answers need the index and not only the first customers.
    monkeypatch.setattr(fragments, "FIRST", 20)
    draw = random.Random(5)
    people = filled(store, draw, 400)
    store.fragments.fill()
    whole = [text for own, points in people.values() for text in (*own, *points)]
    asked = [drawn(draw) for _ in range(150)] + draw.sample(whole, 50)
    hits = 0
    for fragment in asked:
        expected = found_by_hand(people, fragment)
        hits += bool(expected)
        for limit in (5, 1000):
            with store.read() as connection:
                assert store.fragments.find(connection, fragment, limit) == expected[:limit], fragment  # fmt: skip
                assert store.fragments.scan(connection, fragment, limit) == expected[:limit], fragment  # fmt: skip
    assert 100 < hits <= len(asked)


@pytest.mark.parametrize(
    "fragment", ["李雷", "李", "雷", "欧阳娜娜", "ZIMM", "weiss", "ＺＯＥ", "0100", "c1"]
)
def test_a_search_right_after_a_write_misses_nobody(store: Any, fragment: str) -> None:
    for n, name in enumerate(("李雷", "欧阳娜娜", "Zoe Zimmer", "Weiß")):
        store.customers.add(
            name=name,
            refs=[CustomerRef("billing", f"C{n}")],
            contact_points=[ContactPoint("phone", f"+1 555 010{n}")],
        )
        store.customers.search("nobody")
        assert store.fragments.behind() == 0
    by_hand = {"李雷": {0}, "李": {0}, "雷": {0}, "欧阳娜娜": {1}, "ZIMM": {2}, "ＺＯＥ": {2}}
    by_hand |= {"weiss": {3}, "0100": {0}, "c1": {1}}
    refs = {f"C{n}" for n in by_hand[fragment]}
    assert {c.refs[0].ref for c in store.customers.search(fragment)} == refs


def test_what_was_edited_away_leaves_the_index(store: Any) -> None:
    points = [ContactPoint("phone", "+1 555 0100"), ContactPoint("email", "a@b.example")]
    ann = store.customers.add(name="安娜", refs=[CustomerRef("s", "1")], contact_points=points)
    assert store.customers.search("安娜") and store.customers.search("0100")
    store.customers.edit(ann.id, version=1, changes={"name": "Ben"}, contact_points=points[1:])
    assert store.customers.search("安娜") == store.customers.search("0100") == []
    assert [c.id for c in store.customers.search("b.ex")] == [ann.id]
    with store.read() as connection:
        rows = connection.exec_driver_sql("SELECT text FROM search_text").fetchall()
        assert [row[0] for row in rows] == [text_of("Ben", ["1"], [("email", "a@b.example")])]
        if store.dialect == "sqlite":
            for gram in ("安娜", "娜", "010"):
                query = f"SELECT rowid FROM search_gram WHERE search_gram MATCH '\"{gram}\" *'"
                assert connection.exec_driver_sql(query).fetchall() == []


def test_a_merged_customer_is_found_as_the_one_that_stayed(store: Any) -> None:
    ann = store.customers.add(name="安娜", refs=[CustomerRef("s", "1")])
    ben = store.customers.add(name="本", refs=[CustomerRef("s", "2")])
    store.merges.merge([(ann.id, ben.id)])
    assert [c.id for c in store.customers.search("本")] == [ann.id]


def test_a_killed_filling_goes_on_where_it_was(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "STEP_TRANSACTIONS", 2)
    for n in range(5):
        store.customers.add(name=f"李{n}", refs=[CustomerRef("s", str(n))])
    total = store.fragments.behind()
    take, steps = store.fragments._take_in, 0

    def killed(connection: Any, step: Any) -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            raise KeyboardInterrupt
        take(connection, step)

    monkeypatch.setattr(store.fragments, "_take_in", killed)
    with pytest.raises(KeyboardInterrupt):
        store.fragments.fill()
    monkeypatch.setattr(store.fragments, "_take_in", take)
    with store.read() as connection:
        left = store.fragments.pending(connection)
        assert (len(left.transactions), left.whole) == (total - 4, False)
        assert len(store.fragments.find(connection, "李", 9)) == 5 - (total - 4)
    assert store.fragments.fill() == total - 4
    assert len(store.customers.search("李")) == 5


def test_far_behind_everything_is_read_and_the_index_says_so(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "AT_ONCE", 2)
    filled(store, random.Random(1), 3)
    store.customers.add(name="李雷", refs=[CustomerRef("s", "1")])
    assert [c.name for c in store.customers.search("李雷")] == ["李雷"]
    assert store.fragments.behind() > 0
    store.fragments.fill()
    assert store.fragments.behind() == 0
    assert [c.name for c in store.customers.search("李雷")] == ["李雷"]


def test_a_transaction_that_commits_late_is_taken_in(store: Any) -> None:
    """Its id is lower than those of the writes that the index has seen."""
    with store.begin("test") as tx:
        late = tx.id
    store.customers.add(name="李雷", refs=[CustomerRef("s", "1")])
    store.fragments.fill()
    with store.derived() as connection:
        connection.exec_driver_sql(f"DELETE FROM search_seen WHERE tx = {late}")
    with store.read() as connection:
        assert [t.id for t in store.fragments.pending(connection).transactions] == [late]


def test_an_index_of_other_data_is_filled_anew(store: Any) -> None:
    store.customers.add(name="李雷", refs=[CustomerRef("s", "1")])
    store.fragments.fill()
    with store.derived() as connection:
        connection.exec_driver_sql(f"INSERT INTO search_seen VALUES ({(1 << 62) + 1})")
        connection.exec_driver_sql("DELETE FROM search_text")
    assert [c.name for c in store.customers.search("李雷")] == ["李雷"]
    assert store.fragments.behind() == 0


def test_after_a_revert_the_index_is_filled_anew(store: Any) -> None:
    store.customers.add(name="李雷", refs=[CustomerRef("s", "1")])
    store.fragments.fill()
    with store.begin(REVERT):
        pass
    with store.read() as connection:
        assert store.fragments.pending(connection).whole
    assert [c.name for c in store.customers.search("李雷")] == ["李雷"]
    with store.read() as connection:
        assert not store.fragments.pending(connection).whole


def test_grams_are_of_three_characters_and_the_rest_at_the_end() -> None:
    exact = fragments.EXACT
    assert set(grams_of(text_of("王小明", ["ab"], [("note", "12")])).split()) == {
        "王小明", "小明", "明", "ab", "b", "12", "2", exact + "王小明", exact + "ab",
    }  # fmt: skip


# The cases of khard 301, ocsms 61, nextcloud contacts 4064 and espocrm 3333, and more of their kind.
PEOPLE = {
    "1": ("José Álvarez", "+49 30 123456"), "2": ("Müller & Söhne GmbH", "(030) 123-457"),
    "3": ("王小明", "13800138000"), "4": ("İstanbul Kaya", "+90 212 555 0101"),
    "5": ("O'Brien Conor", "+353-1-555-0102"), "6": ("O’Neill Aoife", "+353 1 555 0103 ext. 12"),
    "7": ("Straße Weiß", "+49.30.555.0104"), "8": ("Åsa Ångström", "0049305550105"),
    "9": ("Łukasz Żak", "+48225550106"), "10": ("100% Shop_1", "+48225550107"),
    "11": ("Søren Kjær", "+44 (0)20 7946 0018"), "12": ("Ayşe Işık", "+1-212-555-0123"),
    "13": ("Anna  Maria   Smith-Jones", "+1 312 555 0123"), "14": ("Đorđe Dvořák", "020 7946 0999"),
}  # fmt: skip
SPELLINGS = [
    *((text, "1") for text in ("+4930123456", "030 123456", "030/123456", "0049 (30) 12 34 56")),
    *((text, "2") for text in ("030 123457", "+49 30 123457", "030-123-457", "004930123457")),
    *((text, "3") for text in ("138 0013 8000", "+86 138 0013 8000", "138-0013-8000", "小明", "小")),
    *((text, "4") for text in ("(0212) 555 01 01", "00902125550101", "istanbul", "ISTANBUL KAYA")),
    *((text, "5") for text in ("+35315550102", "01 555 0102", "O’Brien", "obrien", "conor o'brien")),
    *((text, "6") for text in ("+353 1 555 0103", "O'Neill", "O`Neill", "aoife oneill", "5550103")),
    *((text, "7") for text in ("+49305550104", "strasse", "weiss strasse", "WEISS", "straße")),
    *((text, "8") for text in ("+49 30 555 0105", "angstrom", "asa  ANGSTROM", "Aangstroem")),
    *((text, "9") for text in ("lukasz", "zak lukasz", "Żak, Łukasz".replace(",", ""))),
    *((text, "10") for text in ("100%", "shop_1", "billing:10")),
    *((text, "11") for text in ("+442079460018", "020 7946 0018", "soren", "soeren", "kjaer")),
    *((text, "12") for text in ("+1 212 555 0123", "(212) 555-0123", "ayse isik", "AYŞE IŞIK")),
    *((text, "13") for text in ("(312) 555-0123", "smith anna", "anna maria smith-jones", "smith‐jones")),
    *((text, "14") for text in ("+44 20 7946 0999", "dorde dvorak", "Dvorák")),
    ("mueller", "2"), ("soehne müller", "2"), ("jose alvarez", "1"), ("alvarez JOSÉ", "1"),
]  # fmt: skip


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with crmkit.init(tmp_path_factory.mktemp("people") / "w") as crm:
        with crm.store.begin("test") as tx:
            for ref, (name, phone) in PEOPLE.items():
                crm.store.customers.add(
                    name=name,
                    refs=[CustomerRef("billing", ref)],
                    contact_points=[ContactPoint("phone", phone)],
                    tx=tx,
                )
        crm.store.fragments.fill()
        yield crm.store


@pytest.mark.parametrize(("text", "ref"), SPELLINGS)
def test_a_name_or_number_is_found_however_it_is_spelt(people: Any, text: str, ref: str) -> None:
    found = people.customers.search(text)
    assert [c.refs[0].ref for c in found if c.refs[0].ref == ref or text == "小"] == [ref]
    with people.read() as connection:
        asked = [people.fragments.find, people.fragments.scan]
        index, reading = (ask(connection, text, 50) for ask in asked)
    assert index == reading


@pytest.mark.parametrize("text", ["+1 212 555 0123", "(312) 555-0123", "+442079460018", "O'Brien"])
def test_another_number_or_name_that_ends_alike_is_not_shown(people: Any, text: str) -> None:
    assert len(people.customers.search(text)) == 1


def test_of_numbers_that_end_alike_all_are_shown_where_none_is_the_very_one(people: Any) -> None:
    """The area code may have been typed wrong: the last eight digits decide."""
    found = people.customers.search("+1 999 555 0123")
    assert [c.refs[0].ref for c in found] == []
    found = people.customers.search("+1 9 1 2 5 5 5 0 1 2 3")
    assert [c.refs[0].ref for c in found] == ["12", "13"]


def test_an_index_of_another_form_is_filled_anew(store: Any) -> None:
    store.customers.add(name="Łukasz", refs=[CustomerRef("a", "1")])
    store.fragments.fill()
    with store.derived() as connection:
        connection.exec_driver_sql("UPDATE search_form SET version = 1")
    assert store.fragments.behind() > 0
    assert [c.name for c in store.customers.search("lukasz")] == ["Łukasz"]
    assert store.fragments.behind() == 0
