"""H2, H-R3, H-R4 at their edges: facts of one guest, and what is held and prepared of them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from crmkit.errors import UsageError
from crmkit_hotel.preference.beliefs import Evidence, Refusal, believe, faded, ready
from crmkit_hotel.preference.catalogue import find_code

ON = date(2026, 3, 31)


def told(value: str = "down", ago: int = 0, code: str = "PIL_TYPE", **more) -> Evidence:
    """A fact of so many days ago; without a stay it stands for a day of its own."""
    return Evidence(
        code=code, value=value, on=ON - timedelta(days=ago), **{"stay": f"d{ago}", **more}
    )


def said(value: str = "down", ago: int = 0, code: str = "PIL_TYPE", **more) -> Evidence:
    return told(value, ago, code, mode="declared", **more)


def held(*facts, stays=(), refusals=(), on: date = ON) -> dict:
    return {(b.value, b.purpose, b.scope): b for b in believe(facts, stays, refusals, on)}


def only(*facts, **more):
    (belief,) = held(*facts, **more).values()
    return belief


def test_what_is_told_after_the_day_is_not_known_on_it() -> None:
    assert only(told(ago=1), told(ago=0), told(ago=-1)).n_for == 2
    assert faded(-3) == faded(0) == 1.0


# The refusal of 10 days ago is the fifth of its day.
@pytest.mark.parametrize(
    ("facts", "status", "n_for"),
    [
        ([said(ago=11)], "refused", 0),
        ([said(ago=10, number=4)], "refused", 0),
        ([said(ago=10, number=5)], "refused", 0),
        ([said(ago=10, number=6)], "declared", 1),
        ([said(ago=9)], "declared", 1),
        ([told(ago=9)], "refused", 0),
        # Once the guest has spoken again, what is seen counts again, and nothing from before.
        ([told(ago=20), said(ago=9), told(ago=8), told(ago=7)], "declared", 3),
        ([told(ago=9), said(ago=8)], "declared", 1),
    ],
)
def test_only_a_later_word_of_the_guest_lifts_a_refusal(facts, status, n_for) -> None:
    refusals = [
        Refusal(code="PIL_TYPE", on=ON - timedelta(days=ago), number=number)
        for ago, number in ((10, 5), (10, 3), (30, 9))
    ]
    belief = only(*facts, refusals=refusals)
    assert (belief.status, belief.n_for) == (status, n_for)


def test_a_refusal_holds_from_its_day_on() -> None:
    for ago, status in ((0, "refused"), (-1, "candidate")):
        refusal = Refusal(code="PIL_TYPE", on=ON - timedelta(days=ago))
        assert only(told(ago=3), refusals=[refusal]).status == status


def test_a_belief_says_who_began_it_and_what_was_said_last() -> None:
    belief = only(
        told(ago=400, touchpoint="spa", staff="eva", share=True, note="first"),
        said(ago=300, strength="required", touchpoint="desk", note="then"),
        told(ago=200, staff="ann", mode="inferred"),
    )
    assert (belief.touchpoint, belief.staff, belief.note) == ("spa", "eva", "then")
    assert (belief.strength, belief.mode, belief.share) == ("required", "declared", True)
    assert belief.observed_on == ON - timedelta(days=400)
    assert belief.last_confirmed_on == ON - timedelta(days=200)
    assert not only(told(ago=2), told(ago=1, share=False)).share
    assert only(told(mode="praised")).mode == "observed"
    assert only(told()).strength == "preferred"


def test_facts_for_and_against_are_counted_and_weighed() -> None:
    """Said a year ago: 4 / 2; seen today: 1; another value guessed today: 0.5; sent away two years ago: 1 / 4."""
    found = held(
        said(ago=365), told(number=1), told("latex", mode="inferred"), told(ago=730, holds=False)
    )
    down, latex = found["down", "any", "chain"], found["latex", "any", "chain"]
    assert (down.n_for, down.n_against, down.contradicted) == (2, 2, 1)
    assert (down.weight_for, down.weight_against) == (3.0, 0.75)
    assert down.confidence == pytest.approx(4 / 5.75)
    # For latex 0.5; against it the two for down; what was sent away says nothing of it.
    assert (latex.n_for, latex.n_against) == (1, 2)
    assert latex.weight_against == 3.0


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        # On one day the number says what came after the word.
        ([said(number=3), told("latex", number=1), told("latex", number=2)], "declared"),
        ([said(number=3), told("latex", number=4), told("latex", number=5)], "ask"),
        ([said(number=3), said("latex", number=4)], "retired"),
        ([said(number=3), said("latex", number=2)], "declared"),
        ([said(ago=5), said(ago=4, holds=False)], "retired"),
    ],
)
def test_a_word_is_contradicted_by_what_comes_after_it(facts, status) -> None:
    assert held(*facts)["down", "any", "chain"].status == status


def seen(*days: int, against: tuple[int, ...] = ()) -> list[Evidence]:
    """Seen on, or sent away on, so many days ago."""
    return [told(ago=ago, holds=ago not in against) for ago in (*days, *against)]


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (seen(50), "candidate"),
        (seen(50, 40), "learnt"),
        # Three opposite choices in a row retire it; one for it in between begins anew.
        (seen(50, 40, against=(30, 20)), "learnt"),
        (seen(50, 40, against=(30, 20, 10)), "retired"),
        (seen(50, 40, 15, against=(30, 20, 10)), "learnt"),
        (seen(50, 40, 25, against=(30, 20, 10)), "learnt"),
        # A retired one is learnt anew by two stays, of which none counts twice.
        (seen(50, 40, 5, against=(30, 20, 10)), "retired"),
        (seen(50, 40, 5, 4, against=(30, 20, 10)), "learnt"),
        (seen(50, against=(30, 20, 10)), "retired"),
    ],
)
def test_h_r3_two_stays_teach_and_three_opposite_choices_retire(facts, status) -> None:
    assert only(*facts).status == status


@pytest.mark.parametrize(
    ("arrivals", "status"),
    [
        ((50, 40, 30), "learnt"),  # of stays 1, 2, 3 on the first and the last
        ((50, 40, 35, 30), "candidate"),  # of the last three on one only
        ((50, 40, 30, 20, 10), "learnt"),  # what comes later takes nothing away
        ((50, 30, 30), "learnt"),  # a second stay of that day is one of the three
    ],
)
def test_h_r3_looks_at_the_last_three_stays(arrivals, status) -> None:
    """Seen on the stays that began 50 and 30 days ago."""
    stays = [(ON - timedelta(days=ago), number, "leisure") for number, ago in enumerate(arrivals)]
    facts = [told(ago=ago, stay=arrivals.index(ago)) for ago in (50, 30)]
    assert only(*facts, stays=stays).status == status


def test_stays_of_another_kind_of_trip_or_of_tomorrow_do_not_count() -> None:
    """Seen on two leisure stays; between them two of business, and one that begins after the day."""

    def status(purpose: str, last: int = 30) -> str:
        stays = [
            (ON - timedelta(days=ago), ago, of)
            for ago, of in ((50, "leisure"), (45, purpose), (40, purpose), (last, "leisure"))
        ]
        facts = [told(ago=ago, stay=ago, purpose="leisure") for ago in (50, 30)]
        return only(*facts, stays=stays).status

    assert status("business") == "learnt"
    assert status("leisure") == "candidate"


def test_a_property_of_its_own_is_kept_apart_where_houses_differ() -> None:
    facts = [
        told("9", code="FLOOR_NO", property="HER"),
        told("9", code="FLOOR_NO", property="LIS"),
        told("true", code="QUIET", property="HER"),
        told("true", code="QUIET", property="LIS"),
    ]
    scopes = [(b.code, b.scope, b.n_for) for b in believe(facts, [], [], ON)]
    assert scopes == [("FLOOR_NO", "HER", 1), ("FLOOR_NO", "LIS", 1), ("QUIET", "chain", 2)]


def prepared(*facts: Evidence, purpose: str = "any") -> list[tuple[str, str | None]]:
    return [(b.code, b.value) for b in ready(believe(facts, [], [], ON), purpose)]


def test_a_group_takes_so_many_and_beside_them_all_that_is_required() -> None:
    """Of light three, the surest first; of toiletries three, and the allergy is none of them."""
    light = [
        said("50", 30, "LIGHT_LEVEL"),
        said("2700", 20, "LIGHT_TEMP"),
        said("true", 10, "BLACKOUT"),
        said("true", 0, "NIGHT_LIGHT"),
    ]
    assert prepared(*light) == [
        ("BLACKOUT", "true"),
        ("LIGHT_TEMP", "2700"),
        ("NIGHT_LIGHT", "true"),
    ]
    toiletries = [
        said("acme", 0, "TOI_BRAND"),
        said("citrus", 0, "TOI_SCENT"),
        said("razor", 0, "TOI_AMENITY"),
        said("lanolin", 0, "TOI_ALLERGY"),
    ]
    assert len(prepared(*toiletries)) == 4
    assert [code for code, _ in prepared(*toiletries, said("sewing", 9, "TOI_AMENITY"))] == [
        "TOI_ALLERGY",
        "TOI_AMENITY",
        "TOI_BRAND",
        "TOI_SCENT",
    ]


def test_of_equally_sure_ones_the_first_by_the_alphabet_are_prepared() -> None:
    diets = ("vegetarian", "vegan", "kosher", "halal", "gluten_free")
    found = prepared(*(said(value, 0, "DIET", number=i) for i, value in enumerate(diets)))
    assert sorted(value or "" for _, value in found) == ["gluten_free", "halal", "kosher", "vegan"]


def test_one_value_of_a_code_is_prepared_unless_it_holds_several() -> None:
    # Said 3 / 6 to 5 / 6 sure; what was said for one kind of trip and for any is one value.
    assert prepared(told("latex", 3), told("latex", 2), said("down", 1)) == [("PIL_TYPE", "down")]
    diets = [
        said("vegan", 1, "DIET"),
        said("vegan", 2, "DIET", purpose="leisure"),
        said("kosher", 0, "DIET"),
    ]
    assert sorted(prepared(*diets)) == [("DIET", "kosher"), ("DIET", "vegan")]


@pytest.mark.parametrize(
    ("purpose", "codes"),
    [
        ("leisure", ["DESK", "QUIET"]),
        ("business", ["BLACKOUT", "DESK"]),
        ("any", ["BLACKOUT", "DESK", "QUIET"]),
        ("unknown", ["BLACKOUT", "DESK", "QUIET"]),
    ],
)
def test_a_trip_gets_what_holds_for_it_or_for_every_trip(purpose, codes) -> None:
    facts = [
        said("true", 0, "DESK"),
        said("true", 0, "QUIET", purpose="leisure"),
        said("true", 0, "BLACKOUT", purpose="business"),
    ]
    assert [code for code, _ in prepared(*facts, purpose=purpose)] == codes


TAKEN = [
    ("BATHTUB", ["true", "false", " YES ", "No"], ["1", "", "maybe"]),
    ("PIL_COUNT", ["0", "6"], ["-1", "7", "1.5", "six"]),
    ("FLOOR_NO", ["-5", "200"], ["-6", "201", "00001"]),
    ("TEMP_C", ["16", "30", "21.5"], ["15.9", "30.1", "21.55", "21,5"]),
    ("CLEAN_TIME", ["07:30", "09:00-11:00", "23:59"], ["24:00", "7:30", "07:60", "09:00-"]),
    (
        "BIRTHDAY",
        ["05-21", "1980-05-21", "02-29", "2000-02-29"],
        ["02-30", "1981-02-29", "5-21", "19800521", "05/21"],
    ),
    ("SPOKEN", ["pt-BR", "de"], ["german", "d", "de_DE"]),
    ("VIEW", ["sea"], ["Sea", "pool"]),
    ("MUSIC", ["x", "x" * 80], ["", "   ", "x" * 81]),
    ("FOOD_ALLERGY", ["nuts"], ["peanut butter"]),
]


@pytest.mark.parametrize(("name", "good", "bad"), TAKEN, ids=[code for code, *_ in TAKEN])
def test_a_code_takes_its_values_and_no_others(name, good, bad) -> None:
    code = find_code(name)
    kept = {" YES ": "true", "No": "false"}
    assert [code.check(value) for value in good] == [kept.get(value, value) for value in good]
    for value in bad:
        with pytest.raises(UsageError, match=f"{name} takes "):
            code.check(value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("BATHTUB", "true or false"),
        ("TEMP_C", "a number from 16 to 30"),
        ("PIL_COUNT", "a number from 0 to 6"),
        ("BIRTHDAY", "a day of the calendar such as 05-21 or 1980-05-21"),
        ("SMOKING", "one of non_smoking, smoking"),
        ("MUSIC", "a text of 1 to 80 signs"),
    ],
)
def test_a_code_says_in_words_what_it_takes(name, words) -> None:
    assert find_code(name).allowed == words
