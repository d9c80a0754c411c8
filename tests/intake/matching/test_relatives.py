"""People who share a household or a switchboard stay below the probability of a merge unseen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crmkit.intake.matching.duplicates import MERGE_FROM, REVIEW_FROM
from crmkit.intake.matching.relatives import is_far_apart
from crmkit.workspace import Crm

from .test_duplicates import add, crm, strangers

__all__ = ["add", "crm"]
Add = Callable[..., int]
HOME = {"street": "Main St 1", "postal_code": "10115", "locality": "Berlin"}
CONTACTS = [("phone", "+49 30 999888"), ("email", "family@x.example")]

CASE = """\
no,name,phone,email,born,street,zip
1,Lee Parent,+4930999888,family@x.example,1980-01-02,Main St 1,10115
2,Kim Parent,+4930999888,family@x.example,1981-03-04,Main St 1,10115
3,Max Twin,+4930777666,twins@x.example,2001-05-06,Oak St 2,10117
4,Mia Twin,+4930777666,twins@x.example,2001-05-06,Oak St 2,10117
5,Peter Senior,+4930555444,,1950-01-01,Elm St 3,10119
6,Peter Senior,+4930555444,,1980-01-01,Elm St 3,10119
12,Office One,+4930100200,one@acme.example,,,
13,Desk Two,+4930100200-17,two@acme.example,,,
"""
PROFILE = """\
name = "p2"
[source]
name = "s"
key = ["no"]
[[emit]]
entity = "customer"
key = "no"
[emit.fields]
name = "name"
phone = "phone"
email = "email"
[[emit]]
entity = "core.customer"
[emit.fields]
birth_date = "born"
street = "street"
postal_code = "zip"
"""


def home(add: Add, name: str, born: str | None = None, **more: Any) -> int:
    """A member of one household."""
    return add(name, contacts=CONTACTS, birth_date=born, **HOME, **more)


def test_spouses_twins_father_and_son_are_listed_and_not_merged(crm: Crm, tmp_path: Path) -> None:
    (tmp_path / "fam.csv").write_text(CASE)
    (tmp_path / "p2.toml").write_text(PROFILE)
    crm.import_file(tmp_path / "fam.csv", profile=str(tmp_path / "p2.toml"))
    pairs = crm.duplicates.find()
    refs = crm.store.customers.refs([i for pair in pairs for i in (pair.a_id, pair.b_id)])
    said = {
        (refs[p.a_id][0].ref, refs[p.b_id][0].ref): p.evidence.partition("held below 95%: ")[2]
        for p in pairs
    }
    assert said == {
        ("1", "2"): "different given names", ("3", "4"): "different given names",
        ("5", "6"): "birth dates far apart",
    }  # fmt: skip
    assert all(REVIEW_FROM <= p.probability < MERGE_FROM for p in pairs)
    assert crm.duplicates.likely(0.95) == crm.duplicates.likely() == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("John Smith", None), ("Mary Smith", None)),
        (("Paul Smith", "2001-05-06"), ("Paula Smith", "2001-05-06")),
        (("Tim Smith", "2001-05-06"), ("Tom Smith", "2001-05-06")),
        (("John Smith", "1950-01-01"), ("John Smith", "1980-01-01")),
        (("John Smith Sr.", None), ("John Smith Jr.", None)),
        (("John Smith", None), ("John Smith III", None)),
        (("Mr Smith", None), ("Mrs Smith", None)),
        (("J. Smith", "1950-01-01"), ("John Smith", "1975-01-01")),
    ],
)
def test_members_of_a_household_are_never_merged_unseen(
    crm: Crm, add: Add, one: Any, other: Any
) -> None:
    home(add, *one), home(add, *other)
    strangers(add)
    (pair,) = crm.duplicates.find()
    assert REVIEW_FROM <= pair.probability < MERGE_FROM
    assert crm.duplicates.likely() == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Bob Smith", "1980-01-02"), ("Robert Smith", "1980-01-02")),
        (("J. Smith", None), ("John Smith", None)),
        (("Jon Smith", "1980-01-02"), ("John Smith", "1980-02-01")),
        (("John Smith", None), ("John Fitzgerald Smith", None)),
        (("Smith John", "1980-01-02"), ("John Smith", "1980-01-02")),
        (("John Smith", "1980-01-02"), ("John Smith", "1981-01-02")),
        (("John Smith Jr.", "1980-01-02"), ("John Smith", "1980-01-02")),
    ],
)
def test_one_person_written_in_two_ways_is_merged(crm: Crm, add: Add, one: Any, other: Any) -> None:
    pair = home(add, *one), home(add, *other)
    strangers(add)
    assert crm.duplicates.likely() == [pair]


def test_an_equal_number_of_their_own_settles_it(crm: Crm, add: Add) -> None:
    """She took another given name, and the identity number says so."""
    pair = home(add, "Max Smith", national_id="ID471122"), home(add, "Mia Smith", national_id="ID471122")  # fmt: skip
    strangers(add)
    assert crm.duplicates.likely() == [pair]


def test_a_record_that_goes_with_two_relatives_is_merged_with_neither(crm: Crm, add: Add) -> None:
    """M. Twin is Max or Mia; by it, neither may the two become one."""
    born = "2001-05-06"
    for name in ("Max Twin", "Mia Twin", "M. Twin"):
        home(add, name, born)
    strangers(add)
    assert [p.probability >= MERGE_FROM for p in crm.duplicates.find()] == [True, True, False]
    assert crm.duplicates.likely() == []


def test_pairs_decided_same_are_merged_however_improbable(crm: Crm, add: Add) -> None:
    a, b = add("Ann Example"), add("Zoe Other")
    crm.duplicates.decide([(a, b)], "same", "changed both names")
    assert crm.duplicates.likely() == [(a, b)]


@pytest.mark.parametrize(
    ("one", "other", "merged"),
    [
        ({"name": "Acme Berlin Ltd"}, {"name": "Acme Bern Ltd"}, False),
        ({"name": "Acme Office 1"}, {"name": "Acme Office 2"}, False),
        (
            {"name": "Acme Ltd", "locality": "Berlin"},
            {"name": "Acme", "locality": "Hamburg"},
            False,
        ),
        ({"name": "Acme Widgets Ltd"}, {"name": "ACME Widgets"}, True),
        ({"name": "Acme Widgets"}, {"name": "Acme Wigets"}, True),
    ],
)
def test_offices_that_share_a_switchboard_are_two(
    crm: Crm, add: Add, one: Any, other: Any, merged: bool
) -> None:
    contacts = [("phone", "+49 30 100200"), ("email", "info@acme.example")]
    pair = tuple(add(kind="organisation", contacts=contacts, **office) for office in (one, other))
    strangers(add)
    assert crm.duplicates.likely() == ([pair] if merged else [])


def test_a_firm_and_its_owner_are_two(crm: Crm, add: Add) -> None:
    add("Smith Bakery", kind="organisation", contacts=CONTACTS, **HOME)
    home(add, "John Smith")
    strangers(add)
    assert crm.duplicates.likely() == []


@pytest.mark.parametrize(
    ("left", "right", "far"),
    [
        ("19500101", "19800101", True),
        ("19800102", "19910102", False),
        ("19800102", "19920102", True),
        ("01021980", "19920102", True),
        # Month and day in the other order, and one digit wrong.
        ("19801125", "19802511", False),
        ("19800102", "19810102", False),
        ("19800102", "19870925", True),
    ],
)
def test_dates_a_generation_apart_are_no_mistyping(left: str, right: str, far: bool) -> None:
    assert is_far_apart(left, right) is is_far_apart(right, left) is far


# --- found though written otherwise ---------------------------------------------------------------


def test_swapped_names_are_found_by_nothing_but_the_birth_date(crm: Crm, add: Add) -> None:
    a = add("A", given_name="Ann", family_name="Example", birth_date="1961-03-04")
    b = add("B", given_name="Example", family_name="Ann", birth_date="1961-03-04")
    strangers(add)
    (pair,) = crm.duplicates.find()
    assert (pair.a_id, pair.b_id) == (a, b)
    assert set(pair.evidence.split(", ")) == {"given and family name swapped", "same birth date"}
    assert crm.duplicates.likely() == [(a, b)]


def test_swapped_names_meet_without_anything_else_in_common(crm: Crm, add: Add) -> None:
    """They are compared, though what they share is not enough to be listed."""
    a = add("A", given_name="Ann", family_name="Example", postal_code="10115")
    b = add("B", given_name="Example", family_name="Ann", postal_code="20095")
    strangers(add)
    assert [(p.a_id, p.b_id) for p in crm.duplicates.find(0.001)] == [(a, b)]


def test_a_tag_in_an_address_makes_no_other_address(crm: Crm, add: Add) -> None:
    a = add("Ann Example", contacts=[("email", "ann+shop@example.org")])
    b = add("Ann Example", contacts=[("email", "Ann@Example.org")])
    strangers(add)
    (pair,) = crm.duplicates.find()
    assert (pair.a_id, pair.b_id) == (a, b)
    assert "same e-mail" in pair.evidence


def test_learnt_weights_know_swapped_names_and_relatives_too(crm: Crm, add: Add) -> None:
    pytest.importorskip("splink")
    strangers(add, 120)
    strangers(add, 120)
    a = add("A", given_name="Ann", family_name="Example", birth_date="1961-03-04")
    b = add("B", given_name="Example", family_name="Ann", birth_date="1961-03-04")
    one, other = home(add, "Max Twin", "2001-05-06"), home(add, "Mia Twin", "2001-05-06")
    pairs = {(p.a_id, p.b_id): p for p in crm.duplicates.find(engine="splink")}
    assert "given and family name swapped" in pairs[a, b].evidence
    assert (one, other) not in crm.duplicates.likely(engine="splink")
