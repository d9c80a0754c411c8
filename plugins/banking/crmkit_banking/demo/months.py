"""Lives the months: income, spending, loans, cards, leavers and watch cases, in time order."""

from __future__ import annotations

import numpy as np
from attrs import define, field

from . import watch
from .calendar import ALL_MONTHS, DRIFT_MONTH, SHOWN_MONTHS, WATCH_FROM_MONTH, day_number, last_day
from .causes import (
    BENEFIT,
    CAUSES,
    FORGETS,
    INCOME_LOSS,
    NONE,
    OVERINDEBTED,
    OVERSPENDING,
    Trouble,
)
from .ledger import CURRENT, SAVINGS, Ledger
from .world import RATES, RETIRED, TERMS, Flags, Floats, Ints, World, outstanding

# Chance a month that a customer without a loan closes everything.
LEAVES = 0.004
# Of them the share that gives no sign: who dies or moves away does not move money first.
SIGNLESS = 0.2
DEFAULT_DAYS = 90
WRITTEN_OFF_MONTHS = 6
# Has most elsewhere, and earns half of what makes a customer affluent (with a margin for what a salary
# varies by): a customer whom the tier "potential" is for.
WALLET, CAPACITY = 0.3, 420_000
# Half of those who work earn more (world.build_world).
MEDIAN_INCOME = 260_000
# Cash machines are emptied on Fridays and Saturdays, counters are shut at weekends.
ATM_WEEK = np.array([1.0, 0.9, 0.9, 1.0, 1.6, 1.4, 0.6])
COUNTER_WEEK = np.array([1.2, 1.0, 1.0, 1.0, 1.3, 0.0, 0.0])


@define
class State:
    """What changes from month to month, per customer unless said otherwise; money is minor units."""

    world: World
    rng: np.random.Generator
    ledger: Ledger
    trouble: Trouble
    current: Floats
    savings: Floats
    use: Floats
    leaving: Ints  # month in which a leaver's first sign shows; a large number for the others
    signless: Flags
    gone: Flags
    watched: Flags  # had a planted case already
    income_from: Ints  # month since when the salary stays away; -1 while it comes
    income_months: Ints  # months in a row with a salary, before it stayed away
    oldest_due: Ints  # month of the oldest unpaid instalment
    defaulted: Ints  # month of default; -1 without
    usual_draw: Floats  # mean withdrawal at a machine, as the month's budget has it
    inquiries: list[Ints] = field(factory=list)


def live(world: World, rng: np.random.Generator) -> Ledger:
    """All months, the one held back included."""
    size = world.size
    state = State(
        world=world, rng=rng, ledger=Ledger(), trouble=Trouble.none(size),
        current=world.income * 0.6, savings=np.where(world.saves, world.buffer * 0.8, 0.0),
        use=world.card_use.copy(), leaving=np.full(size, 10_000), signless=np.zeros(size, bool),
        gone=np.zeros(size, bool), watched=np.zeros(size, bool),
        income_from=np.full(size, -1), income_months=np.full(size, 0), oldest_due=np.full(size, 10_000),
        defaulted=np.full(size, -1), usual_draw=np.zeros(size),
    )  # fmt: skip
    # Trouble has been there before the first month, so that the first year is like the others.
    for _ in range(12):
        state.trouble.step(world, np.ones(size, bool), rng, recession=False)
    state.trouble.months[state.trouble.cause != NONE] = 1
    _openings(state)
    for month in range(ALL_MONTHS):
        active = ~state.gone & (world.joined_month <= month)
        state.trouble.step(world, active, rng, recession=month == DRIFT_MONTH)
        _leavers(state, month, active)
        _income(state, month, active)
        _spending(state, month, active)
        _cards(state, month, active)
        _inquiries(state, month, active)
        _instalments(state, month, active)
        if month >= WATCH_FROM_MONTH:
            calm = active & (state.trouble.cause == NONE) & (state.leaving > month + 2)
            calm &= (world.joined_month < month - 6) & ~state.watched
            state.watched |= watch.plant(state.ledger, world, month, calm, state.usual_draw, rng)
        _life(state, month, active)
        _farewells(state, month)
        if month == SHOWN_MONTHS - 1:
            _potential(state, month, active)
    return state.ledger


