"""The contact policy: the one question that every list and every send asks (S5)."""

from __future__ import annotations

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from attrs import evolve, field, frozen

from crmkit.entities import ContactBatch, ContactBlock, ContactDecision, ContactRequest
from crmkit.errors import NotFound, UsageError

from .caps import free_day, reached_cap
from .consent import DO_NOT_CONTACT, GIVEN, WITHDRAWN, Consents, Entry, standing
from .data import BLOCK, SLOT, SOURCE
from .purposes import Purpose, read_purposes
from .quiet import day_start, is_quiet, local_day, quiet_end
from .reasons import QUIET, block_words, words

if TYPE_CHECKING:
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm

# Customers that are looked up together: enough that the cost of a query disappears.
BATCH = 10_000
COUNTED = ("reserved", "made")
MADE, RELEASED = "made", "released"
# Nothing that is free only after so many turns of caps, blocks and quiet hours will be free.
_TURNS = 1_000


@frozen(kw_only=True)
class _Known:
    """What is known of the customers of a batch, by the one that each stands for now.

    Attributes:
        survivors: by the id asked for.
        now: what is said to hold from a later instant on counts for later contacts only.
        days: ordinals of the local days of the counted contacts, rising.
    """

    survivors: Mapping[int, int]
    now: datetime
    zones: Mapping[int, ZoneInfo]
    said: Mapping[int, Sequence[Entry]]
    joined_at: Mapping[int, datetime]
    blocks: Mapping[int, Sequence[ContactBlock]]
    days: defaultdict[int, list[int]] = field(hash=False)


