"""What evidence teaches of one guest's preferences: a pure function of facts and a day.

Confidence that a value holds is the share of evidence for it, each piece weighed by how it was
learnt and faded by half a year after year, with one imagined piece on either side:

    (1 + sum of w * 2^(-age/365) for) / (2 + the same sum for and against)

Weights: said 4, served and praised 2, seen 1, guessed 0.5 (hotel brief, section 3). Choosing another
value of a code that holds one value speaks against this one. What is said outranks what was learnt
until it is 730 days old or was contradicted twice. What the guest wants avoided is held as such: it
speaks against its own value alone, and serving that value speaks against the wish. A value seen on two of the guest's last three
stays is learnt, and three opposite choices in a row retire it (H-R3). A refusal deletes what is known
of a code and blocks learning it again, until the guest says otherwise (H-R4).

Order of arrival does not matter: facts are taken by day and number, so learning one by one and all
at once give the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from attrs import evolve, field, frozen

from .catalogue import Code, catalogue

WEIGHTS = {"declared": 4.0, "praised": 2.0, "observed": 1.0, "inferred": 0.5}
HALF_LIFE_DAYS = 365
STALE_DAYS = 730
CONTRADICTIONS = 2
SEEN_ON, OF_STAYS, OPPOSITE = 2, 3, 3
PREPARE, ASK = 0.6, 0.4
ANY, CHAIN = "any", "chain"
AVOID = "avoid"


@frozen(kw_only=True)
class Evidence:
    """One fact about a preference.

    Attributes:
        stay: the reservation it belongs to, or a text that tells its day.
        holds: False where the guest sent it away or chose otherwise.
        number: orders facts of one day.
    """

    code: str
    value: str
    on: date
    stay: int | str
    mode: str = "observed"
    holds: bool = True
    purpose: str = ANY
    property: str = CHAIN
    touchpoint: str = ""
    staff: str = ""
    strength: str = ""
    share: bool | None = None
    note: str | None = None
    number: int = 0


@frozen(kw_only=True)
class Refusal:
    """From this day on nothing is kept of a code."""

    code: str
    on: date
    number: int = 0


@frozen(kw_only=True)
class Belief:
    """What is held of one value of a code, for one trip purpose and scope."""

    code: str
    value: str | None
    purpose: str
    scope: str
    status: str
    mode: str
    strength: str
    confidence: float
    weight_for: float
    weight_against: float
    n_for: int
    n_against: int
    contradicted: int
    observed_on: date | None
    last_confirmed_on: date | None
    touchpoint: str = ""
    staff: str = ""
    share: bool = True
    note: str | None = field(default=None, repr=False)

    @property
    def key(self) -> tuple[str, str | None, str, str]:
        """What tells beliefs of a guest apart."""
        return self.code, self.value, self.purpose, self.scope


def confidence(weight_for: float, weight_against: float) -> float:
    """The share of evidence for a value, with one imagined piece on either side.

    Example:
        >>> round(confidence(4.0, 0.0), 3)
        0.833
    """
    return (1 + weight_for) / (2 + weight_for + weight_against)


def faded(days: int, fades: bool = True) -> float:
    """What is left of a piece of evidence after some days: half after a year.

    Example:
        >>> faded(365), faded(730, fades=False)
        (0.5, 1.0)
    """
    return 2.0 ** (-max(days, 0) / HALF_LIFE_DAYS) if fades else 1.0


def believe(
    evidence: Iterable[Evidence],
    stays: Sequence[tuple[date, int | str, str]],
    refusals: Iterable[Refusal],
    on: date,
) -> list[Belief]:
    """Everything held of one guest on a day.

    Args:
        evidence: facts until that day, in any order; codes that the catalogue lacks are passed over.
        stays: day of arrival, reservation and trip purpose of each stay that took place.
        refusals: codes of which nothing is to be kept.
        on: the day; later facts are not looked at.

    Returns:
        One belief for each code, value, purpose and scope that was told of, and one with the status
        ``refused`` for each refused code; by code, value, purpose and scope.
    """
    codes = catalogue()
    blocked = _blocked(refusals, on)
    groups: dict[tuple[str, str, str], list[Evidence]] = defaultdict(list)
    said_again: set[str] = set()
    for fact in sorted(evidence, key=lambda e: (e.on, e.number)):
        code = codes.get(fact.code)
        if code is None or fact.on > on:
            continue
        fact = evolve(fact, value=code.normal(fact.value))
        since = blocked.get(fact.code)
        if since is not None:
            # Only the guest's own later word lifts the block.
            if (fact.on, fact.number) <= since or not (
                fact.mode == "declared" or fact.code in said_again
            ):
                continue
            said_again.add(fact.code)
        scope = fact.property if code.scope == "property" else CHAIN
        groups[fact.code, fact.purpose, scope].append(fact)
    found = [_refused(code) for code in blocked if code not in said_again]
    for (name, purpose, scope), facts in groups.items():
        visited = [s for s in stays if s[0] <= on and purpose in (ANY, s[2])]
        found += _of_group(codes[name], purpose, scope, facts, visited, on)
    return sorted(found, key=lambda b: (b.code, b.value or "", b.purpose, b.scope))


def _blocked(refusals: Iterable[Refusal], on: date) -> dict[str, tuple[date, int]]:
    out: dict[str, tuple[date, int]] = {}
    for refusal in refusals:
        if refusal.on <= on:
            last = (refusal.on, refusal.number)
            out[refusal.code] = max(last, out.get(refusal.code, last))
    return out


def _of_group(
    code: Code, purpose: str, scope: str, facts: Sequence[Evidence],
    stays: Sequence[tuple[date, int | str, str]], on: date,
) -> list[Belief]:  # fmt: skip
    values = list(dict.fromkeys(fact.value for fact in facts))
    return [_belief(code, value, purpose, scope, facts, stays, on) for value in values]


def _side(code: Code, value: str, fact: Evidence, avoided: bool) -> int:
    """1 for the value (or for avoiding it), -1 against it, 0 where the fact says nothing of it."""
    unwanted = fact.strength == AVOID or not fact.holds
    if fact.value == value:
        return 1 if unwanted == avoided else -1
    return 0 if avoided or code.many or unwanted else -1


def _belief(
    code: Code, value: str, purpose: str, scope: str, facts: Sequence[Evidence],
    stays: Sequence[tuple[date, int | str, str]], on: date,
) -> Belief:  # fmt: skip
    words = [f for f in facts if f.value == value and f.mode == "declared" and f.holds]
    avoided = bool(words) and words[-1].strength == AVOID
    told = [(fact, side) for fact in facts if (side := _side(code, value, fact, avoided))]
    pro = [fact for fact, side in told if side == 1]
    contra = [fact for fact, side in told if side == -1]
    fades = code.fades and not avoided
    weigh = {
        side: sum(WEIGHTS[f.mode] * faded((on - f.on).days, fades) for f in those)
        for side, those in ((1, pro), (-1, contra))
    }
    said = [fact for fact in pro if fact.mode == "declared"]
    against = [f for f in contra if said and (f.on, f.number) > (said[-1].on, said[-1].number)]
    first, last = (pro[0], pro[-1]) if pro else (None, None)
    mode = max((f.mode for f in pro), key=lambda m: WEIGHTS[m], default="observed")
    return Belief(
        code=code.code, value=value, purpose=purpose, scope=scope,
        status=_status(code, value, told, said, against, stays, on, fades),
        mode="observed" if mode == "praised" else mode,
        strength=AVOID if avoided else next((f.strength for f in reversed(pro) if f.strength), "preferred"),
        confidence=confidence(weigh[1], weigh[-1]),
        weight_for=weigh[1], weight_against=weigh[-1], n_for=len(pro), n_against=len(contra),
        contradicted=len(against),
        observed_on=first.on if first else None, last_confirmed_on=last.on if last else None,
        touchpoint=first.touchpoint if first else "", staff=first.staff if first else "",
        share=all(fact.share is not False for fact in pro),
        note=next((f.note for f in reversed(pro) if f.note), None),
    )  # fmt: skip


def _status(
    code: Code, value: str, told: Sequence[tuple[Evidence, int]], said: Sequence[Evidence],
    against: Sequence[Evidence], stays: Sequence[tuple[date, int | str, str]], on: date, fades: bool,
) -> str:  # fmt: skip
    # Another value said later, or the guest's own word against it, takes its place.
    if said and any(fact.mode == "declared" for fact in against):
        return "retired"
    # Logged before values were checked: nobody can prepare it, so the guest is asked.
    if not code.takes(value):
        return "ask"
    if said:
        old = fades and (on - said[-1].on).days >= STALE_DAYS
        return "ask" if old or len(against) >= CONTRADICTIONS else "declared"
    return _learnt(told, stays)


def _learnt(
    told: Sequence[tuple[Evidence, int]], stays: Sequence[tuple[date, int | str, str]]
) -> str:
    """H-R3, walked through the facts in their order."""
    arrivals = {stay: arrived for arrived, stay, _ in stays}
    seen: list[tuple[date, int | str]] = []
    status, opposite = "candidate", 0
    for fact, side in told:
        if side == -1:
            opposite += 1
            if opposite >= OPPOSITE:
                status, seen = "retired", []
            continue
        opposite = 0
        arrived = arrivals.get(fact.stay, fact.on)
        if fact.stay not in [stay for _, stay in seen]:
            seen.append((arrived, fact.stay))
        # The stays up to this one, those without a word of it counted too.
        until = {stay: day for stay, day in arrivals.items() if day <= arrived}
        until |= {stay: day for day, stay in seen}
        last = sorted(until, key=lambda stay: (until[stay], str(stay)))[-OF_STAYS:]
        if sum(stay in last for _, stay in seen) >= SEEN_ON:
            status = "learnt"
    return status


def _refused(code: str) -> Belief:
    return Belief(
        code=code, value=None, purpose=ANY, scope=CHAIN, status="refused", mode="observed",
        strength="preferred", confidence=0.0, weight_for=0.0, weight_against=0.0, n_for=0,
        n_against=0, contradicted=0, observed_on=None, last_confirmed_on=None,
    )  # fmt: skip


def ready(beliefs: Sequence[Belief], purpose: str) -> list[Belief]:
    """What is prepared for a trip of a purpose: said before learnt, one value of a code that has one.

    Args:
        beliefs: of one guest, as of the day of preparing.
        purpose: of the trip; ``unknown`` and ``any`` take every purpose.
    """
    of_trip = [
        b
        for b in beliefs
        if b.status in ("declared", "learnt")
        and b.strength != AVOID
        and b.confidence >= PREPARE
        and (purpose in ("any", "unknown") or b.purpose in (ANY, "unknown", purpose))
    ]
    ordered = sorted(of_trip, key=lambda b: (b.status != "declared", -b.confidence, b.value or ""))
    out: list[Belief] = []
    for belief in ordered:
        code = catalogue()[belief.code]
        taken = [b for b in out if b.code == belief.code]
        if taken and (not code.many or belief.value in [b.value for b in taken]):
            continue
        others = [b for b in out if catalogue()[b.code].group == code.group]
        if code.required or sum(not catalogue()[b.code].required for b in others) < code.most:
            out.append(belief)
    return sorted(out, key=lambda b: b.code)
