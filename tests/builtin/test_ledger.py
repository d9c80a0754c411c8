"""Ledgers: a balance is the sum of its entries, whatever happens."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Any

import pytest

from crmkit.builtin.ledger.accounts import Accounts, Posting, lapsed_amount, months_later
from crmkit.errors import NotFound, UsageError
from crmkit.workspace import Crm

POINTS = "ledger.points"


@pytest.fixture
def accounts(workspace: Crm) -> Accounts:
    found: Accounts = workspace.service("ledger.accounts")
    return found


@pytest.fixture
def people(workspace: Crm) -> list[int]:
    return [workspace.store.customers.add(name=name).id for name in ("Ann", "Bo", "Cy")]


def earn(customer: int, amount: int, **more: Any) -> Posting:
    return Posting(customer_id=customer, amount=amount, **more)


def burn(customer: int, amount: int, **more: Any) -> Posting:
    return Posting(customer_id=customer, amount=-amount, kind="burn", **more)


def test_a_batch_is_posted_in_order_and_balances(accounts: Accounts, people: list[int]) -> None:
    ann, bo, cy = people
    posted = accounts.post(POINTS, [earn(ann, 100), burn(ann, 30), earn(bo, 5), earn(ann, 1)])
    assert [(p.customer_id, p.amount, p.balance) for p in posted] == [
        (ann, 100, 100), (ann, -30, 70), (bo, 5, 5), (ann, 1, 71),
    ]  # fmt: skip
    assert accounts.balances(POINTS, people) == {ann: 71, bo: 5, cy: 0}
    assert [(e["kind"], e["amount"], e["balance"]) for e in accounts.statement(POINTS, ann)] == [
        ("earn", 100, 100), ("burn", -30, 70), ("earn", 1, 71),
    ]  # fmt: skip
    assert accounts.unbalanced(POINTS) == []


def test_the_same_posting_under_the_same_reference_is_made_once(
    accounts: Accounts, people: list[int]
) -> None:
    stay = earn(people[0], 40, reference="stay-1")
    assert [p.new for p in accounts.post(POINTS, [stay, stay])] == [True, False]
    assert [p.new for p in accounts.post(POINTS, [stay])] == [False]
    assert accounts.balances(POINTS, people[:1]) == {people[0]: 40}
    with pytest.raises(UsageError, match=r"'stay-1' stands for earn \+40 already, and earn \+41") as told:  # fmt: skip
        accounts.post(POINTS, [earn(people[0], 41, reference="stay-1")])
    assert told.value.code == "E_DUPLICATE"


def test_a_corrected_amount_is_settled_by_its_difference(
    accounts: Accounts, people: list[int]
) -> None:
    """Issue 14, line 8: 2,000, then 3,000, then 500 for one stay: +2,000, +1,000, -2,500; in the end 0."""
    ann = people[0]
    stay = {"reference": "stay-1", "reason": "stay"}
    accounts.post(POINTS, [earn(ann, 2000, **stay)])
    for due, difference in ((2000, 0), (3000, 1000), (3000, 0), (500, -2500), (0, -500), (0, 0)):
        (posted,), refused = accounts.settle(POINTS, [earn(ann, due, **stay)])
        assert (posted.amount, posted.new, posted.balance) == (difference, difference != 0, due)
        assert refused == []
    found = [(e["kind"], e["amount"], e["reference"]) for e in accounts.statement(POINTS, ann)]
    assert found == [
        ("earn", 2000, "ledger.points:stay-1"), ("adjust", 1000, "ledger.points:stay-1~2"),
        ("adjust", -2500, "ledger.points:stay-1~3"), ("adjust", -500, "ledger.points:stay-1~4"),
    ]  # fmt: skip
    assert accounts.unbalanced(POINTS) == []


def test_what_was_posted_to_the_wrong_customer_moves(accounts: Accounts, people: list[int]) -> None:
    ann, bo, cy = people
    accounts.post(POINTS, [earn(ann, 1000, reference="s"), earn(cy, 7)])
    (posted,), refused = accounts.settle(POINTS, [earn(bo, 1500, reference="s")])
    assert (posted.customer_id, posted.amount, refused) == (bo, 1500, [])
    assert accounts.balances(POINTS, people) == {ann: 0, bo: 1500, cy: 7}
    accounts.settle(POINTS, [earn(ann, 1500, reference="s")])
    assert accounts.balances(POINTS, people) == {ann: 1500, bo: 0, cy: 7}
    assert accounts.unbalanced(POINTS) == []


def test_one_that_cannot_be_settled_leaves_the_others(
    accounts: Accounts, people: list[int]
) -> None:
    """Ann has spent 900 of 1,000, so 500 of her stay cannot be taken back, nor moved to Cy."""
    ann, bo, cy = people
    accounts.post(POINTS, [earn(ann, 1000, reference="a"), burn(ann, 900)])
    due = [earn(ann, 500, reference="a"), earn(bo, 40, reference="b"), earn(bo, 41, reference="b"),
           earn(bo, -1, reference="c")]  # fmt: skip
    posted, refused = accounts.settle(POINTS, due)
    assert [(p.customer_id, p.amount) for p in posted] == [(bo, 40)]
    assert [(r.posting.reference, r.why) for r in refused] == [
        ("a", "ledger.points: the balance is 100, and 500 was to be taken."),
        ("b", "ledger.points: the reference 'b' is given twice."),
        ("c", "the amount of earn is -1, not positive."),
    ]  # fmt: skip
    _, (moved,) = accounts.settle(POINTS, [earn(cy, 1000, reference="a")])
    assert "1000 was to be taken" in moved.why
    assert accounts.balances(POINTS, people) == {ann: 100, bo: 40, cy: 0}
    assert accounts.unbalanced(POINTS) == []


def test_a_posting_of_a_merged_customer_is_settled_with_the_one_who_remains(
    workspace: Crm, accounts: Accounts, people: list[int]
) -> None:
    ann, bo, _ = people
    accounts.post(POINTS, [earn(bo, 1000, reference="s")])
    workspace.duplicates.merge([(ann, bo)])
    (posted,), _ = accounts.settle(POINTS, [earn(bo, 1500, reference="s")])
    assert (posted.customer_id, posted.amount, posted.balance) == (ann, 500, 1500)
    (taken,), _ = accounts.settle(POINTS, [earn(ann, 100, reference="s")])
    assert (taken.amount, taken.balance) == (-1400, 100)
    assert accounts.unbalanced(POINTS) == []


@pytest.mark.parametrize(
    ("amount", "kind", "said"),
    [
        (0, "earn", "the amount of earn is 0, not positive"),
        (5, "burn", "the amount of burn is 5, not negative"),
        (-101, "burn", "the balance is 100, and 101 was to be taken"),
        (-101, "transfer", "the balance is 100, and 101 was to be taken"),
        (0, "adjust", "the amount of adjust is 0, not other than 0"),
    ],
)
def test_what_cannot_be_posted_leaves_the_whole_batch_undone(
    accounts: Accounts, people: list[int], amount: int, kind: str, said: str
) -> None:
    accounts.post(POINTS, [earn(people[0], 100)])
    wrong = Posting(customer_id=people[0], amount=amount, kind=kind)
    with pytest.raises(UsageError, match=said):
        accounts.post(POINTS, [earn(people[1], 7), wrong])
    assert accounts.balances(POINTS, people[:2]) == {people[0]: 100, people[1]: 0}


def test_unknown_ledgers_and_customers_are_named(accounts: Accounts, people: list[int]) -> None:
    with pytest.raises(NotFound, match=r"no ledger 'ledger.pints'. Did you mean ledger.points"):
        accounts.post("ledger.pints", [earn(people[0], 1)])
    with pytest.raises(NotFound, match="no customer '7'"):
        accounts.post(POINTS, [earn(7, 1)])


def test_an_entry_is_never_changed(workspace: Crm, accounts: Accounts, people: list[int]) -> None:
    accounts.post(POINTS, [earn(people[0], 10, reference="r")])
    key = {"source": "crmkit", "ref": "ledger.points:r"}
    with pytest.raises(UsageError, match="is filed and is never changed") as told:
        workspace.store.records.set("ledger.entry", values={"amount": 99}, **key)
    assert told.value.code == "E_APPEND_ONLY"
    with pytest.raises(UsageError, match="is filed and is never changed"):
        workspace.store.records.put(
            "ledger.entry", source="crmkit", refs=["ledger.points:r"], values={"amount": [99]},
            owners=[workspace.store.records.find("ledger.entry", "ledger.points:r").owner_id],
        )  # fmt: skip
    assert accounts.unbalanced(POINTS) == []


def test_a_broken_balance_is_found(workspace: Crm, accounts: Accounts, people: list[int]) -> None:
    accounts.post(POINTS, [earn(people[0], 10), earn(people[1], 3)])
    workspace.store.records.set(
        "ledger.account", source="crmkit", ref=f"{POINTS}:{people[0]}", values={"balance": 11}
    )
    assert accounts.unbalanced(POINTS) == [
        {"customer_id": people[0], "balance": 11, "entries": 1, "sum": 10, "count": 1}
    ]


def test_a_transfer_moves_and_makes_nothing(accounts: Accounts, people: list[int]) -> None:
    ann, bo, _ = people
    accounts.post(POINTS, [earn(ann, 50)])
    accounts.transfer(POINTS, ann, bo, 20, reference="gift")
    accounts.transfer(POINTS, ann, bo, 20, reference="gift")
    assert accounts.balances(POINTS, [ann, bo]) == {ann: 30, bo: 20}
    with pytest.raises(UsageError, match="between two customers"):
        accounts.transfer(POINTS, ann, ann, 1)


def test_a_merged_customer_spends_from_both_and_the_unmerge_parts_what_is_left(
    workspace: Crm, accounts: Accounts, people: list[int]
) -> None:
    ann, bo, _ = people
    accounts.post(POINTS, [earn(ann, 50), earn(bo, 30)])
    (merge,) = workspace.store.merges.merge([(ann, bo)])
    assert accounts.balances(POINTS, [ann]) == {ann: 80}
    assert accounts.post(POINTS, [burn(bo, 60, reference="room")])[0].balance == 20
    assert not accounts.post(POINTS, [burn(ann, 60, reference="room")])[0].new
    workspace.store.merges.unmerge([merge])
    assert accounts.balances(POINTS, [ann, bo]) == {ann: 0, bo: 20}
    assert accounts.unbalanced(POINTS) == []


# Each: entries as (signed amount, last day), the day that is over, what lapses. Worked by hand.
LAPSES = [
    ([(100, "2026-06-30")], "2026-06-29", 0),
    ([(100, "2026-06-30")], "2026-06-30", 100),
    ([(100, "2026-06-30"), (-40, None)], "2026-06-30", 60),
    # 40 are taken from the lot of June, whose rest of 60 lapses.
    ([(50, "2026-12-31"), (100, "2026-06-30"), (-40, None)], "2026-06-30", 60),
    # The burn came before the lot of June was earned, so it took from December's.
    ([(50, "2026-12-31"), (-40, None), (100, "2026-06-30")], "2026-06-30", 100),
    ([(50, None), (20, "2026-06-30"), (-30, None)], "2026-06-30", 0),
    # What lapsed once does not lapse again.
    ([(100, "2026-06-30"), (-100, None), (10, "2026-07-31")], "2026-06-30", 0),
]


@pytest.mark.parametrize(("entries", "on", "lapsed"), LAPSES)
def test_what_expires_first_is_spent_first(
    entries: list[tuple[int, str | None]], on: str, lapsed: int
) -> None:
    rows = [
        (n, amount, None if until is None else date.fromisoformat(until))
        for n, (amount, until) in enumerate(entries, 1)
    ]
    assert lapsed_amount(rows, date.fromisoformat(on)) == lapsed


def test_months_end_on_the_last_day_that_a_month_has() -> None:
    assert months_later(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert months_later(date(2026, 3, 31), 24) == date(2028, 3, 31)
    assert months_later(date(2026, 11, 30), 3) == date(2027, 2, 28)


def test_idle_points_expire_after_24_months_and_once(accounts: Accounts, people: list[int]) -> None:
    """Ann earned on 15 January 2024 and nothing since; Bo has spent a day later."""
    ann, bo, _ = people
    january = datetime(2024, 1, 15, 9, tzinfo=UTC)
    accounts.post(POINTS, [earn(ann, 100, at=january), earn(bo, 100, at=january)])
    accounts.post(POINTS, [burn(bo, 10, at=january.replace(day=16))])
    assert accounts.expire(POINTS, date(2026, 1, 14)) == []
    gone = accounts.expire(POINTS, date(2026, 1, 15))
    assert [(p.customer_id, p.amount) for p in gone] == [(ann, -100)]
    assert accounts.expire(POINTS, date(2026, 1, 15)) == []
    assert accounts.balances(POINTS, [ann, bo]) == {ann: 0, bo: 90}
    assert [e["reason"] for e in accounts.statement(POINTS, ann)] == [None, "idle"]


def test_dated_points_expire_on_their_day(accounts: Accounts, people: list[int]) -> None:
    ann = people[0]
    accounts.post(POINTS, [earn(ann, 30, expires_on=date(2026, 4, 30)), earn(ann, 5)])
    accounts.post(POINTS, [burn(ann, 10)])
    (gone,) = accounts.expire(POINTS, date(2026, 4, 30))
    assert (gone.amount, gone.balance) == (-20, 5)


def test_random_postings_agree_with_a_model(accounts: Accounts, people: list[int]) -> None:
    """3,000 postings in 60 batches against a dictionary; every third batch has a bad one in it."""
    chance = random.Random(7)
    model: dict[int, int] = defaultdict(int)
    for round_ in range(60):
        batch, after = [], dict(model)
        for _ in range(50):
            who, amount = chance.choice(people), chance.randint(1, 90)
            if chance.random() < 0.4 and after.get(who, 0) >= amount:
                batch.append(burn(who, amount))
                after[who] -= amount
            else:
                batch.append(earn(who, amount))
                after[who] = after.get(who, 0) + amount
        if round_ % 3:
            accounts.post(POINTS, batch)
            model.update(after)
        else:
            with pytest.raises(UsageError):
                accounts.post(POINTS, [*batch, burn(people[0], after.get(people[0], 0) + 1)])
        assert accounts.balances(POINTS, people) == {p: model[p] for p in people}
    assert accounts.unbalanced(POINTS) == []
