"""Writes a chain's files: who the guests are, when they stayed, and what touchpoints noted of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from ..preference.catalogue import catalogue
from .calendar import AS_OF, TOMORROW, YEARS

HOUSES = (("HER", "Harbour House", "Lisbon"), ("MON", "Mountain Lodge", "Innsbruck"), ("CIT", "City Palace", "Vienna"))  # fmt: skip
GIVEN = ("Ada", "Ben", "Clara", "David", "Elena", "Felix", "Grace", "Hugo", "Ines", "Jonas", "Karin", "Leo", "Maya", "Nils", "Olga", "Paul", "Rosa", "Sami", "Tara", "Viktor", "Wei", "Yan")  # fmt: skip
FAMILY = ("Abbott", "Berg", "Castillo", "Dahl", "Evans", "Fischer", "Garcia", "Hansen", "Ivanov", "Jensen", "Keller", "Lind", "Moreau", "Novak", "Okafor", "Petrov", "Quinn", "Rossi", "Silva", "Tanaka", "Ueda", "Vogel", "Wang", "Young", "Zhang")  # fmt: skip
# What touchpoints can see, each code with the values that occur and who sees it.
SEEN = {
    "PIL_TYPE": (
        ("down", "feather", "memory_foam", "buckwheat", "latex"),
        "housekeeping_observation",
    ),
    "BED_LINEN": (("duvet", "blanket", "sheet"), "housekeeping_request"),
    "TOI_SCENT": (("unscented", "citrus", "lavender", "wood"), "housekeeping_observation"),
    "FLOOR_BAND": (("low", "mid", "high"), "check_in"),
    "VIEW": (("sea", "city", "garden", "courtyard"), "check_in"),
    "DRINK": (("green tea", "espresso", "still water", "red wine"), "fnb_order"),
    "BREAKFAST_TIME": (("06:30", "07:30", "08:30", "09:30"), "fnb_order"),
    "NEWSPAPER": (("local", "finance", "none"), "concierge_request"),
    "TURNDOWN": (("true", "false"), "housekeeping_request"),
    "TEMP_C": (("18", "20", "22", "24"), "housekeeping_observation"),
}
ALLERGIES = ("peanuts", "milk", "eggs", "fish")
CHANNELS = ("direct_web", "ota", "phone", "corporate", "agent")
# How touchpoints are: they note four of five true preferences of a stay, one note in fifteen is wrong,
# and at one stay in six something is noted that the guest has no liking for.
NOTED, WRONG, STRAY = 0.8, 1 / 15, 1 / 6
SAID = 0.03
# One guest in fifty comes every third week for a year, and some of them stay away since.
REGULAR, EVERY, AWAY = 50, 21, (10, 75, 150)
# Bookings that are kept both as they were made and as they ended, and lines that were marked.
RECENT = timedelta(days=120)
RESULTS, ODDS = ("met", "partly", "not_met"), (0.8, 0.1, 0.1)
# When the house asked its guests whether it may write to them.
CONSENTED = AS_OF - timedelta(days=YEARS * 365)
GUEST = ("guest", "name", "phone", "email", "birth_date", "home_market", "loyalty_no", "privacy_level", "vip_level", "marketing_consent", "consent_on", "occasion_consent")  # fmt: skip
BOOKING = ("reservation", "guest", "as_of", "property", "status", "arrival_on", "departure_on", "nights", "booked_on", "lead_days", "room_type", "rate_code", "adr", "channel", "commission", "deposit", "guaranteed", "adults", "children", "rooms", "purpose", "eta", "previous_stays", "repeat_guest", "cancelled_on", "room_no", "checked_in_at", "checked_out_on", "revenue_room", "revenue_fnb", "revenue_spa", "nps", "benefits_given")  # fmt: skip
NOTE = ("note", "kind", "guest", "reservation", "occurred_at", "code", "value", "mode", "holds", "severity", "solved", "in_house", "gesture", "next_stay", "nps", "touchpoint")  # fmt: skip
LINE = ("line", "reservation", "code", "value", "arrival_on", "department", "result", "reason")
TRUTH = ("guest", "code", "value", "stays", "duplicate_of")


def write_world(folder: Path, size: int, seed: int) -> None:
    """Every file of the chain, and the truth behind them."""
    rng = np.random.default_rng(seed)
    # Of their own, so that the other guests are the same with them and without.
    club, marks = (np.random.default_rng((seed, n)) for n in (1, 2))
    guests: list[Sequence[Any]] = []
    bookings: list[tuple[date, Sequence[Any]]] = []
    notes: list[tuple[str, Sequence[Any]]] = []
    requests: list[Sequence[Any]] = []
    truth: list[Sequence[Any]] = []
    lines: list[Sequence[Any]] = []
    for i in range(size):
        ref = f"G{i + 1:06d}"
        likes = _likes(rng)
        days = _stays(rng, i)
        twin = None
        guests.append(_guest(rng, i, ref))
        if i and rng.random() < 0.02:
            # Booked by somebody else under another spelling: the same person once more.
            twin = f"G{i + 1:06d}B"
            guests.append(_twin(guests[-1], twin))
        purpose = ("business", "leisure", "family")[rng.choice(3, p=[0.5, 0.35, 0.15])]
        _visits(rng, ref, likes, days, purpose, bookings, notes, requests)
        if i % REGULAR == 7:
            more = _regular(i, days)
            _visits(club, ref, likes, more, "business", bookings, notes, requests, len(days))
            days = [*days, *more]
        lines += _marked(marks, ref, likes, days)
        past = sum(day < AS_OF for day, _ in days)
        truth += [(ref, code, value, past, None) for code, value in likes.items()]
        if twin:
            truth.append((twin, None, None, 0, ref))
    _write(
        folder / "properties.csv",
        ("property", "name", "city", "rooms"),
        [(c, n, t, 220) for c, n, t in HOUSES],
    )
    _write(folder / "supply.csv", ("property", "code", "value", "quantity"), _supply())
    _write(folder / "guests.csv", GUEST, guests)
    bookings.sort(key=lambda row: (row[0], row[1][0]))
    _write(folder / "reservations.csv", BOOKING, [row for _, row in bookings])
    _write(
        folder / "requests.csv",
        ("request", "reservation", "as_of", "code", "value", "promise"),
        requests,
    )
    notes.sort(key=lambda row: row[0])
    numbered = [(f"N{n:07d}", *row) for n, (_, row) in enumerate(notes, 1)]
    _write(folder / "touchpoints.csv", NOTE, numbered)
    _write(folder / "preparations.csv", LINE, lines)
    _write(folder / "truth.csv", TRUTH, truth)


def _likes(rng: Any) -> dict[str, str]:
    """Two to four true preferences; one guest in twelve has an allergy, which they say."""
    codes = list(SEEN)
    chosen = rng.choice(len(codes), int(rng.integers(2, 5)), replace=False)
    likes = {codes[k]: SEEN[codes[k]][0][int(rng.integers(len(SEEN[codes[k]][0])))] for k in chosen}
    if rng.random() < 1 / 12:
        likes["FOOD_ALLERGY"] = ALLERGIES[int(rng.integers(len(ALLERGIES)))]
    return likes


def _stays(rng: Any, i: int) -> list[tuple[date, int]]:
    """Days of arrival with nights, oldest first; one guest in twelve arrives tomorrow."""
    count = int(rng.choice(7, p=[0.05, 0.2, 0.15, 0.2, 0.1, 0.2, 0.1]))
    ends = np.sort(rng.integers(5, YEARS * 365, count))[::-1]
    days = [(AS_OF - timedelta(days=int(d)), int(rng.integers(1, 5))) for d in ends]
    kept: list[tuple[date, int]] = []
    for day, nights in days:
        if not kept or day > kept[-1][0] + timedelta(days=kept[-1][1]):
            left = min(nights, (AS_OF - day).days - 1)
            kept.append((day, max(left, 1)))
    if i % 12 == 0:
        kept.append((TOMORROW, int(rng.integers(1, 5))))
    return kept


def _regular(i: int, days: Sequence[tuple[date, int]]) -> list[tuple[date, int]]:
    """Stays of three nights, where no other is, up to the days for which the guest stays away."""
    first, last = (
        AS_OF - timedelta(days=365),
        AS_OF - timedelta(days=AWAY[i // REGULAR % len(AWAY)]),
    )
    taken = {day + timedelta(days=n) for day, nights in days for n in range(-3, nights + 1)}
    found = (first + timedelta(days=n) for n in range(0, (last - first).days - 3, EVERY))
    return [(day, 3) for day in found if day not in taken]


def _marked(
    rng: Any, ref: str, likes: dict[str, str], days: Sequence[tuple[date, int]]
) -> Iterable[Sequence[Any]]:
    """What became of two likes at each recent stay."""
    codes = [code for code in likes if code in SEEN][:2]
    for number, (arrival, _) in enumerate(days):
        if not AS_OF - RECENT < arrival < AS_OF:
            continue
        for code in codes:
            result = RESULTS[int(rng.choice(len(RESULTS), p=ODDS))]
            key = f"R{ref[1:]}-{number + 1}"
            yield (
                f"{key}-{code}", key, code, likes[code], arrival, catalogue()[code].department,
                result, None if result == "met" else "not ready in time",
            )  # fmt: skip


def _guest(rng: Any, i: int, ref: str) -> Sequence[Any]:
    name = f"{GIVEN[int(rng.integers(len(GIVEN)))]} {FAMILY[int(rng.integers(len(FAMILY)))]}"
    born = date(1950, 1, 1) + timedelta(days=int(rng.integers(0, 20000)))
    level = rng.choice(3, p=[0.97, 0.02, 0.01])
    return (
        ref, name, f"+43660{2000000 + i}", f"g{i + 1}@example.com", born,
        ("AT", "DE", "PT", "GB", "US", "CN")[int(rng.integers(6))],
        f"L{700000 + i}" if rng.random() < 0.6 else None,
        ("normal", "room_secret", "presence_secret")[int(level)],
        "none" if rng.random() < 0.97 else str(int(rng.integers(1, 4))),
        _yes(rng.random() < 0.7), CONSENTED, _yes(rng.random() < 0.6),
    )  # fmt: skip


def _twin(guest: Sequence[Any], ref: str) -> Sequence[Any]:
    """The same person: a shortened given name, and the same phone, e-mail and birth date."""
    given, family = str(guest[1]).split(" ", 1)
    return (ref, f"{given[0]}. {family}", *guest[2:6], *guest[6:])


def _visits(
    rng: Any, ref: str, likes: dict[str, str], days: Sequence[tuple[date, int]], purpose: str,
    bookings: list[tuple[date, Sequence[Any]]], notes: list[tuple[str, Sequence[Any]]],
    requests: list[Sequence[Any]], first: int = 0,
) -> None:  # fmt: skip
    for number, (arrival, nights) in enumerate(days, first):
        key = f"R{ref[1:]}-{number + 1}"
        lead = int(rng.integers(1, 90))
        booked = arrival - timedelta(days=lead)
        to_come = arrival > AS_OF
        rate = 9000 + int(rng.integers(0, 12000))
        channel = CHANNELS[int(rng.integers(len(CHANNELS)))]
        common = (
            HOUSES[int(rng.integers(3))][0], "confirmed" if to_come else "checked_out", arrival,
            arrival + timedelta(days=nights), nights, booked, lead, "DBL", "BAR", _money(rate),
            channel, {"ota": 0.18, "agent": 0.1}.get(channel, 0), "none", "no",
            1 if purpose == "business" else 2, 2 if purpose == "family" else 0, 1, purpose,
            f"{14 + int(rng.integers(0, 8))}:00", number, _yes(number > 0), None,
        )  # fmt: skip
        if to_come:
            row = (key, ref, min(booked, AS_OF), *common, *(None,) * 8)
            if rng.random() < 0.3:
                requests.append(
                    (f"{key}-1", key, min(booked, AS_OF), "BALCONY", "true", "special_request")
                )
        else:
            out = arrival + timedelta(days=nights)
            row = (
                key, ref, out, *common, str(100 + int(rng.integers(0, 220))), f"{arrival}T15:00:00Z",
                out, _money(rate * nights), _money(int(rng.integers(0, 9000)) * nights),
                _money(int(rng.integers(0, 4000))), int(rng.integers(5, 11)), "yes",
            )  # fmt: skip
        bookings.append((row[2], row))
        if AS_OF - RECENT < arrival <= AS_OF:
            made = (key, ref, booked, common[0], "confirmed", *common[2:], *(None,) * 8)
            bookings.append((booked, made))
        said = arrival if not to_come else AS_OF
        if number == 0 and "FOOD_ALLERGY" in likes:
            notes.append(
                _note(
                    "statement", ref, key, said, "FOOD_ALLERGY", likes["FOOD_ALLERGY"], "declared"
                )
            )
        if not to_come:
            notes += _noted(rng, ref, key, arrival, nights, likes)


def _noted(
    rng: Any, ref: str, key: str, arrival: date, nights: int, likes: dict[str, str]
) -> Iterable[tuple[str, Sequence[Any]]]:
    """What the touchpoints of one stay noted, rightly and wrongly."""
    for code, value in likes.items():
        if code not in SEEN or rng.random() > NOTED:
            continue
        values, kind = SEEN[code]
        others = [v for v in values if v != value]
        seen = others[int(rng.integers(len(others)))] if rng.random() < WRONG else value
        day = arrival + timedelta(days=int(rng.integers(0, max(nights, 1))))
        mode = "observed"
        if rng.random() < SAID:
            kind, mode, seen = "statement", "declared", value
        yield _note(kind, ref, key, day, code, seen, mode)
    if rng.random() < STRAY:
        strange = [code for code in SEEN if code not in likes]
        code = strange[int(rng.integers(len(strange)))]
        values, kind = SEEN[code]
        yield _note(
            kind, ref, key, arrival, code, values[int(rng.integers(len(values)))], "observed"
        )
    if rng.random() < 0.04:
        solved = rng.random() < 0.8
        at = f"{arrival}T20:00:00Z"
        yield (
            at,
            (
                "complaint",
                ref,
                key,
                at,
                None,
                None,
                None,
                None,
                int(rng.integers(1, 5)),
                _yes(solved),
                "yes",
                None,
                None,
                None,
                None,
            ),
        )
        if solved:
            yield (
                f"{arrival}T20:20:00Z",
                (
                    "recovery_gesture",
                    ref,
                    key,
                    f"{arrival}T20:20:00Z",
                    None,
                    None,
                    None,
                    None,
                    None,
                    None,
                    None,
                    "fruit",
                    _yes(rng.random() < 0.2),
                    None,
                    None,
                ),
            )
    if rng.random() < 0.4:
        day = arrival + timedelta(days=nights)
        at = f"{day}T10:00:00Z"
        where = ("desk", "housekeeping", "restaurant", "spa")[int(rng.integers(4))]
        yield (
            at,
            (
                "survey",
                ref,
                key,
                at,
                None,
                None,
                None,
                None,
                None,
                None,
                None,
                None,
                None,
                int(rng.integers(4, 11)),
                where,
            ),
        )


def _note(
    kind: str, ref: str, key: str, day: date, code: str, value: str, mode: str
) -> tuple[str, Sequence[Any]]:
    at = f"{day}T18:00:00Z"
    return at, (
        kind,
        ref,
        key,
        at,
        code,
        value,
        mode,
        "yes",
        None,
        None,
        None,
        None,
        None,
        None,
        None,
    )


def _supply() -> Iterable[Sequence[Any]]:
    stock = {
        ("PIL_TYPE", "down"): 60, ("PIL_TYPE", "feather"): 40, ("PIL_TYPE", "memory_foam"): 25,
        ("PIL_TYPE", "buckwheat"): 8, ("PIL_TYPE", "latex"): 12, ("VIEW", "sea"): 30,
        ("VIEW", "city"): 60, ("VIEW", "garden"): 60, ("VIEW", "courtyard"): 70,
        ("FLOOR_BAND", "low"): 70, ("FLOOR_BAND", "mid"): 80, ("FLOOR_BAND", "high"): 70,
        ("BALCONY", "true"): 20,
    }  # fmt: skip
    for house, _, _ in HOUSES:
        for (code, value), quantity in stock.items():
            yield house, code, value, quantity


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _yes(flag: Any) -> str:
    return "yes" if flag else "no"


def _money(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"
