"""H2, H-R3, H-R4: what evidence teaches, by figures worked by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
from attrs import evolve

import crmkit
from crmkit.errors import NotFound, UsageError
from crmkit.testing.clock import SettableClock
from crmkit_hotel.preference.beliefs import Evidence, Refusal, believe, confidence, faded, ready
from crmkit_hotel.preference.catalogue import catalogue, find_code

ON = date(2026, 3, 31)
STAYS = [(date(2025, 3, 31), 1, "business"), (date(2025, 9, 1), 2, "business"),
         (date(2026, 1, 5), 3, "business")]  # fmt: skip


def seen(value="buckwheat", stay=1, days=0, code="PIL_TYPE", **more) -> Evidence:
    arrived = {s: day for day, s, _ in STAYS}.get(stay, ON)
    return Evidence(
        code=code, value=value, on=more.pop("on", arrived + timedelta(days=days)), stay=stay,
        purpose="business", **more,
    )  # fmt: skip


def held(evidence, refusals=(), on=ON):
    return {(b.code, b.value): b for b in believe(evidence, STAYS, refusals, on)}


@pytest.mark.parametrize(
    ("mode", "days", "expected"),
    [
        # (1 + w * 2^(-age/365)) / (2 + the same): said today (1+4)/(2+4), a year ago (1+2)/(2+2),
        # two years ago (1+1)/(2+1); served and praised (1+2)/(2+2); seen (1+1)/(2+1);
        # seen a year ago (1+.5)/(2+.5); guessed (1+.5)/(2+.5).
        ("declared", 0, 5 / 6), ("declared", 365, 3 / 4), ("declared", 730, 2 / 3),
        ("praised", 0, 3 / 4), ("observed", 0, 2 / 3), ("observed", 365, 1.5 / 2.5),
        ("inferred", 0, 1.5 / 2.5),
    ],
)  # fmt: skip
def test_confidence_is_that_of_the_brief(mode, days, expected) -> None:
    found = held([seen(stay=9, on=ON - timedelta(days=days), mode=mode)])
    assert found["PIL_TYPE", "buckwheat"].confidence == pytest.approx(expected)


def test_evidence_against_lowers_it() -> None:
    """Seen twice, sent away once, today: (1+2)/(2+2+1) = 0.6; another value: (1+1)/(2+1+2) = 0.4."""
    found = held(
        [seen(stay=9, on=ON, number=n) for n in (1, 2)] + [seen("down", 9, on=ON, number=3)]
    )
    assert found["PIL_TYPE", "buckwheat"].confidence == pytest.approx(0.6)
    assert found["PIL_TYPE", "down"].confidence == pytest.approx(0.4)
    assert confidence(0, 0) == 0.5
    assert faded(730) == 0.25


def test_h_r3_seen_on_two_of_the_last_three_stays_is_learnt() -> None:
    once = held([seen(stay=1)])
    twice = held([seen(stay=1), seen(stay=3)])
    same_stay = held([seen(stay=1), seen(stay=1, days=1)])
    assert once["PIL_TYPE", "buckwheat"].status == "candidate"
    assert twice["PIL_TYPE", "buckwheat"].status == "learnt"
    assert same_stay["PIL_TYPE", "buckwheat"].status == "candidate"


def test_h_r3_two_of_four_stays_apart_is_not_learnt() -> None:
    """Stays 1 to 4, seen on the first and the last: of the last three only one."""
    stays = [*STAYS, (date(2026, 3, 1), 4, "business")]
    facts = [seen(stay=1), seen(stay=4, on=date(2026, 3, 1))]
    (belief,) = believe(facts, stays, [], ON)
    assert belief.status == "candidate"


def test_h_r3_three_opposite_choices_retire_it() -> None:
    learnt = [seen(stay=1), seen(stay=2)]
    down = [seen("down", 3, days=d, number=d) for d in range(3)]
    assert held([*learnt, *down[:2]])["PIL_TYPE", "buckwheat"].status == "learnt"
    assert held([*learnt, *down])["PIL_TYPE", "buckwheat"].status == "retired"


def test_h_r4_declared_beats_learnt() -> None:
    facts = [seen(stay=1), seen(stay=2), seen("down", 3, mode="declared")]
    found = held(facts)
    assert found["PIL_TYPE", "buckwheat"].status == "learnt"
    (chosen,) = ready(list(found.values()), "business")
    assert (chosen.value, chosen.status) == ("down", "declared")


@pytest.mark.parametrize(("age", "status"), [(729, "declared"), (730, "ask")])
def test_h_r4_a_declared_value_is_asked_again_after_two_years(age, status) -> None:
    found = held([seen(stay=9, on=ON - timedelta(days=age), mode="declared")])
    assert found["PIL_TYPE", "buckwheat"].status == status


@pytest.mark.parametrize(("times", "status"), [(1, "declared"), (2, "ask")])
def test_h_r4_or_when_it_was_contradicted_twice(times, status) -> None:
    said = seen(stay=1, mode="declared")
    found = held([said, *(seen("down", 2, days=d) for d in range(times))])
    assert found["PIL_TYPE", "buckwheat"].status == status


def test_h_r4_a_refusal_deletes_and_blocks_until_the_guest_says_otherwise() -> None:
    facts = [seen(stay=1), seen(stay=2)]
    refused = [Refusal(code="PIL_TYPE", on=date(2025, 10, 1))]
    later = [seen(stay=3), seen("down", 3, days=1)]
    (only,) = believe([*facts, *later], STAYS, refused, ON)
    assert (only.status, only.value, only.n_for) == ("refused", None, 0)
    again = held([*facts, *later, seen("down", 3, days=2, mode="declared")], refused)
    assert {key: b.status for key, b in again.items()} == {("PIL_TYPE", "down"): "declared"}


def test_allergies_access_and_avoid_never_fade() -> None:
    """Said ten years ago: 4 stays 4, (1+4)/(2+4)."""
    then = ON - timedelta(days=3650)
    facts = [
        seen("peanuts", 9, on=then, code="FOOD_ALLERGY", mode="declared"),
        seen("true", 9, on=then, code="WHEELCHAIR", mode="declared"),
        seen("down", 9, on=then, mode="declared", strength="avoid"),
    ]
    for belief in held(facts).values():
        assert belief.confidence == pytest.approx(5 / 6)
        assert belief.status == "declared"


def test_what_is_avoided_speaks_of_its_own_value_alone() -> None:
    """Said today: 4 for, (1+4)/(2+4). What the guest likes beside it loses nothing, whichever came first."""
    avoid = seen("feather", 9, on=ON, mode="declared", strength="avoid")
    like = seen("down", 9, on=ON, mode="declared", number=1)
    for facts in ([avoid, like], [like, avoid]):
        found = held(facts)
        assert {v: (b.status, b.strength) for (_, v), b in found.items()} == {
            "down": ("declared", "preferred"), "feather": ("declared", "avoid"),
        }  # fmt: skip
        assert [b.confidence for b in found.values()] == [pytest.approx(5 / 6)] * 2
        assert [b.value for b in ready(list(found.values()), "business")] == ["down"]


def test_a_later_word_takes_the_wish_to_avoid_back_and_use_contradicts_it() -> None:
    avoid = seen("feather", 1, mode="declared", strength="avoid")
    used = [seen("feather", 2, days=d, number=d) for d in range(2)]
    assert held([avoid, *used[:1]])["PIL_TYPE", "feather"].status == "declared"
    assert held([avoid, *used])["PIL_TYPE", "feather"].status == "ask"
    again = held([avoid, seen("feather", 3, mode="declared")])["PIL_TYPE", "feather"]
    assert (again.status, again.strength) == ("declared", "preferred")


def test_order_of_arrival_and_one_by_one_give_the_same() -> None:
    """Incremental and batch: whatever the order in which facts come in, the beliefs are equal."""
    facts = [
        seen(stay=1, number=1), seen("down", 2, number=2), seen(stay=2, days=1, number=3),
        seen(stay=3, mode="praised", number=4), seen("true", 3, code="BATHTUB", number=5),
    ]  # fmt: skip
    whole = believe(facts, STAYS, [], ON)
    for order in permutations(facts):
        assert believe(order, STAYS, [], ON) == whole


def test_what_is_learnt_on_one_kind_of_trip_is_not_prepared_for_another() -> None:
    facts = [seen(stay=1), seen(stay=2)]
    assert ready(believe(facts, STAYS, [], ON), "leisure") == []
    assert [b.value for b in ready(believe(facts, STAYS, [], ON), "unknown")] == ["buckwheat"]


@pytest.mark.parametrize(("confidence", "prepared"), [(0.6, True), (0.59, False), (0.4, False)])
def test_a_preference_is_prepared_from_a_confidence_of_six_tenths_on(confidence, prepared) -> None:
    (learnt,) = [b for b in believe([seen(stay=1), seen(stay=2)], STAYS, [], ON) if b.value]
    assert learnt.status == "learnt"
    assert bool(ready([evolve(learnt, confidence=confidence)], "business")) is prepared


def test_the_catalogue_says_what_it_takes() -> None:
    assert len(catalogue()) == 74
    assert {c.code for c in catalogue().values() if c.required} == {
        "TOI_ALLERGY", "FOOD_ALLERGY", "WHEELCHAIR", "HEARING", "VISUAL", "GRAB_RAILS",
    }  # fmt: skip
    with pytest.raises(UsageError, match=r"PIL_TYPE takes one of down, feather.* not 'hay'"):
        find_code("pil_type").check("hay")
    with pytest.raises(UsageError, match="TEMP_C takes a number from 16 to 30, not '35'"):
        find_code("TEMP_C").check("35")
    with pytest.raises(NotFound, match="PIL_TYP"):
        find_code("PIL_TYP")


def test_learning_one_by_one_and_all_at_once_file_the_same_records(tmp_path) -> None:
    """The commands at the desk, then everything anew: no record changes (H2)."""
    clock = SettableClock(datetime(2026, 3, 31, 12, tzinfo=UTC))
    with crmkit.init(tmp_path / "house", plugins=("hotel",), clock=clock) as crm:
        guest = crm.store.customers.add(name="Ada Berg")
        for number, (day, stay, purpose) in enumerate(STAYS):
            crm.store.records.set(
                "hotel.reservation", source="pms", ref=f"R{stay}", owner_id=guest.id,
                values={"arrival_on": day, "departure_on": day + timedelta(days=2),
                        "status": "checked_out", "purpose": purpose},
            )  # fmt: skip
            clock.set(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
            ref = str(guest.id)
            crm.run("preference observe", customer=ref, code="PIL_TYPE", value="buckwheat")
            if number == 1:
                crm.run("preference declare", customer=ref, code="BATHTUB", value="yes")
        clock.set(datetime(2026, 3, 31, 12, tzinfo=UTC))
        crm.run("preference learn")
        rows = crm.run("preference list", customer=ref, every=True).rows
        assert [(r["code"], r["value"], r["status"]) for r in rows] == [
            ("BATHTUB", "true", "declared"), ("PIL_TYPE", "buckwheat", "learnt"),
        ]  # fmt: skip
        # 365, 211 and 85 days ago: sums 2^-1 + 2^-(211/365) + 2^-(85/365) = 2.0208.
        assert rows[1]["confidence"] == pytest.approx((1 + 2.0208) / (2 + 2.0208), abs=1e-4)
        assert crm.run("preference learn").rows[0]["changed"] == 0
        crm.run("preference refuse", customer=ref, code="PIL_TYPE")
        kept = crm.store.records.list("hotel.preference", where={"status": "refused"})
        assert all(record.values["value"] is None for record in kept)
        crm.run("preference observe", customer=ref, code="PIL_TYPE", value="buckwheat")
        assert [r["code"] for r in crm.run("preference list", customer=ref).rows] == ["BATHTUB"]


def test_a_value_that_the_code_does_not_take_is_asked_and_never_prepared() -> None:
    """Logged before values were checked: an allergy is not lost, and yes of old is true."""
    said = {"mode": "declared", "stay": 9, "on": ON}
    found = held(
        [
            seen("shellfish", code="FOOD_ALLERGY", **said), seen("Yes", code="WHEELCHAIR", **said),
            seen("99", code="TEMP_C", **said),
        ]
    )  # fmt: skip
    assert {key: b.status for key, b in found.items()} == {
        ("FOOD_ALLERGY", "shellfish"): "ask", ("WHEELCHAIR", "true"): "declared",
        ("TEMP_C", "99"): "ask",
    }  # fmt: skip
    assert [b.code for b in ready(list(found.values()), "business")] == ["WHEELCHAIR"]


def test_every_allergy_is_prepared_whatever_its_group_takes() -> None:
    """Six of them and a diet, of a group of which four are prepared."""
    values = ("celery", "eggs", "fish", "milk", "nuts", "sesame")
    said = {"mode": "declared", "stay": 9, "on": ON}
    found = held(
        [seen(value, code="FOOD_ALLERGY", **said) for value in values]
        + [seen("vegan", code="DIET", **said)]
    )
    prepared = [(b.code, b.value) for b in ready(list(found.values()), "business")]
    assert sorted(prepared) == [("DIET", "vegan"), *(("FOOD_ALLERGY", v) for v in values)]