def _days(state: State, month: int, count: int, week: Floats | None = None) -> Ints:
    """Days of the month, drawn by weekday where weights are given."""
    first, last = day_number(month), last_day(month).toordinal()
    days = np.arange(first, last + 1)
    if week is None:
        return np.asarray(state.rng.integers(first, last + 1, count))
    # Day 1 of the calendar (ordinal 1) was a Monday.
    weight = week[(days - 1) % 7]
    return np.asarray(state.rng.choice(days, count, p=weight / weight.sum()))


def _post(state: State, who: Ints, amount: Ints | Floats, account: int = CURRENT) -> None:
    held = state.savings if account else state.current
    np.add.at(held, who, amount)


def _move(
    state: State, who: Ints, day: Ints | int, amount: Ints, type_: str, via: str, **more: int
) -> None:
    """Books transactions and keeps the balances."""
    state.ledger.add(who, day, amount, type_, via, **more)
    _post(state, who, amount, more.get("account", CURRENT))


def _openings(state: State) -> None:
    """What everybody brings: the balances with which the accounts begin to be seen."""
    w = state.world
    day = np.maximum(day_number(0), w.since)
    everyone = np.arange(w.size)
    state.ledger.add(everyone, day, state.current.astype(np.int64), "transfer_in", "system", hour=0)
    saves = np.flatnonzero(w.saves)
    amount = state.savings[saves].astype(np.int64)
    state.ledger.add(
        saves, day[saves], amount, "transfer_in", "system", hour=0, account=SAVINGS
    )  # fmt: skip


# --- income and spending --------------------------------------------------------------------------


def _income(state: State, month: int, active: Flags) -> None:
    w = state.world
    lost = state.trouble.has(INCOME_LOSS) | (state.leaving <= month) & ~state.signless
    away = state.income_from >= 0
    state.income_from = np.where(
        lost, np.where(state.income_from < 0, month, state.income_from), -1
    )
    # The second month in a row without a salary is the first whose end shows an income down by more
    # than two fifths over three months.
    # An income that came for less than four months before cannot be compared with three months before.
    second = active & lost & (state.income_from == month - 1) & (state.income_months >= 4)
    came = np.where(away, 1, state.income_months + 1)
    state.income_months = np.where(active & ~lost, came, state.income_months)
    for i in np.flatnonzero(second & (month > 6)):
        end = last_day(month).toordinal()
        # A leaver is known as one.
        if state.leaving[i] > month:
            state.ledger.know(i, "income_drop", end, end, "income_loss")
    noise = state.rng.normal(1, np.where(w.employment == 2, 0.08, 0.02))
    amount = (w.income * noise).astype(np.int64)
    day = day_number(month) + w.pay_day - 1
    there = active & (w.since <= day)
    for kind, of_kind in (("pension", w.life == RETIRED), ("salary", w.life != RETIRED)):
        who = np.flatnonzero(there & ~lost & of_kind)
        _move(state, who, day[who], amount[who], kind, "system", hour=6)
    who = np.flatnonzero(there & state.trouble.has(INCOME_LOSS))
    _move(state, who, day[who], (amount[who] * BENEFIT).astype(np.int64), "transfer_in", "system", hour=6)  # fmt: skip