class ContactPolicy:
    """The service ``contact.policy``.

    What counts against a contact, in this order: the customer's own word, blocks, caps, quiet hours.
    """

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._consents = Consents(crm)

    def ask(
        self, requests: Sequence[ContactRequest], *, tx: Tx | None = None
    ) -> list[ContactDecision]:
        """Whether each contact may be made, each judged by itself; nothing is taken.

        Returns:
            One decision a request, in their order.

        Raises:
            NotFound: for a customer or purpose that does not exist.
            UsageError: for an instant without time zone.
            PluginError: if a plugin that knows of blocks fails.
        """
        purposes = self._purposes(requests, tx)
        out: list[ContactDecision] = []
        for batch in _batches(requests):
            known = self._known(batch, purposes, tx)
            out += [self._decide(r, purposes[r.purpose], known) for r in batch]
        return out

    def reserve(
        self, requests: Sequence[ContactRequest], *, taken_by: str, tx: Tx | None = None
    ) -> list[ContactDecision]:
        """Takes the place of each contact that may be made, so that nobody else can.

        The customers are locked until the write ends. Requests are judged in their order; what was
        taken counts for the next one. Who calls it several times in one write asks for all the
        customers' locks before, with ``tx.lock_customers``, so that two writes cannot block each
        other.

        Args:
            taken_by: the list, campaign or person that takes it.
            tx: the open write; None is one of its own.

        Returns:
            One decision a request, in their order; allowed ones name their ``slot``.

        Raises:
            NotFound, UsageError, PluginError: as :meth:`ask`; then nothing is taken.
        """
        if tx is None:
            with self._crm.store.begin("contact reserve") as own:
                return self.reserve(requests, taken_by=taken_by, tx=own)
        purposes = self._purposes(requests, tx)
        self._lock({r.customer_id for r in requests}, tx)
        out: list[ContactDecision] = []
        for batch in _batches(requests):
            known = self._known(batch, purposes, tx)
            decided: list[ContactDecision] = []
            for request in batch:
                decision = self._decide(request, purposes[request.purpose], known)
                if decision.allowed:
                    zone = known.zones[decision.customer_id]
                    insort(
                        known.days[decision.customer_id], local_day(request.at, zone).toordinal()
                    )
                decided.append(decision)
            out += self._file(decided, known, "reserved", taken_by, tx)
        return out

    def log(
        self, requests: Sequence[ContactRequest], *, taken_by: str, tx: Tx | None = None
    ) -> list[str]:
        """Counts contacts that were made, whether they were allowed or not; their slots.

        For what happened outside: a call that a colleague made, a letter that another system sent.

        Raises:
            NotFound, UsageError: as :meth:`ask`.
        """
        if tx is None:
            with self._crm.store.begin("contact log") as own:
                return self.log(requests, taken_by=taken_by, tx=own)
        self._purposes(requests, tx)
        self._lock({r.customer_id for r in requests}, tx)
        survivors = self._survivors(requests, tx)
        known = _Known(
            survivors=survivors, now=tx.at, zones=self._zones(survivors.values(), tx), said={},
            joined_at={}, blocks={}, days=defaultdict(list),
        )  # fmt: skip
        made = [ContactDecision(request=r, customer_id=survivors[r.customer_id]) for r in requests]
        return [str(d.slot) for d in self._file(made, known, MADE, taken_by, tx)]

    def made(self, slots: Sequence[str], *, tx: Tx | None = None) -> None:
        """Says that reserved contacts were made. Raises NotFound for a slot that does not exist."""
        self._move(slots, MADE, tx)

    def release(self, slots: Sequence[str], *, tx: Tx | None = None) -> None:
        """Gives places back: the contact was not made and no longer counts."""
        self._move(slots, RELEASED, tx)

    # --- what is known ------------------------------------------------------------------------

    def _purposes(self, requests: Sequence[ContactRequest], tx: Tx | None) -> dict[str, Purpose]:
        purposes = read_purposes(self._crm, tx)
        for request in requests:
            if request.purpose not in purposes:
                raise NotFound("contact purpose", request.purpose, purposes)
            if request.at.tzinfo is None:
                raise UsageError(f"{request.at.isoformat()} has no time zone.", code="E_TYPE")
        return purposes

    def _lock(self, ids: set[int], tx: Tx) -> None:
        """Locks the customers and those that they were merged into, also while it waited."""
        locked: set[int] = set()
        while ids - locked:
            tx.lock_customers(ids - locked)
            locked |= ids
            ids = set(self._crm.store.customers.survivors(ids, tx=tx).values())

    def _survivors(self, requests: Sequence[ContactRequest], tx: Tx | None) -> dict[int, int]:
        wanted = {r.customer_id for r in requests}
        survivors = self._crm.store.customers.survivors(wanted, tx=tx)
        for missing in sorted(wanted - survivors.keys()):
            raise NotFound("customer", str(missing))
        return survivors

    def _zones(self, ids: Iterable[int], tx: Tx | None) -> dict[int, ZoneInfo]:
        own = self._crm.settings.time_zone
        found = self._crm.store.customers.time_zones(set(ids), tx=tx)
        return {i: _zone(zone or own, own) for i, zone in found.items()}

    def _known(
        self, requests: Sequence[ContactRequest], purposes: Mapping[str, Purpose], tx: Tx | None
    ) -> _Known:
        survivors = self._survivors(requests, tx)
        people = set(survivors.values())
        members = self._crm.store.customers.members(people, tx=tx)
        merged = members.keys() - people
        said: defaultdict[int, list[Entry]] = defaultdict(list)
        for member, entries in self._consents.entries(members, tx=tx).items():
            said[members[member]] += entries
        return _Known(
            survivors=survivors,
            now=self._crm.clock(),
            zones=self._zones(people, tx),
            said=said,
            joined_at=self._crm.store.merges.joined_at(merged, tx=tx) if merged else {},
            blocks=self._blocks(members, requests, tx),
            days=self._days(members, requests, purposes, tx),
        )

    def _blocks(
        self, members: Mapping[int, int], requests: Sequence[ContactRequest], tx: Tx | None
    ) -> Mapping[int, Sequence[ContactBlock]]:
        found: defaultdict[int, list[ContactBlock]] = defaultdict(list)
        names = ("owner_id", "code", "since", "until", "purposes")
        rows = self._crm.store.records.read(BLOCK, names, among={"owner_id": members}, tx=tx)
        for owner, code, since, until, purposes in rows:
            english, chinese = block_words(code)
            found[members[owner]].append(
                ContactBlock(
                    customer_id=owner, code=code, words=english, words_zh=chinese, since=since,
                    until=until, purposes=purposes or (),
                )
            )  # fmt: skip
        batch = ContactBatch(
            customers=tuple(sorted(members)), since=min(r.at for r in requests),
            until=max(r.at for r in requests), tx=tx,
        )  # fmt: skip
        for _, answer in self._crm.host.call_veto("block_contacts", crm=self._crm, batch=batch):
            for block in answer:
                # A plugin may know more customers than it was asked for.
                if block.customer_id in members:
                    found[members[block.customer_id]].append(block)
        return found

    def _days(
        self, members: Mapping[int, int], requests: Sequence[ContactRequest],
        purposes: Mapping[str, Purpose], tx: Tx | None,
    ) -> defaultdict[int, list[int]]:  # fmt: skip
        found: defaultdict[int, list[int]] = defaultdict(list)
        caps = [cap for r in {r.purpose for r in requests} for cap in purposes[r].caps]
        if not caps:
            return found
        # A zone may be a day ahead of or behind UTC. Later contacts all count: they decide when
        # the customer is free again.
        reach = timedelta(days=1 + max(days for _, days in caps))
        between = {"day": (min(r.at for r in requests).date() - reach, date.max)}
        among = {"owner_id": members, "state": COUNTED}
        rows = self._crm.store.records.read(
            SLOT, ("owner_id", "day"), among=among, between=between, tx=tx
        )
        for owner, day in rows:
            found[members[owner]].append(day.toordinal())
        for days in found.values():
            days.sort()
        return found

    # --- judging ------------------------------------------------------------------------------

    def _decide(self, request: ContactRequest, purpose: Purpose, known: _Known) -> ContactDecision:
        person = known.survivors[request.customer_id]
        code = _word_against(request, purpose, known, person)
        if code is not None:
            english, chinese = words(code, purpose=purpose.name, channel=request.channel)
            free_at = None  # only the customer can change it
        else:
            refusal = _refusal(request, purpose, known, person)
            if refusal is None:
                return ContactDecision(request=request, customer_id=person, free_at=request.at)
            code, (english, chinese) = refusal
            free_at = _free_at(request, purpose, known, person)
        return ContactDecision(
            request=request, customer_id=person, code=code, words=english, words_zh=chinese,
            free_at=free_at,
        )  # fmt: skip

    # --- slots --------------------------------------------------------------------------------

    def _file(
        self, decided: Sequence[ContactDecision], known: _Known, state: str, taken_by: str, tx: Tx
    ) -> list[ContactDecision]:
        taken = [d for d in decided if d.allowed]
        refs = iter(str(i) for i in tx.take_ids(len(taken)))
        decided = [evolve(d, slot=next(refs)) if d.allowed else d for d in decided]
        taken = [d for d in decided if d.allowed]
        if not taken:
            return decided
        asked = [d.request for d in taken]
        values: dict[str, Sequence[Any]] = {
            "channel": [r.channel for r in asked], "purpose": [r.purpose for r in asked],
            "at": [r.at for r in asked],
            "day": [local_day(d.request.at, known.zones[d.customer_id]) for d in taken],
            "state": [state] * len(taken), "taken_by": [taken_by] * len(taken),
        }  # fmt: skip
        self._crm.store.records.put(
            SLOT, source=SOURCE, refs=[str(d.slot) for d in taken],
            owners=[d.customer_id for d in taken], values=values, tx=tx,
        )  # fmt: skip
        return decided

    def _move(self, slots: Sequence[str], state: str, tx: Tx | None) -> None:
        if tx is None:
            with self._crm.store.begin(f"contact {state}") as own:
                return self._move(slots, state, own)
        records = self._crm.store.records
        rows = records.read(
            SLOT, ("ref", "owner_id"), where={"source": SOURCE}, among={"ref": slots}, tx=tx
        )
        owners: dict[str, int] = dict(rows)
        for missing in sorted(set(slots) - owners.keys()):
            raise NotFound("reserved contact", missing)
        records.put(
            SLOT, source=SOURCE, refs=list(owners), owners=list(owners.values()),
            values={"state": [state] * len(owners)}, tx=tx,
        )  # fmt: skip
        return None


