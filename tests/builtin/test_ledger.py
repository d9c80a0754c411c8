"""Ledgers: a balance is the sum of its entries, whatever happens."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

import crmkit
from crmkit.builtin.ledger.accounts import Accounts, Posting, lapsed_amount, months_later
from crmkit.declarations import Ledger
from crmkit.errors import NotFound, UsageError
from crmkit.testing.clock import SettableClock
from crmkit.workspace import Crm

POINTS = "ledger.points"


@pytest.fixture
def accounts(workspace: Crm) -> Accounts:
    found: Accounts = workspace.service("ledger.accounts")
    return found


@pytest.fixture
def people(workspace: Crm) -> list[int]:
    return [workspace.store.customers.add(name=name).id for name in ("Ann", "Bo", "Cy")]


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    """One workspace on SQLite for what does not touch the database's dialect."""
    with crmkit.init(tmp_path_factory.mktemp("ledger") / "w", clock=SettableClock()) as crm:
        yield crm


@pytest.fixture
def three(lite: Crm) -> list[int]:
    return [lite.store.customers.add(name=name).id for name in ("Ann", "Bo", "Cy")]


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
    # Overdrawn by 50, which the next lot makes up for: half of it can be spent and lapses.
    ([(-50, None), (100, "2026-06-30")], "2026-06-30", 50),
    ([(-50, None), (20, "2026-06-30"), (100, "2026-07-31")], "2026-07-31", 70),
    ([(30, "2026-06-30"), (-50, None), (20, "2026-06-30"), (5, "2026-06-30")], "2026-06-30", 5),
    ([(-50, None), (30, "2026-06-30")], "2026-06-30", 0),
    # Of several lots that are over, each with what is left of it; one without a last day stays.
    ([(10, "2026-05-31"), (20, "2026-06-30"), (40, None), (-15, None)], "2026-06-30", 15),
    ([(10, "2026-06-30"), (20, "2026-05-31"), (-15, None)], "2026-05-31", 5),
    ([], "2026-06-30", 0),
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


@pytest.mark.parametrize(
    ("kind", "allowed"),
    [
        ("earn", [1]),
        ("burn", [-1]),
        ("expire", [-1]),
        ("adjust", [-1, 1]),
        ("transfer", [-1, 1]),
    ],
)
def test_each_kind_has_its_sign_and_nothing_is_never_posted(
    lite: Crm, three: list[int], kind: str, allowed: list[int]
) -> None:
    accounts, ann = lite.service("ledger.accounts"), three[0]
    accounts.post(POINTS, [earn(ann, 10)])
    taken = []
    for amount in (-1, 0, 1):
        try:
            accounts.post(POINTS, [Posting(customer_id=ann, amount=amount, kind=kind)])
            taken.append(amount)
        except UsageError as error:
            assert error.code == "E_VALUE"
    assert taken == allowed
    assert accounts.balances(POINTS, [ann]) == {ann: 10 + sum(allowed)}


def test_a_transfer_moves_one_or_more(lite: Crm, three: list[int]) -> None:
    accounts, (ann, bo, _) = lite.service("ledger.accounts"), three
    accounts.post(POINTS, [earn(ann, 5)])
    for amount in (0, -1):
        with pytest.raises(UsageError, match="moves a positive amount"):
            accounts.transfer(POINTS, ann, bo, amount)
    given, taken = accounts.transfer(POINTS, ann, bo, 1)
    assert [(p.amount, p.balance) for p in (given, taken)] == [(-1, 4), (1, 1)]
    assert [e["reference"] for e in accounts.statement(POINTS, bo)] == [f"{POINTS}#{bo}-1"]


def test_nothing_is_taken_from_an_empty_account_or_from_none(lite: Crm, three: list[int]) -> None:
    """Ann has spent all, Bo never had an account; Cy, merged into Ann, has 2 of the 3 asked for."""
    accounts, (ann, bo, cy) = lite.service("ledger.accounts"), three
    accounts.post(POINTS, [earn(ann, 1), burn(ann, 1), earn(cy, 2)])
    for customer in (ann, bo):
        with pytest.raises(UsageError, match="the balance is 0, and 1 was to be taken") as told:
            accounts.post(POINTS, [burn(customer, 1)])
        assert told.value.code == "E_BALANCE"
    lite.store.merges.merge([(ann, cy), (ann, bo)])
    with pytest.raises(UsageError, match="the balance is 2, and 3 was to be taken"):
        accounts.post(POINTS, [burn(ann, 3)])
    assert [p.balance for p in accounts.post(POINTS, [burn(bo, 2)])] == [0]
    assert accounts.balances(POINTS, [ann]) == {ann: 0}


def test_a_statement_is_in_the_order_of_time_over_all_accounts(lite: Crm, three: list[int]) -> None:
    """Ann's entries of 3 and, filed later, of 1 March, and Bo's of 2 March; two of one instant as filed."""
    accounts, (ann, bo, _) = lite.service("ledger.accounts"), three

    def at(day: int) -> datetime:
        return datetime(2026, 3, day, tzinfo=UTC)

    accounts.post(POINTS, [earn(ann, 3, at=at(3)), earn(ann, 4, at=at(3)), earn(ann, 1, at=at(1))])
    accounts.post(POINTS, [earn(bo, 2, at=at(2))])
    lite.store.merges.merge([(ann, bo)])
    found = [(e["at"], e["amount"], e["balance"]) for e in accounts.statement(POINTS, ann)]
    assert found == [(at(1), 1, 8), (at(2), 2, 2), (at(3), 3, 3), (at(3), 4, 7)]