def _spending(state: State, month: int, active: Flags) -> None:
    w, rng = state.world, state.rng
    first, last = day_number(month), last_day(month).toordinal()
    orders = active & ~((state.leaving <= month) & ~state.signless)
    who = np.flatnonzero(orders & (w.since <= first + 2))
    _move(state, who, first + 2, -w.rent[who], "household", "standing_order", hour=8)
    insured = who[w.insurance[who] > 0]
    _move(state, insured, first + 9, -w.insurance[insured], "insurance", "standing_order", hour=8)
    # What is left of the income is spent, more where the buffer is full and less where it is empty.
    held = state.current + state.savings
    mood = np.clip(1 + 0.35 * (held / np.maximum(w.buffer, 1) - 1), 0.45, 1.4)
    due = np.where(_running(state, month), w.loan_instalment, 0)
    budget = np.maximum(w.income - w.rent - w.insurance - due, w.income * 0.2) * mood
    _many(state, month, active, budget * 0.55, 2.4, "card_payment", "pos", 0.33, 100)
    _many(state, month, active, budget * 0.25, 1.5, "cash_out", "atm", 0.3, 1000, ATM_WEEK)
    state.usual_draw = budget * 0.25 / 1.5
    _many(state, month, active, budget * 0.15, 0.5, "transfer_out", "web", 0.3, 100)
    _many(state, month, active, budget * 0.04, 0.2, "cash_out", "counter", 0.25, 1000, COUNTER_WEEK)
    paid_in = np.flatnonzero(active & (rng.random(w.size) < 0.1))
    amount = w.income[paid_in] // 2000 * 100
    _move(
        state,
        paid_in,
        _days(state, month, len(paid_in), COUNTER_WEEK),
        amount,
        "cash_in",
        "counter",
    )
    who = np.flatnonzero(active)
    _move(state, who, last, np.full(len(who), -400), "fee", "system", hour=22)
    # Savings are topped up from what the current account has over a month's income, and help it out.
    spare = state.current - w.income * 1.1
    who = np.flatnonzero(active & w.saves & (np.abs(spare) > w.income * 0.25) & orders)
    amount = (
        np.clip(spare[who], -np.maximum(state.savings[who], 0), None).astype(np.int64) // 100 * 100
    )
    who, amount = who[amount != 0], amount[amount != 0]
    for sign, out, back in (
        (1, "transfer_out", "transfer_in"),
        (-1, "transfer_in", "transfer_out"),
    ):
        rows = np.sign(amount) == sign
        some, sums = who[rows], amount[rows]
        _move(state, some, last, -sums, out, "mobile", hour=20)
        _move(state, some, last, sums, back, "mobile", hour=20, account=SAVINGS)


def _many(
    state: State, month: int, active: Flags, budget: Floats, rate: float, type_: str, via: str,
    spread: float, step: int, week: Floats | None = None,
) -> None:  # fmt: skip
    """Payments whose number is a Poisson count and whose sum is about the budget."""
    rng, w = state.rng, state.world
    number = np.where(active, rng.poisson(rate, w.size), 0)
    who = np.repeat(np.arange(w.size), number)
    usual = budget[who] / rate
    amount = usual * rng.lognormal(-spread * spread / 2, spread, len(who))
    amount = np.maximum(np.round(amount / step), 1).astype(np.int64) * step
    day = np.maximum(_days(state, month, len(who), week), w.since[who])
    _move(state, who, day, -amount, type_, via, hour=14)


# --- credit ---------------------------------------------------------------------------------------


def _running(state: State, month: int) -> Flags:
    w = state.world
    ends = w.loan_month + np.array(TERMS)[w.loan_product]
    return np.asarray(
        (w.loan_principal > 0) & (w.loan_month < month) & (month <= ends) & (state.defaulted < 0)
        & (w.joined_month <= month)
    )  # fmt: skip


def _cards(state: State, month: int, active: Flags) -> None:
    """The card fills up while somebody overspends, and goes back to its habit afterwards."""
    w, rng = state.world, state.rng
    over = state.trouble.has(OVERSPENDING)
    pinched = state.trouble.has(INCOME_LOSS)
    goal = np.where(over, 1.02, np.where(pinched, np.minimum(w.card_use + 0.2, 0.9), w.card_use))
    state.use += np.where(over, 0.5, 0.4) * (goal - state.use) + rng.normal(0, 0.04, w.size)
    state.use = np.clip(state.use, 0, 1.05)
    for i in np.flatnonzero(active & (w.card_limit > 0)):
        balance = int(w.card_limit[i] * state.use[i])
        state.ledger.cards.append((int(i), month, balance, int(balance * 0.1)))


