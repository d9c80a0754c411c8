"""Contacts whose e-mail addresses and numbers look alike: the pairs that remain are the true ones."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import crmkit
from crmkit.intake.matching import model
from crmkit.intake.matching.people import read_people

from .test_duplicates import add, crm, strangers

__all__ = ["add", "crm"]
Add = Callable[..., int]
Pairs = set[tuple[str, str]]
TRUE_PAIRS = 203
GIVEN = (
    "anna ben clara david emma felix greta hans ida jonas karla leon maria nils olga paul rosa simon "
    "tina ulrich vera werner xenia yara zoe"
).split()
FAMILY = (
    "adler bauer clemens dietrich ebert fischer gross huber illner jung keller lang maurer neumann "
    "otto pohl quast richter schmidt thoma ulmer vogel weber xander york zimmer"
).split()
PROFILE = """\
name = "contacts"
[source]
name = "s"
key = ["no"]
[[emit]]
entity = "customer"
key = "no"
[emit.fields]
name = { join = ["given", "family"] }
phone = "phone"
email = "email"
[[emit]]
entity = "core.customer"
[emit.fields]
given_name = "given"
family_name = "family"
"""
EMAILS: dict[str, Callable[[str, str, int], str]] = {
    "numbered": lambda given, family, n: f"user{n}@example.com",
    "names": lambda given, family, n: f"{given}.{family}{n}@example.org",
    "hosts": lambda given, family, n: f"{given}.{family}@firm{n}.example",
}


def write_contacts(path: Path, style: str, size: int) -> Pairs:
    """Contacts with small pools of names and numbers in sequence; the keys of the true pairs.

    A second record of a contact has a mistyped name, or lacks the e-mail or the phone, or has
    another phone; one of the two always stays.
    """
    draw = random.Random(0)
    people = [(draw.choice(GIVEN), draw.choice(FAMILY)) for _ in range(size - TRUE_PAIRS)]
    rows = [
        [given, family, EMAILS[style](given, family, n), f"+4930{1000000 + n}"]
        for n, (given, family) in enumerate(people)
    ]
    true: Pairs = set()
    for n in draw.sample(range(len(rows)), TRUE_PAIRS):
        given, family, email, phone = rows[n]
        if draw.random() < 0.3:
            family = family[:2] + family[3] + family[2] + family[4:]
        change = draw.random()
        if change < 0.2:
            email = ""
        elif change < 0.4:
            phone = ""
        elif change < 0.5:
            phone = f"+4940{draw.randrange(1000000, 9999999)}"
        true.add((str(n), str(len(rows))))
        rows.append([given, family, email.upper(), phone])
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["no", "given", "family", "email", "phone"])
        out.writerows([n, *row] for n, row in enumerate(rows))
    return true


def precision_and_recall(
    folder: Path, style: str, size: int, engine: str | None
) -> Iterator[float]:
    """Of the pairs from 0.9 on."""
    true = write_contacts(folder / "contacts.csv", style, size)
    (folder / "contacts.toml").write_text(PROFILE)
    with crmkit.init(folder / "w", actor="tester") as crm:
        done = crm.import_file(folder / "contacts.csv", profile=str(folder / "contacts.toml"))
        assert (done.created, done.rejected) == (size, 0)
        pairs = model.score(read_people(crm.store, crm.catalog), 0.9, engine=engine)
        refs = crm.store.customers.refs([i for pair in pairs for i in (pair.a, pair.b)])
    taken = {(refs[p.a][0].ref, refs[p.b][0].ref) for p in pairs}
    yield len(taken & true) / len(taken)
    yield len(taken & true) / len(true)


@pytest.mark.parametrize("engine", ["fixed", None])
def test_the_list_of_lookalikes_is_the_true_pairs(tmp_path: Path, engine: str | None) -> None:
    precision, recall = precision_and_recall(tmp_path, "names", 4_000, engine)
    assert precision >= 0.99
    assert recall >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("style", EMAILS)
@pytest.mark.parametrize("engine", ["fixed", None])
def test_of_twenty_thousand_lookalikes_too(tmp_path: Path, style: str, engine: str | None) -> None:
    precision, recall = precision_and_recall(tmp_path, style, 20_000, engine)
    assert precision >= 0.99
    assert recall >= 0.95


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("user12@example.org", "user13@example.org", "e-mail differs"),
        ("info@one.example", "info@two.example", "e-mail differs"),
        ("bexample@one.example", "bexample@two.example", "same e-mail before the @"),
        ("bo.example@one.example", "bo.exmaple@one.example", "e-mail nearly the same"),
    ],
)
def test_digits_and_desks_make_no_address_alike(
    crm: crmkit.Crm, add: Add, one: str, other: str, said: str
) -> None:
    for address in (one, other):
        add("Bo Example", contacts=[("email", address)], birth_date="1961-03-04")
    strangers(add)
    (pair,) = crm.duplicates.find(0.1)
    assert said in pair.evidence


def test_an_address_nearly_the_same_is_not_enough(crm: crmkit.Crm, add: Add) -> None:
    """Nor together with the family name, where given name and phone differ."""
    add("Bo Example", contacts=[("email", "b.example@x.example"), ("phone", "+49 30 7654321")])
    add("Cy Example", contacts=[("email", "c.example@x.example"), ("phone", "+49 40 1234567")])
    strangers(add)
    assert crm.duplicates.find(0.5) == []


CERTAIN = {(1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14)}


def test_learnt_weights_are_taken_where_they_find_the_likely_pairs() -> None:
    """Seven certain pairs, found to 70 % as a rule, let expect ten; twenty are the most."""
    surplus = {(100 + n, 200 + n) for n in range(13)}
    assert model.is_better(CERTAIN | surplus, CERTAIN, CERTAIN, 7)
    assert not model.is_better(CERTAIN | surplus | {(300, 301)}, CERTAIN, CERTAIN, 7)
    assert not model.is_better(CERTAIN - {(1, 2)}, CERTAIN, CERTAIN, 7)
    assert model.is_better(CERTAIN - {(1, 2)}, CERTAIN - {(1, 2), (3, 4)}, CERTAIN, 7)
    likely = CERTAIN | {(15, 16)}
    assert not model.is_better(CERTAIN, likely, likely, 7)
    assert model.is_better(CERTAIN, CERTAIN, likely, 7)


def test_where_training_fails_general_weights_are_taken(
    crm: crmkit.Crm, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Splink fails with a ValueError where a share becomes 0."""

    def fail(*given: object) -> None:
        raise ValueError("m_probability value 0.0 is below the minimum allowed value of 1e-300.")

    monkeypatch.setattr(model, "has_splink", lambda: True)
    monkeypatch.setattr(model, "_splink", fail)
    strangers(add, 120)
    strangers(add, 120)
    assert len(crm.duplicates.find()) == 120