def test_an_account_without_its_entries_is_found(lite: Crm, three: list[int]) -> None:
    accounts, (ann, bo, cy) = lite.service("ledger.accounts"), three
    accounts.post(POINTS, [earn(ann, 10), burn(ann, 3), earn(bo, 1)])
    for customer, balance, entries in ((ann, 7, 3), (cy, 5, 1)):
        lite.store.records.set(
            "ledger.account",
            source="crmkit",
            ref=f"{POINTS}:{customer}",
            owner_id=customer,
            values={"ledger": POINTS, "balance": balance, "entries": entries},
        )
    assert sorted(accounts.unbalanced(POINTS), key=lambda row: row["customer_id"]) == [
        {"customer_id": ann, "balance": 7, "entries": 3, "sum": 7, "count": 2},
        {"customer_id": cy, "balance": 5, "entries": 1, "sum": 0, "count": 0},
    ]


@pytest.fixture
def credit(lite: Crm, monkeypatch: pytest.MonkeyPatch) -> Accounts:
    """A ledger that may be overdrawn and whose entries lapse after a month, idle ones after two."""
    declared = Ledger(name=POINTS, overdraft=True, expires_after_months=1, idle_months=2)
    monkeypatch.setattr(Accounts, "ledger", lambda self, name: declared)
    found: Accounts = lite.service("ledger.accounts")
    return found


def test_what_is_added_can_be_spent_for_the_ledgers_months(
    credit: Accounts, three: list[int]
) -> None:
    """From 31 January a month is until 28 February; what takes away has no last day."""
    ann = three[0]
    january = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    own = date(2026, 12, 31)
    credit.post(
        POINTS,
        [
            earn(ann, 10, at=january),
            earn(ann, 10, at=january, expires_on=own),
            burn(ann, 1, at=january),
            burn(ann, 1, at=january, expires_on=own),
            Posting(customer_id=ann, amount=1, kind="adjust", at=january),
        ],
    )
    assert [e["expires_on"] for e in credit.statement(POINTS, ann)] == [
        date(2026, 2, 28),
        own,
        None,
        own,
        date(2026, 2, 28),
    ]
    # Of 11 that end in February 2 were spent first, so 9 lapse and 10 stay until December.
    assert credit.expire(POINTS, date(2026, 2, 27), customers=three) == []
    (gone,) = credit.expire(POINTS, date(2026, 2, 28), customers=three)
    assert (gone.amount, gone.balance) == (-9, 10)


def test_only_what_covers_the_overdraft_is_kept_and_no_debt_expires(
    credit: Accounts, three: list[int]
) -> None:
    """Ann owed 50 before she earned 100, so 50 lapse. Bo owes, and has nothing that could."""
    ann, bo, cy = three
    january = datetime(2026, 1, 10, tzinfo=UTC)
    credit.post(POINTS, [burn(ann, 50, at=january), earn(ann, 100, at=january)])
    credit.post(
        POINTS, [burn(bo, 50, at=january), earn(cy, 5, at=january), burn(cy, 5, at=january)]
    )
    gone = credit.expire(POINTS, date(2026, 2, 10), customers=three)
    assert [(p.customer_id, p.amount, p.balance) for p in gone] == [(ann, -50, 0)]
    assert credit.expire(POINTS, date(2027, 1, 1), customers=three) == []
    assert credit.balances(POINTS, three) == {ann: 0, bo: -50, cy: 0}


def test_an_account_is_idle_from_its_latest_earning_or_spending_on(
    credit: Accounts, three: list[int]
) -> None:
    """Earned on 10 March, then filed late for 10 February; adjusted on 20 March, which is no use.

    Two months after 10 March are over on 10 May; until then nothing that has no last day goes.
    """
    ann, bo, _ = three
    never = date(2099, 12, 31)

    def at(month: int, day: int) -> datetime:
        return datetime(2026, month, day, tzinfo=UTC)

    credit.post(POINTS, [earn(ann, 10, at=at(3, 10), expires_on=never)])
    credit.post(POINTS, [earn(ann, 10, at=at(2, 10), expires_on=never)])
    adjusted = Posting(customer_id=ann, amount=5, kind="adjust", at=at(3, 20), expires_on=never)
    credit.post(POINTS, [adjusted, earn(bo, 1, at=at(3, 11), expires_on=never)])
    assert credit.expire(POINTS, date(2026, 5, 9), customers=three) == []
    gone = credit.expire(POINTS, date(2026, 5, 10), customers=three)
    assert [(p.customer_id, p.amount) for p in gone] == [(ann, -25)]
    assert [e["reason"] for e in credit.statement(POINTS, ann)][-1] == "idle"


def test_months_end_on_the_last_day_that_a_month_has() -> None:
    assert months_later(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert months_later(date(2026, 3, 31), 24) == date(2028, 3, 31)
    assert months_later(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert months_later(date(2026, 1, 15), 11) == date(2026, 12, 15)
    assert months_later(date(2026, 1, 15), 12) == date(2027, 1, 15)
    assert months_later(date(2026, 12, 31), 0) == date(2026, 12, 31)


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