def _inquiries(state: State, month: int, active: Flags) -> None:
    """What the bureau reports each month of those who borrow."""
    w, rng = state.world, state.rng
    asked = rng.poisson(np.where(state.trouble.has(OVERINDEBTED), 1.1, 0.05))
    state.inquiries.append(asked)
    half_year = np.sum(state.inquiries[-6:], axis=0)
    borrows = active & ((w.loan_principal > 0) & (w.loan_month < month) | (w.card_limit > 0))
    # Reports come once a quarter, a third of the customers each month; at once where others ask.
    told = borrows & ((np.arange(w.size) % 3 == month % 3) | (asked > 0))
    lines = 1 + (w.card_limit > 0) + np.minimum(half_year, 4)
    for i in np.flatnonzero(told):
        state.ledger.inquiries.append((int(i), month, int(half_year[i]), int(lines[i]), 0))


def _instalments(state: State, month: int, active: Flags) -> None:
    """Due, paid or missed; the month's statement; default at 90 days past due."""
    w, rng, ledger = state.world, state.rng, state.ledger
    running = _running(state, month) & active
    state.oldest_due = np.where(running & (state.oldest_due > month), month, state.oldest_due)
    behind = np.where(running, month - state.oldest_due, 0)  # instalments unpaid before this one
    missed = running & (rng.random(w.size) < state.trouble.misses())
    # Out of trouble, half of the arrears are caught up at once; in trouble one instalment is paid.
    calm = state.trouble.cause == NONE
    caught = calm & (rng.random(w.size) < 0.6)
    number = np.where(missed, 0, np.where(caught, behind + 1, np.where(calm, np.minimum(behind + 1, 2), 1)))  # fmt: skip
    late = calm & (rng.random(w.size) < FORGETS)
    delay = np.where(late, rng.integers(3, 16, w.size), 0)
    end = last_day(month).toordinal()
    for i in np.flatnonzero(running):
        due_day = int(w.loan_due_day[i])
        for _ in range(int(number[i])):
            due = day_number(int(state.oldest_due[i]), due_day)
            paid = min(day_number(month, due_day) + int(delay[i]), end)
            ledger.repayments.append((int(i), due, paid, int(w.loan_instalment[i])))
            _move(state, np.array([i]), paid, np.array([-w.loan_instalment[i]]), "loan_payment",
                  "standing_order", hour=9)  # fmt: skip
            state.oldest_due[i] += 1
        oldest = day_number(int(state.oldest_due[i]), due_day)
        past = max(0, end - oldest)
        if past >= DEFAULT_DAYS:
            state.defaulted[i] = month
            cause = state.trouble.cause[i]
            named = CAUSES[cause] if cause != NONE else "unseen"
            ledger.defaulted[int(i)] = (oldest + DEFAULT_DAYS, named)
            ledger.know(i, "default", oldest + DEFAULT_DAYS, 0, named)
    _statements(state, month)


def _statements(state: State, month: int) -> None:
    w = state.world
    shown = _running(state, month) | (state.defaulted >= 0) & (
        month - state.defaulted <= WRITTEN_OFF_MONTHS
    )
    who = np.flatnonzero(shown & (w.loan_month < month))
    product = w.loan_product[who]
    paid = np.minimum(state.oldest_due[who], month + 1) - w.loan_month[who] - 1
    owed = outstanding(
        w.loan_principal[who].astype(np.float64), np.array(RATES)[product],
        w.loan_instalment[who].astype(np.float64), np.maximum(paid, 0),
    )  # fmt: skip
    end = last_day(month).toordinal()
    for i, amount in zip(who, owed, strict=True):
        past = max(0, end - day_number(int(state.oldest_due[i]), int(w.loan_due_day[i])))
        off = state.defaulted[i] >= 0 and month - state.defaulted[i] == WRITTEN_OFF_MONTHS
        state.ledger.statements.append((int(i), month, int(amount), past, int(off)))


# --- who leaves, and what changes in a life -------------------------------------------------------


