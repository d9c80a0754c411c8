"""Tiers: up at once, down after grace, one step at a time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

import crmkit
from crmkit.builtin.ledger.accounts import Posting
from crmkit.builtin.ledger.tiers import Standing, review
from crmkit.declarations import Tier, TierScheme
from crmkit.errors import UsageError
from crmkit.testing.clock import SettableClock
from crmkit.workspace import Crm

CLUB = TierScheme(
    name="hotel.club", grace_days=90, rest_days=365,
    tiers=[Tier(name="member"), Tier(name="silver", enter="x"), Tier(name="gold", enter="y")],
)  # fmt: skip
MEMBER, SILVER, GOLD = 0, 1, 2

# One guest's reviews: day, highest tier entered, highest tier kept, then by hand: move and tier.
# The grace that begins on 30 June lasts 90 days, until 28 September; the step down of 29 September
# 2025 rests for 365 days, and the grace that begins meanwhile does not shorten that.
STORY = [
    ("2025-01-31", SILVER, SILVER, "enter", SILVER),
    ("2025-02-28", GOLD, GOLD, "up", GOLD),
    ("2025-03-31", SILVER, GOLD, None, GOLD),
    ("2025-04-30", MEMBER, MEMBER, "grace", GOLD),
    ("2025-05-31", MEMBER, GOLD, "saved", GOLD),
    ("2025-06-30", MEMBER, MEMBER, "grace", GOLD),
    ("2025-07-31", MEMBER, MEMBER, None, GOLD),
    ("2025-09-28", MEMBER, MEMBER, None, GOLD),
    ("2025-09-29", MEMBER, MEMBER, "down", SILVER),
    ("2025-10-31", MEMBER, MEMBER, "grace", SILVER),
    ("2026-02-28", MEMBER, MEMBER, None, SILVER),
    ("2026-09-28", MEMBER, MEMBER, None, SILVER),
    ("2026-09-29", MEMBER, MEMBER, "down", MEMBER),
    ("2026-09-30", GOLD, GOLD, "up", GOLD),
]


def test_a_guest_goes_through_two_years_as_worked_by_hand() -> None:
    now: Standing | None = None
    for day, entered, kept, move, rank in STORY:
        now, made = review(CLUB, now, entered, kept, date.fromisoformat(day))
        assert (day, made, now.rank) == (day, move, rank)
    assert now == Standing(rank=GOLD, since_on=date(2026, 9, 30), lowered_on=date(2026, 9, 29))


def test_without_a_soft_landing_a_fall_goes_all_the_way() -> None:
    hard = evolve(CLUB, soft_landing=False, grace_days=0)
    gold = Standing(rank=GOLD, since_on=date(2026, 1, 1))
    assert review(hard, gold, MEMBER, MEMBER, date(2026, 2, 1)) == (
        Standing(rank=MEMBER, since_on=date(2026, 2, 1), lowered_on=date(2026, 2, 1)), "down",
    )  # fmt: skip


def test_a_hard_landing_stops_at_the_tier_whose_condition_to_stay_holds() -> None:
    """Gold no longer holds, silver is kept though not entered: the fall ends at silver."""
    hard = evolve(CLUB, soft_landing=False, grace_days=0)
    gold = Standing(rank=GOLD, since_on=date(2026, 1, 1))
    after, move = review(hard, gold, MEMBER, SILVER, date(2026, 2, 1))
    assert (after.rank, move) == (SILVER, "down")


@pytest.mark.parametrize(
    ("now", "entered", "kept", "day", "move", "rank"),
    [
        # The third of March is the last day of grace, and the tenth the first after the rest.
        ({"grace_until": date(2026, 3, 3)}, MEMBER, MEMBER, 3, None, GOLD),
        ({"grace_until": date(2026, 3, 3)}, MEMBER, MEMBER, 4, "down", SILVER),
        ({"grace_until": date(2026, 3, 3)}, SILVER, GOLD, 4, "saved", GOLD),
        ({"grace_until": date(2026, 3, 3)}, GOLD, GOLD, 4, "saved", GOLD),
        ({"lowered_on": date(2026, 2, 28)}, MEMBER, MEMBER, 9, None, GOLD),
        ({"lowered_on": date(2026, 2, 28)}, MEMBER, MEMBER, 10, "down", SILVER),
        ({}, GOLD, GOLD, 1, None, GOLD),
        ({}, MEMBER, SILVER, 1, "down", SILVER),
    ],
)
def test_a_step_down_waits_for_the_end_of_grace_and_rest(
    now: dict[str, date], entered: int, kept: int, day: int, move: str | None, rank: int
) -> None:
    scheme = evolve(CLUB, grace_days=0, rest_days=10)
    before = Standing(rank=GOLD, since_on=date(2026, 1, 1), **now)
    on = date(2026, 3, day)
    after, made = review(scheme, before, entered, kept, on)
    assert (made, after.rank) == (move, rank)
    if move == "down":
        assert after == Standing(rank=rank, since_on=on, lowered_on=on)
    elif move == "saved":
        assert after == evolve(before, grace_until=None)
    else:
        assert after is before


def test_a_way_up_ends_grace_and_remembers_the_last_step_down() -> None:
    lowered = date(2026, 2, 1)
    before = Standing(
        rank=MEMBER, since_on=lowered, grace_until=date(2026, 4, 1), lowered_on=lowered
    )
    on = date(2026, 3, 1)
    assert review(CLUB, before, GOLD, GOLD, on) == (
        Standing(rank=GOLD, since_on=on, lowered_on=lowered),
        "up",
    )


def test_membership_is_entered_and_kept_from_its_points_on(
    tmp_path: Path, crm_clock: SettableClock
) -> None:
    """Silver from 1,000 and kept from 800, gold from 5,000 and kept from 4,000.

    At the second review the first points are older than 365 days and no longer count. A customer who
    keeps the tier gets no grace.
    """
    crm_clock.set(datetime(2026, 1, 1, tzinfo=UTC))
    with crmkit.init(tmp_path / "club", clock=crm_clock) as crm:
        first = [0, 999, 1000, 4999, 5000, 1000, 1000, 5000, 5000]
        later = [0, 0, 0, 0, 0, 799, 800, 3999, 4000]
        people = [crm.store.customers.add(name="Ann").id for _ in first]
        crm_clock.set(datetime(2027, 6, 1, tzinfo=UTC))
        accounts, tiers = crm.service("ledger.accounts"), crm.service("ledger.tiers")
        for points, day in (
            (first, datetime(2026, 1, 10, 9, tzinfo=UTC)),
            (later, datetime(2027, 2, 10, 9, tzinfo=UTC)),
        ):
            accounts.post(
                "ledger.points",
                [
                    Posting(customer_id=i, amount=n, at=day)
                    for i, n in zip(people, points, strict=True)
                    if n
                ],
            )
        scheme = "ledger.membership"
        made = {r["customer_id"]: r for r in tiers.review(scheme, crm.as_of("2026-01-31"))}
        assert [made[i]["to_tier"] for i in people] == [
            "member",
            "member",
            "silver",
            "silver",
            "gold",
            "silver",
            "silver",
            "gold",
            "gold",
        ]
        assert {r["move"] for r in made.values()} == {"enter"}
        made = {r["customer_id"]: r for r in tiers.review(scheme, crm.as_of("2027-02-28"))}
        moves = [made[i]["move"] if i in made else None for i in people]
        assert moves == [None, None, "grace", "grace", "grace", "grace", None, "grace", None]
        assert list(tiers.standings(scheme, people[:1])) == people[:1]
        assert tiers.standings(scheme, []) == {}


def test_reviews_move_everybody_log_it_and_are_made_once(workspace: Crm, crm_clock: Any) -> None:
    """Membership by points of 365 days: silver from 1,000, kept from 800; gold from 5,000."""
    crm_clock.set(datetime(2026, 1, 1, tzinfo=UTC))
    ann, bo = (workspace.store.customers.add(name=n).id for n in ("Ann", "Bo"))
    crm_clock.set(datetime(2026, 3, 31, 12, tzinfo=UTC))
    accounts, tiers = workspace.service("ledger.accounts"), workspace.service("ledger.tiers")
    first = datetime(2026, 1, 10, 9, tzinfo=UTC)
    points = [
        Posting(customer_id=ann, amount=900, at=first),
        Posting(customer_id=ann, amount=150, at=first.replace(month=2)),
        Posting(customer_id=bo, amount=6000, at=first.replace(month=2)),
    ]
    accounts.post("ledger.points", points)

    def moves(day: str) -> list[tuple[Any, ...]]:
        rows = tiers.review("ledger.membership", workspace.as_of(day))
        return [(r["customer_id"], r["move"], r["from_tier"], r["to_tier"]) for r in rows]

    assert moves("2026-01-31") == [(ann, "enter", None, "member"), (bo, "enter", None, "member")]
    assert moves("2026-02-28") == [(ann, "up", "member", "silver"), (bo, "up", "member", "gold")]
    assert moves("2026-02-28") == []
    # Of Ann's points the 900 are more than 364 days old on 10 January 2027: 150 are left.
    crm_clock.set(datetime(2027, 6, 1, tzinfo=UTC))
    assert moves("2027-01-31") == [(ann, "grace", "silver", "silver")]
    assert tiers.standings("ledger.membership", [ann])[ann].grace_until == date(2027, 5, 1)
    assert (ann, "down", "silver", "member") in moves("2027-05-02")
    logged = workspace.store.interactions.list_for(ann, kinds=["ledger.tier_change"])
    assert [i.payload["move"] for i in logged] == ["down", "grace", "up", "enter"]
    with pytest.raises(UsageError, match="cannot be reviewed any more"):
        moves("2027-04-30")


def test_the_report_of_a_past_day_shows_the_tiers_of_that_day(
    workspace: Crm, crm_clock: Any
) -> None:
    """Issue 14, line 12: reviewed on 31 May for the ends of three months, asked at dates between.

    Ann has 900 points in January and 150 in February: silver from the review of 28 February on.
    """
    crm_clock.set(datetime(2026, 1, 1, tzinfo=UTC))
    ann = workspace.store.customers.add(name="Ann").id
    crm_clock.set(datetime(2026, 5, 31, 12, tzinfo=UTC))
    first = datetime(2026, 1, 10, 9, tzinfo=UTC)
    workspace.service("ledger.accounts").post(
        "ledger.points",
        [Posting(customer_id=ann, amount=900, at=first),
         Posting(customer_id=ann, amount=150, at=first.replace(month=2))],
    )  # fmt: skip
    tiers = workspace.service("ledger.tiers")
    for day in ("2026-01-31", "2026-02-28", "2026-03-31"):
        tiers.review("ledger.membership", workspace.as_of(day))

    def shown(day: str) -> list[tuple[Any, ...]]:
        rows = workspace.reports.run("ledger.tiers", {}, workspace.as_of(day)).table.to_pylist()
        names = ("tier", "customers", "entered", "upgraded")
        return [tuple(row[name] for name in names) for row in rows]

    assert shown("2026-01-30") == []
    assert shown("2026-01-31") == [("member", 1, 1, 0)]
    assert shown("2026-02-15") == [("member", 1, 1, 0)]
    assert shown("2026-02-28") == [("silver", 1, 0, 1)]
    assert shown("2026-05-30") == [("silver", 1, 0, 1)]


def test_a_standing_filed_late_by_an_earlier_version_is_no_obstacle(
    workspace: Crm, crm_clock: Any
) -> None:
    """It holds since the moment of filing; the next review of a day before that holds from there on."""
    crm_clock.set(datetime(2026, 1, 1, tzinfo=UTC))
    ann = workspace.store.customers.add(name="Ann").id
    crm_clock.set(datetime(2026, 5, 31, 12, tzinfo=UTC))
    workspace.service("ledger.accounts").post(
        "ledger.points",
        [Posting(customer_id=ann, amount=1000, at=datetime(2026, 1, 10, tzinfo=UTC))],
    )
    workspace.store.records.set(
        "ledger.standing", source="crmkit", ref=f"ledger.membership:{ann}", owner_id=ann,
        values={"scheme": "ledger.membership", "tier": "member", "rank": 0, "since_on": date(2026, 1, 5)},
    )  # fmt: skip
    tiers = workspace.service("ledger.tiers")
    (moved,) = tiers.review("ledger.membership", workspace.as_of("2026-02-28"))
    assert (moved["move"], moved["to_tier"]) == ("up", "silver")
    assert tiers.standings("ledger.membership")[ann].since_on == date(2026, 2, 28)


def test_of_two_merged_standings_the_higher_one_counts_and_is_moved(
    workspace: Crm, crm_clock: Any
) -> None:
    """Ann is a member and Anna has silver. Once they are one, she has silver, and later she loses it."""
    crm_clock.set(datetime(2026, 1, 1, tzinfo=UTC))
    ann, anna = (workspace.store.customers.add(name=n).id for n in ("Ann", "Anna"))
    first = datetime(2026, 1, 10, 9, tzinfo=UTC)
    crm_clock.set(datetime(2026, 2, 1, tzinfo=UTC))
    workspace.service("ledger.accounts").post(
        "ledger.points", [Posting(customer_id=anna, amount=1000, at=first)]
    )
    tiers = workspace.service("ledger.tiers")
    tiers.review("ledger.membership", workspace.as_of("2026-01-31"))
    workspace.store.merges.merge([(ann, anna)])
    crm_clock.set(datetime(2027, 12, 1, tzinfo=UTC))

    def shown(day: str) -> list[tuple[Any, ...]]:
        rows = workspace.reports.run("ledger.tiers", {}, workspace.as_of(day)).table.to_pylist()
        return [(row["tier"], row["customers"]) for row in rows]

    assert shown("2026-03-01") == [("silver", 1)]
    (held,) = tiers.standings("ledger.membership").values()
    assert held.rank == SILVER
    # The points are older than a year on 31 January 2027; grace ends 90 days later, on 1 May.
    for day, move in (("2027-01-31", "grace"), ("2027-05-02", "down")):
        (row,) = tiers.review("ledger.membership", workspace.as_of(day))
        assert (row["move"], row["from_tier"]) == (move, "silver")
    assert shown("2027-05-02") == [("member", 1)]


def test_two_moves_of_one_day_are_both_logged(workspace: Crm, crm_clock: Any) -> None:
    """Points that arrive between two reviews of a day move the customer on from there."""
    crm_clock.set(datetime(2026, 1, 1, tzinfo=UTC))
    ann = workspace.store.customers.add(name="Ann").id
    crm_clock.set(datetime(2026, 5, 31, 12, tzinfo=UTC))
    accounts, tiers = workspace.service("ledger.accounts"), workspace.service("ledger.tiers")
    for points in (900, 100, 4000):
        at = datetime(2026, 1, 10, tzinfo=UTC)
        accounts.post("ledger.points", [Posting(customer_id=ann, amount=points, at=at)])
        tiers.review("ledger.membership", workspace.as_of("2026-02-28"))
    logged = workspace.store.interactions.list_for(ann, kinds=["ledger.tier_change"])
    assert sorted(i.payload["to_tier"] for i in logged) == ["gold", "member", "silver"]