def count_blocked(decisions: Iterable[ContactDecision]) -> dict[str, int]:
    """How many contacts each reason has stopped, the most frequent first."""
    found = Counter(d.code for d in decisions if not d.allowed)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _refusal(
    request: ContactRequest, purpose: Purpose, known: _Known, person: int
) -> tuple[str, tuple[str, str]] | None:
    """The code and the words of what stands against it beside the customer's own word, or None."""
    zone, at = known.zones[person], request.at
    for block in known.blocks.get(person, ()):
        if _stops(block, purpose) and _holds(block, at):
            return block.code, (block.words, block.words_zh or block.words)
    if purpose.caps:
        cap = reached_cap(known.days[person], local_day(at, zone).toordinal(), purpose.caps)
        if cap is not None:
            return f"cap_{cap[1]}", words("cap", most=cap[0], days=cap[1])
    if is_quiet(at, zone, purpose.quiet_from, purpose.quiet_until):
        return QUIET, words(
            QUIET, clock=f"{at.astimezone(zone):%H:%M}", begins=f"{purpose.quiet_from:%H:%M}",
            ends=f"{purpose.quiet_until:%H:%M}",
        )  # fmt: skip
    return None


def _word_against(
    request: ContactRequest, purpose: Purpose, known: _Known, person: int
) -> str | None:
    """The code of the customer's own word against it, or None."""
    if purpose.needs == "nothing":
        return None
    by_then = max(known.now, request.at)
    said = [e for e in known.said.get(person, ()) if e.at <= by_then]
    state = standing(said, request.channel, request.purpose, known.joined_at)
    if state in (DO_NOT_CONTACT, WITHDRAWN):
        return state
    return "no_consent" if purpose.needs == "consent" and state != GIVEN else None