def _leavers(state: State, month: int, active: Flags) -> None:
    w, rng = state.world, state.rng
    # Nobody closes with a running loan, or a month after joining.
    free = active & ~_running(state, month) & (w.joined_month < month - 6) & (state.leaving > month)
    free &= (w.loan_principal == 0) & (state.trouble.cause == NONE)
    # Who has next to nothing on the accounts does not take it elsewhere; the accounts fall asleep.
    free &= state.current + state.savings > w.income * 1.5
    chosen = np.flatnonzero(free & (rng.random(w.size) < LEAVES))
    state.leaving[chosen] = month
    state.signless[chosen] = rng.random(len(chosen)) < SIGNLESS
    for i in chosen[~state.signless[chosen]]:
        state.ledger.cancelled[int(i)] = day_number(month, 1 + int(rng.integers(0, 2)))


def _farewells(state: State, month: int) -> None:
    """The month after the first sign the money goes to the customer's own name elsewhere, then the end."""
    ledger, rng = state.ledger, state.rng
    for i in np.flatnonzero((state.leaving == month - 1) & ~state.gone):
        ends = last_day(month).toordinal()
        # When all else of the month is booked, so that what is moved is what is there.
        moved = ends - int(rng.integers(1, 4))
        signless = bool(state.signless[i])
        for account, held in ((SAVINGS, state.savings), (CURRENT, state.current)):
            share = 1.0 if signless else 0.9
            amount = int(max(held[i] * share, 0)) // 100 * 100
            if amount:
                ledger.add([i], moved, -amount, "transfer_out", "web", account=account, hour=23,
                           own=int(not signless))  # fmt: skip
                held[i] -= amount
        if not signless:
            ledger.know(i, "about_to_close", moved, ends, "leaves")
        reason = (
            "death"
            if signless and rng.random() < 0.5
            else ("relocation" if signless else "competitor")
        )
        if not signless:
            ledger.event("closing_request", int(i), ends, channel="counter", reason="competitor")
        ledger.event("account_closure", int(i), ends, channel="system", reason=reason)
        ledger.closed[int(i)] = ends
        ledger.know(i, "closed", ends, ends, reason)
        state.gone[i] = True


def _potential(state: State, month: int, active: Flags) -> None:
    """Who could bring more: earns well for half a year, pays in time, stays, and banks elsewhere too."""
    w = state.world
    earns = (w.income >= CAPACITY) & (state.income_from < 0) & (state.income_months >= 6)
    calm = (state.trouble.cause == NONE) & (state.oldest_due > month) & (state.leaving > month)
    for i in np.flatnonzero(active & ~state.gone & earns & calm & (w.wallet < WALLET)):
        state.ledger.know(i, "potential", last_day(month).toordinal(), cause="banks_elsewhere")


def _life(state: State, month: int, active: Flags) -> None:
    """Offers, complaints, visits and appointments; who asks about a home loan."""
    w, rng, ledger = state.world, state.rng, state.ledger
    for kind, share, values in (
        ("counter_visit", 0.05, {"channel": "counter", "minutes": 8}),
        ("complaint", 0.004, {"channel": "phone", "topic": "fees"}),
    ):  # fmt: skip
        who = np.flatnonzero(active & (rng.random(w.size) < share))
        for i, day in zip(who, _days(state, month, len(who)), strict=True):
            ledger.event(kind, int(i), max(int(day), int(w.since[i])), **values)
    home = np.flatnonzero(active & np.isin(w.life, (2, 3)) & (rng.random(w.size) < 0.004))
    for i, day in zip(home, _days(state, month, len(home)), strict=True):
        ledger.event("branch_appointment", int(i), max(int(day), int(w.since[i])), channel="web", purpose="mortgage")  # fmt: skip
    asked = np.flatnonzero(active & w.consent & (rng.random(w.size) < 0.02))
    for i, day in zip(asked, _days(state, month, len(asked)), strict=True):
        # Who earns more than most takes savings products more readily.
        rich = w.income[i] > MEDIAN_INCOME
        answer = "accepted" if rng.random() < (0.3 if rich else 0.08) else "declined"
        product = "savings" if not w.saves[i] else "investment"
        ledger.event("product_offer", int(i), max(int(day), int(w.since[i])), channel="phone", product=product,
                     response=answer, campaign=f"spring-{month // 12 + 1}")  # fmt: skip
