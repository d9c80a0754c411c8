"""Lives the months: shocks, usage, bills, calls, offers, renewals and departures, in time order."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from attrs import define, field

from .calendar import ALL_MONTHS, JUDGED_MONTH, day_of, first_day, last_day
from .causes import (
    CAUSES,
    UNSEEN,
    Grievances,
    draw_cause,
    expected_departures,
    hazards,
    standing_cause,
)
from .ledger import Departure, Ledger, customer_ref, line_ref, money
from .world import (
    CELLS_PER_CITY,
    CITIES,
    COMPETITORS,
    METHODS,
    PLANS,
    PREPAID,
    Flags,
    Floats,
    Ints,
    World,
)

CALLING = ("phone", "phone", "app", "web", "counter")
TOPICS = ("billing", "price", "network", "service", "product", "contract", "other")
REASONS = {
    "price": "price", "network": "network", "service": "service_attitude", "silence": "product",
    "contract": "competitor_offer",
}  # fmt: skip


@define
class State:
    """What changes from month to month, per customer unless said otherwise."""

    world: World
    rng: np.random.Generator
    ledger: Ledger
    grievances: Grievances
    gone: Flags
    decline: Floats
    silent: Flags
    trouble: Ints  # months of trouble left, per cell
    campaign: Flags  # a competitor advertises, per city
    unpaid: Ints  # bills missed in a row
    base_factor: Floats = field(factory=lambda: np.zeros(0))


def live(world: World, rng: np.random.Generator) -> Ledger:
    """All months, the one held back included."""
    size = world.size
    state = State(
        world=world,
        rng=rng,
        ledger=Ledger(),
        grievances=Grievances.none(size),
        gone=np.zeros(size, bool),
        decline=np.ones(size),
        silent=np.zeros(size, bool),
        trouble=np.zeros(len(CITIES) * CELLS_PER_CITY, np.int64),
        campaign=np.zeros(len(CITIES), bool),
        unpaid=np.zeros(size, np.int64),
        # Who pays by check decides each month anew; that is a habit and not a grievance.
        base_factor=np.where(np.isin(world.method, (2, 3)), 1.6, 0.8),
    )
    by_cause = hazards(state.grievances, state.base_factor, _bound(state, 0))
    for month in range(ALL_MONTHS):
        leaving = _depart(state, month, by_cause)
        active = _active(state, month) & ~leaving
        _shocks(state, month, active)
        _renewals(state, month, active)
        _offers(state, month, active)
        _small_talk(state, month, active)
        state.gone |= leaving
        by_cause = hazards(state.grievances, state.base_factor, _bound(state, month + 1))
        if month == JUDGED_MONTH:
            expected, standing = (
                expected_departures(by_cause),
                standing_cause(state.grievances, by_cause),
            )
            state.ledger.oracle = {
                int(i): (float(expected[i]), CAUSES[standing[i]]) for i in np.flatnonzero(active)
            }
    return state.ledger


def _active(state: State, month: int) -> Flags:
    return ~state.gone & (state.world.joined_month <= month)


def _bound(state: State, month: int) -> Flags:
    middle = first_day(month).toordinal() + 14
    return state.world.contract_end > middle


def _pick(state: State, among: Flags, share: float | Floats) -> Flags:
    return among & (state.rng.random(state.world.size) < share)


def _days(state: State, month: int, hit: Flags, first: int = 1, last: int = 28) -> list[Any]:
    """(customer, day in the month) of everyone hit."""
    rows = np.flatnonzero(hit)
    days = state.rng.integers(first, last + 1, len(rows))
    return [(int(i), day_of(month, int(d))) for i, d in zip(rows, days, strict=True)]


# --- leaving --------------------------------------------------------------------------------------


def _depart(state: State, month: int, by_cause: dict[str, Floats]) -> Flags:
    """Ends lines by the hazard that stood at the end of the month before."""
    total = sum(by_cause.values())
    old = _active(state, month) & (state.world.joined_month < month)
    leaving = _pick(state, old, 1 - np.exp(-np.asarray(total)))
    causes = draw_cause(by_cause, state.rng)
    for customer, on in _days(state, month, leaving):
        cause = CAUSES[causes[customer]]
        moved = cause == UNSEEN and state.rng.random() < 0.4
        _end(state, customer, on, "moved" if moved else "voluntary", cause)
    unpaid = old & ~leaving & (state.unpaid >= 3)
    for customer, on in _days(state, month, unpaid):
        _end(state, customer, on, "involuntary", "non_payment")
    return leaving | unpaid


def _end(state: State, customer: int, on: date, kind: str, cause: str) -> None:
    rng, ledger = state.rng, state.ledger
    ported = kind == "voluntary" and rng.random() < 0.6
    operator = COMPETITORS[int(rng.integers(0, 3))] if ported else None
    reason = REASONS.get(cause) if kind == "voluntary" else None
    if reason is None or rng.random() < 0.15:  # some never say why
        reason = "moved" if kind == "moved" else "unknown"
    asked = date.fromordinal(on.toordinal() - int(rng.integers(3, 26)))
    if ported:
        ledger.event("port_out_request", customer, asked, operator=operator, channel="web",
                     direction="in")  # fmt: skip
    elif kind == "voluntary" and rng.random() < 0.5:
        ledger.event("cancellation_request", customer, asked, channel="phone", direction="in",
                     topic="contract")  # fmt: skip
    ledger.event("termination", customer, on, ended_as=kind, reason=reason, operator=operator,
                 channel="system")  # fmt: skip
    ledger.departures.append(Departure(customer, on, kind, cause, operator))
    status = "ported_out" if ported else "terminated"
    ending = {"status": status, "ended_on": on, "churn_kind": kind, "churn_reason": reason,
              "churn_to": operator}  # fmt: skip
    _version(state, customer, on, ending)


def _version(state: State, customer: int, on: date, ending: dict[str, Any] | None = None) -> None:
    """Keeps the state of a line as of a day, for the subscriptions file."""
    w = state.world
    held = {
        "plan": int(w.plan[customer]), "fee": int(w.fee[customer]), "term": int(w.term[customer]),
        "contract_start": int(w.contract_start[customer]),
        "contract_end": int(w.contract_end[customer]),
        "device_on": int(w.device_on[customer]), "instalments": int(w.instalments[customer]),
    }  # fmt: skip
    state.ledger.versions.append((on, customer, {**held, **(ending or {})}))


# --- the month's shocks, usage and bills ----------------------------------------------------------


def _shocks(state: State, month: int, active: Flags) -> None:
    rng, w, grievances = state.rng, state.world, state.grievances
    grievances.fade()
    postpaid = active & (w.plan != PREPAID)
    hurt = _pick(state, postpaid, 0.015)
    harmless = _pick(state, postpaid & ~hurt, 0.004)  # a holiday abroad, expected and accepted
    grievances.add("price", hurt)
    extra = np.where(hurt | harmless, rng.uniform(0.6, 1.6, w.size), rng.uniform(0, 0.08, w.size))
    _complain(state, month, _pick(state, hurt, 0.45), "billing")

    state.trouble = np.maximum(state.trouble - 1, 0)
    broken = rng.random(len(state.trouble)) < 0.009
    state.trouble = np.where(broken, rng.integers(2, 5, len(broken)), state.trouble)
    troubled = active & (state.trouble[w.cell] > 0)
    grievances.add("network", troubled, 0.7)
    _complain(state, month, _pick(state, troubled, 0.35), "network")

    treated = _pick(state, active, 0.016)
    grievances.add("service", treated)
    _bad_service(state, month, treated)

    recovered = state.silent & (rng.random(w.size) < 1 - 0.88)
    state.silent = (state.silent & ~recovered) | _pick(state, active & ~state.silent, 0.007)
    state.decline = np.where(state.silent, state.decline * 0.66, np.minimum(1, state.decline * 1.5))
    grievances.level["silence"] = np.where(state.silent & (state.decline < 0.5), 1.0, 0.0)

    state.campaign = rng.random(len(CITIES)) < 0.4
    expired = active & (w.contract_end > 0) & (w.contract_end < last_day(month).toordinal())
    pull = np.where(state.campaign[w.city], 1.4, 0.8)
    grievances.level["contract"] = np.where(expired, pull, 0.0)

    usage = _usage(state, month, active, troubled)
    _bills(state, month, postpaid, extra, usage)
    _topups(state, month, active & (w.plan == PREPAID))


def _usage(state: State, month: int, active: Flags, troubled: Flags) -> Floats:
    """Writes the month's summaries; returns each customer's use of the data allowance."""
    rng, w = state.rng, state.world
    size = w.size
    season = 1 + 0.06 * np.sin(2 * np.pi * (month + 10) / 12)
    data = w.data_gb * season * state.decline * rng.lognormal(0, 0.12, size)
    voice = w.voice_min * season * state.decline * rng.lognormal(0, 0.12, size)
    sms = rng.poisson(12 * state.decline)
    dropped = np.where(troubled, rng.uniform(0.025, 0.07, size), rng.uniform(0.001, 0.013, size))
    outage = np.where(troubled, rng.integers(120, 700, size), rng.poisson(6, size))
    downlink = np.where(troubled, rng.uniform(3, 15, size), rng.uniform(25, 80, size))
    incoming = voice * rng.uniform(0.7, 1.3, size)
    offnet = rng.uniform(0.2, 0.7, size)
    roaming = np.where(rng.random(size) < 0.04, rng.integers(1, 15, size), 0)
    partners = rng.poisson(18 * state.decline) + 1
    begins, ends = first_day(month), last_day(month)
    scale = np.where(w.business, w.lines / 10, 1.0)
    limits = np.array([p.data_gb for p in PLANS])[w.plan] * scale
    minutes = np.array([p.voice_min for p in PLANS])[w.plan] * scale
    for i in np.flatnonzero(active).tolist():
        state.ledger.usage.append((
            customer_ref(i), line_ref(i), begins, ends, f"{voice[i]:.1f}", f"{incoming[i]:.1f}",
            f"{offnet[i]:.2f}", int(sms[i]), f"{data[i]:.2f}", int(roaming[i]), int(partners[i]),
            f"{limits[i]:.0f}" if limits[i] else "", f"{minutes[i]:.0f}" if minutes[i] else "",
            f"{dropped[i]:.4f}", int(outage[i]), f"{downlink[i]:.1f}", f"cell-{w.cell[i]:03d}",
        ))  # fmt: skip
    return np.asarray(data / np.where(limits > 0, limits, np.inf))


def _bills(state: State, month: int, postpaid: Flags, extra: Floats, fullness: Floats) -> None:
    """Bills of the 28th, due on the 14th, paid then or late or never."""
    rng, w = state.rng, state.world
    over = w.fee * (extra + np.clip(fullness - 1, 0, 0.5) * 0.1)
    drift = np.where(w.business, rng.lognormal(0, 0.12, w.size), 1.0)
    recurring = (w.fee * drift).astype(np.int64)
    overage = over.astype(np.int64)
    late = rng.random(w.size) < np.where(w.poor_payer, 0.4, 0.02)
    never = late & (rng.random(w.size) < 0.45)
    state.unpaid = np.where(postpaid & never, state.unpaid + 1, 0)
    early = rng.integers(0, 13, w.size)
    delay = rng.integers(3, 40, w.size)
    begins, issued, due = first_day(month), day_of(month, 28), day_of(month + 1, 14)
    for i in np.flatnonzero(postpaid).tolist():
        # Cards and banks pay on the day itself, the others some days before it.
        lead = 0 if w.method[i] <= 1 else int(early[i])
        shift = int(delay[i]) if late[i] else -lead
        paid = None if never[i] else date.fromordinal(due.toordinal() + shift)
        state.ledger.bills.append((
            f"B{line_ref(i)}-{begins:%Y%m}", customer_ref(i), line_ref(i), begins, issued, due,
            money(recurring[i] + overage[i]), money(recurring[i]), money(overage[i]), paid,
            METHODS[w.method[i]],
        ))  # fmt: skip
        if state.unpaid[i] >= 2:
            state.ledger.event("dunning_notice", i, day_of(month + 1, 20), channel="letter",
                               direction="out", step=int(state.unpaid[i]), days_overdue=6)  # fmt: skip


def _topups(state: State, month: int, prepaid: Flags) -> None:
    times = state.rng.poisson(1.6 * state.decline)
    for turn in range(3):
        for customer, on in _days(state, month, prepaid & (times > turn)):
            amount = money(int(state.rng.choice([500, 1000, 1500, 2000])))
            state.ledger.event("topup", customer, on, amount=amount, method="top_up",
                               channel="app", direction="in")  # fmt: skip


# --- contacts, renewals, offers -------------------------------------------------------------------


def _channel(state: State) -> str:
    return CALLING[int(state.rng.integers(0, len(CALLING)))]


def _complain(state: State, month: int, hit: Flags, topic: str) -> None:
    for customer, on in _days(state, month, hit):
        severity = ("low", "medium", "high")[int(state.rng.integers(0, 3))]
        state.ledger.event("complaint", customer, on, topic=topic, severity=severity,
                           channel=_channel(state), direction="in")  # fmt: skip


def _bad_service(state: State, month: int, hit: Flags) -> None:
    """Two or three calls on one matter, not solved, and often a complaint about the staff."""
    for customer, on in _days(state, month, hit, 1, 18):
        topic = TOPICS[int(state.rng.integers(0, len(TOPICS)))]
        for call in range(int(state.rng.integers(2, 4))):
            day = date.fromordinal(on.toordinal() + 3 * call)
            state.ledger.event("service_call", customer, day, topic=topic, resolved=False,
                               wait_minutes=int(state.rng.integers(8, 40)), channel="phone",
                               direction="in")  # fmt: skip
    _complain(state, month, hit & (state.rng.random(len(hit)) < 0.6), "service")


def _small_talk(state: State, month: int, active: Flags) -> None:
    """What is said without consequence: solved calls, stray complaints, surveys, reviews."""
    rng, w = state.rng, state.world
    for customer, on in _days(state, month, _pick(state, active, 0.07)):
        topic = TOPICS[int(rng.integers(0, len(TOPICS)))]
        state.ledger.event("service_call", customer, on, topic=topic, resolved=True,
                           wait_minutes=int(rng.integers(1, 12)), channel="phone",
                           direction="in")  # fmt: skip
    for topic in TOPICS:
        _complain(state, month, _pick(state, active, 0.0008), topic)
    unhappy = state.grievances.total()
    for customer, on in _days(state, month, _pick(state, active, 0.02)):
        score = int(np.clip(round(8 - 3 * float(unhappy[customer]) + rng.normal(0, 1.5)), 0, 10))
        state.ledger.event("survey", customer, on, touchpoint="periodic", score=score,
                           channel="sms", direction="in")  # fmt: skip
    for customer, on in _days(state, month, _pick(state, active & w.business, 0.6)):
        state.ledger.event("account_review", customer, on, visit=bool(rng.random() < 0.7),
                           channel="visit", direction="out")  # fmt: skip


def _renewals(state: State, month: int, active: Flags) -> None:
    """From two months before its end on, a contract is renewed at a steady pace."""
    rng, w = state.rng, state.world
    ends_soon = last_day(month).toordinal() + 60
    open_now = active & (w.contract_end > 0) & (w.contract_end < ends_soon)
    for customer, on in _days(state, month, _pick(state, open_now, 0.32)):
        w.term[customer] = int(rng.choice([12, 24]))
        w.contract_start[customer] = on.toordinal()
        w.contract_end[customer] = on.toordinal() + int(w.term[customer]) * 365 // 12
        if rng.random() < 0.5:
            w.device_on[customer], w.instalments[customer] = on.toordinal(), 24000
        state.ledger.event("contract_renewal", customer, on, channel=_channel(state), direction="in",
                           contract_type=f"{w.term[customer]}m",
                           ends_on=date.fromordinal(int(w.contract_end[customer])))  # fmt: skip
        _version(state, customer, on)
    bigger = _pick(state, active & (w.plan > PREPAID) & (w.plan < 5), 0.004)
    for customer, on in _days(state, month, bigger):
        old, new = PLANS[w.plan[customer]], PLANS[w.plan[customer] + 1]
        w.plan[customer] += 1
        w.fee[customer] += new.fee - old.fee
        state.ledger.event("plan_change", customer, on, from_plan=old.code, to_plan=new.code,
                           move="up", channel=_channel(state), direction="in")  # fmt: skip
        _version(state, customer, on)


OFFERS = (("discount", 0.1), ("discount", 0.2), ("service_credit", 0.0), ("larger_plan", 0.0),
          ("renewal_gift", 0.0))  # fmt: skip


def _offers(state: State, month: int, active: Flags) -> None:
    """Calls some of the aggrieved; one in four is held out by lot to measure what the calls earn."""
    rng, w = state.rng, state.world
    unhappy = state.grievances.total() > 0.5
    accepted = np.zeros(w.size, bool)
    for customer, on in _days(
        state, month, _pick(state, active & unhappy & w.consent, 0.18), 10, 28
    ):
        if rng.random() < 1 / 4:
            state.ledger.event("retention_offer", customer, on, offer="none", result="control",
                               channel="system")  # fmt: skip
            continue
        offer, discount = OFFERS[int(rng.integers(0, len(OFFERS)))]
        # Acceptance has mean 0.3, as Beta(6, 14) of Verbraken et al. 2013; a discount sells better.
        result = rng.choice(["accepted", "declined", "no_answer"],
                            p=[0.22 + discount, 0.43 - discount, 0.35])  # fmt: skip
        accepted[customer] = result == "accepted"
        cost = 200 + (int(w.fee[customer] * discount * 12) or 2000) * (result == "accepted")
        state.ledger.event("retention_offer", customer, on, offer=offer, result=str(result),
                           discount_share=discount or "", cost=money(cost), channel="phone",
                           direction="out")  # fmt: skip
    state.grievances.soothe(accepted)
    state.silent &= ~accepted