def _free_at(
    request: ContactRequest, purpose: Purpose, known: _Known, person: int
) -> datetime | None:
    """The first instant from the one asked for at which nothing known stands against it."""
    zone, at = known.zones[person], request.at
    blocks = [b for b in known.blocks.get(person, ()) if _stops(b, purpose)]
    days = known.days.get(person, ())
    for _ in range(_TURNS):
        before = at
        for block in blocks:
            if _holds(block, at):
                if block.until is None:
                    return None
                at = block.until
        day = local_day(at, zone)
        free = free_day(days, day.toordinal(), purpose.caps)
        if free > day.toordinal():
            at = day_start(date.fromordinal(free), zone)
        at = quiet_end(at, zone, purpose.quiet_from, purpose.quiet_until)
        if at == before:
            return at
    return None


def _stops(block: ContactBlock, purpose: Purpose) -> bool:
    return purpose.name in block.purposes if block.purposes else purpose.blockable


def _holds(block: ContactBlock, at: datetime) -> bool:
    begun = block.since is None or block.since <= at
    return begun and (block.until is None or at < block.until)


@lru_cache(maxsize=1_000)
def _zone(name: str, otherwise: str) -> ZoneInfo:
    """The zone; of a customer whose zone no computer knows, that of the workspace."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # IsADirectoryError: "America" is a folder of zones
        return ZoneInfo(otherwise)


def _batches(requests: Sequence[ContactRequest]) -> Iterable[Sequence[ContactRequest]]:
    for start in range(0, len(requests), BATCH):
        yield requests[start : start + BATCH]
