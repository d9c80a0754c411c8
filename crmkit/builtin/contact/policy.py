"""The contact policy: the one question that every list and every send asks (S5)."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from attrs import evolve, field, frozen

from crmkit.entities import ContactBatch, ContactBlock, ContactDecision, ContactRequest
from crmkit.entities.address import SHARED_BY_CHANNEL
from crmkit.errors import NotFound, UsageError

from .caps import free_day, reached_cap
from .consent import Consents, Entry, standing
from .data import BLOCK, SLOT, SOURCE
from .purposes import Purpose, read_purposes
from .quiet import day_start, is_quiet, local_day, quiet_end
from .reasons import QUIET, block_words, words
from .states import DO_NOT_CONTACT, GIVEN, WITHDRAWN

if TYPE_CHECKING:
    from crmkit.store.protection import Protection
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm

# Customers that are looked up together: enough that the cost of a query disappears.
BATCH = 10_000
RESERVED, MADE, RELEASED = "reserved", "made", "released"
COUNTED = (RESERVED, MADE)
REFUSED = (DO_NOT_CONTACT, WITHDRAWN)
PROTECTED = "protected"
# Nothing that is free only after so many turns of caps, blocks and quiet hours will be free.
_TURNS = 1_000


@frozen(kw_only=True)
class _Known:
    """What is known of the customers of a batch, by the one that each stands for now.

    Attributes:
        survivors: by the id asked for.
        now: what is said to hold from a later instant on counts for later contacts only.
        sharing: by customer and kind of contact point, the others at the same address.
        days: ordinals of the local days of the counted contacts, rising.
        taken: the day of each slot that a request has already.
        protections: by customer and local day.
    """

    survivors: Mapping[int, int]
    now: datetime
    sharing: Mapping[tuple[int, str], set[int]] = field(factory=dict, hash=False)
    taken: Mapping[str, int] = field(factory=dict, hash=False)
    protections: Mapping[tuple[int, date], Protection] = field(factory=dict, hash=False)
    zones: Mapping[int, ZoneInfo]
    said: Mapping[int, Sequence[Entry]]
    joined_at: Mapping[int, datetime]
    blocks: Mapping[int, Sequence[ContactBlock]]
    days: defaultdict[int, list[int]] = field(hash=False)

    def at_address(self, person: int, channel: str) -> set[int]:
        """The other customers whom a contact by this channel reaches at the same address."""
        return self.sharing.get((person, SHARED_BY_CHANNEL.get(channel, "")), set())


class ContactPolicy:
    """The service ``contact.policy``.

    What counts against a contact, in this order: the customer's own word, the protection of another
    agent's renewals, blocks, caps, quiet hours. Customers with one phone number or e-mail address
    are contacted there as one: the stricter word holds, and contacts count for each of them.
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
        self.lock({r.customer_id for r in requests}, tx)
        out: list[ContactDecision] = []
        for batch in _batches(requests):
            known = self._known(batch, purposes, tx)
            decided: list[ContactDecision] = []
            for request in batch:
                decision = self._decide(request, purposes[request.purpose], known)
                if decision.allowed:
                    person = decision.customer_id
                    day = local_day(request.at, known.zones[person]).toordinal()
                    for reached in (person, *known.at_address(person, request.channel)):
                        insort(known.days[reached], day)
                decided.append(decision)
            out += self._file(decided, known, RESERVED, taken_by, tx)
        return out

    def confirm(self, requests: Sequence[ContactRequest], *, tx: Tx) -> list[ContactDecision]:
        """Asks again for contacts that have their slot, at the instant at which each is made.

        An allowed one is counted as made at that instant; a refused one keeps its slot as it is.
        What was said after the instant does not count.

        Returns:
            One decision a request, in their order.

        Raises:
            NotFound, UsageError, PluginError: as :meth:`ask`; also without a slot.
        """
        purposes = self._purposes(requests, tx)
        self.lock({r.customer_id for r in requests}, tx)
        out: list[ContactDecision] = []
        for batch in _batches(requests):
            known = self._known(batch, purposes, tx)
            known = evolve(known, now=min(r.at for r in batch))
            out += [self._decide(r, purposes[r.purpose], known) for r in batch]
            self._place([d for d in out[-len(batch) :] if d.allowed], known, MADE, tx)
        return out

    def move(self, requests: Sequence[ContactRequest], *, tx: Tx) -> None:
        """Moves the slots of contacts that are made later to the day on which they are now planned."""
        if requests:
            known = self._known(requests, self._purposes(requests, tx), tx)
            moved = [
                ContactDecision(request=r, customer_id=known.survivors[r.customer_id])
                for r in requests
            ]
            self._place(moved, known, RESERVED, tx)

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
        self.lock({r.customer_id for r in requests}, tx)
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

    def works_renewals(self, purpose: str, *, tx: Tx | None = None) -> bool:
        """Whether contacts of a purpose work renewals, which may be another agent's alone.

        Raises:
            NotFound: for a purpose that does not exist.
        """
        purposes = read_purposes(self._crm, tx)
        if purpose not in purposes:
            raise NotFound("contact purpose", purpose, purposes)
        return purposes[purpose].protected

    # --- what is known ------------------------------------------------------------------------

    def _purposes(self, requests: Sequence[ContactRequest], tx: Tx | None) -> dict[str, Purpose]:
        purposes = read_purposes(self._crm, tx)
        for request in requests:
            if request.purpose not in purposes:
                raise NotFound("contact purpose", request.purpose, purposes)
            if request.at.tzinfo is None:
                raise UsageError(f"{request.at.isoformat()} has no time zone.", code="E_TYPE")
        return purposes

    def lock(self, ids: Iterable[int], tx: Tx) -> None:
        """Locks customers, those that they were merged into, and those at the same addresses.

        All are locked at once and in one order, so that two writes wait and never block each other;
        a customer who joined them meanwhile is locked after that.
        """
        asked, locked = set(ids), set[int]()
        while wanted := self._reached(asked, tx) - locked:
            tx.lock_customers(wanted)
            locked |= wanted

    def _reached(self, ids: set[int], tx: Tx) -> set[int]:
        """The customers, who they are now, and the others at the addresses of all that they are."""
        customers = self._crm.store.customers
        people = set(customers.survivors(ids, tx=tx).values())
        members = customers.members(people, tx=tx)
        others = {other for _, _, other in customers.sharing(members, tx=tx)}
        return ids | people | set(customers.survivors(others, tx=tx).values())

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
        sharing = self._sharing(members, tx)
        members |= self._crm.store.customers.members(
            {other for others in sharing.values() for other in others}, tx=tx
        )
        merged = {member for member, person in members.items() if member != person}
        days, taken = self._days(members, sharing, requests, purposes, tx)
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
            sharing=sharing,
            days=days,
            taken=taken,
            protections=self._protections(survivors, requests, purposes, tx),
        )

    def _sharing(
        self, members: Mapping[int, int], tx: Tx | None
    ) -> dict[tuple[int, str], set[int]]:
        """By customer and kind of contact point, the other customers with one address of that kind."""
        customers = self._crm.store.customers
        found = customers.sharing(members, tx=tx)
        others = customers.survivors({other for _, _, other in found}, tx=tx)
        out: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
        for member, kind, other in found:
            if others[other] != members[member]:
                out[members[member], kind].add(others[other])
        return dict(out)

    def _protections(
        self, survivors: Mapping[int, int], requests: Sequence[ContactRequest],
        purposes: Mapping[str, Purpose], tx: Tx | None,
    ) -> dict[tuple[int, date], Protection]:  # fmt: skip
        by_day: defaultdict[date, set[int]] = defaultdict(set)
        for r in requests:
            if r.agent is not None and purposes[r.purpose].protected:
                by_day[self._today(r.at)].add(survivors[r.customer_id])
        return {
            (person, day): held
            for day, people in by_day.items()
            for person, held in self._crm.ownership.protections(people, on=day, tx=tx).items()
        }

    def _today(self, at: datetime) -> date:
        """The day in the workspace's time zone, in which the protection of renewals counts."""
        return at.astimezone(ZoneInfo(self._crm.settings.time_zone)).date()

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
        self, members: Mapping[int, int], sharing: Mapping[tuple[int, str], set[int]],
        requests: Sequence[ContactRequest], purposes: Mapping[str, Purpose], tx: Tx | None,
    ) -> tuple[defaultdict[int, list[int]], dict[str, int]]:  # fmt: skip
        """The days of the contacts that count for each customer, and of the slots of the requests.

        A contact counts for everybody whom it reached: also for the others at its address.
        """
        found: defaultdict[int, list[int]] = defaultdict(list)
        taken: dict[str, int] = {}
        caps = [cap for r in {r.purpose for r in requests} for cap in purposes[r].caps]
        if not caps:
            return found, taken
        # A zone may be a day ahead of or behind UTC. Later contacts all count: they decide when
        # the customer is free again.
        reach = timedelta(days=1 + max(days for _, days in caps))
        between = {"day": (min(r.at for r in requests).date() - reach, date.max)}
        among = {"owner_id": members, "state": COUNTED}
        rows = self._crm.store.records.read(
            SLOT, ("owner_id", "day", "channel", "ref"), among=among, between=between, tx=tx
        )
        slots = {r.slot for r in requests if r.slot is not None}
        reaches: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
        for (person, kind), others in sharing.items():
            for other in others:
                reaches[other, kind].add(person)
        for owner, day, channel, ref in rows:
            person, ordinal = members[owner], day.toordinal()
            kind = SHARED_BY_CHANNEL.get(channel, "")
            for reached in (person, *reaches.get((person, kind), ())):
                found[reached].append(ordinal)
            if ref in slots:
                taken[ref] = ordinal
        for days in found.values():
            days.sort()
        return found, taken

    # --- judging ------------------------------------------------------------------------------

    def _decide(self, request: ContactRequest, purpose: Purpose, known: _Known) -> ContactDecision:
        person = known.survivors[request.customer_id]
        against = _word_against(request, purpose, known, person)
        if against is not None:
            code, (english, chinese) = against
            free_at = None  # only the customer can change it
        else:
            refusal = self._shut_out(request, purpose, known, person)
            refusal = refusal or _refusal(request, purpose, known, person)
            if refusal is None:
                return ContactDecision(request=request, customer_id=person, free_at=request.at)
            code, (english, chinese) = refusal
            free_at = _free_at(request, purpose, known, person)
            if code == PROTECTED:
                free_at = self._free_again(request, purpose, known, person)
        return ContactDecision(
            request=request, customer_id=person, code=code, words=english, words_zh=chinese,
            free_at=free_at,
        )  # fmt: skip

    def _shut_out(
        self, request: ContactRequest, purpose: Purpose, known: _Known, person: int
    ) -> tuple[str, tuple[str, str]] | None:
        """The code and words of the protection that keeps the agent from the customer, or None."""
        held = known.protections.get((person, self._today(request.at)))
        if held is None or request.agent is None or not purpose.protected:
            return None
        if not held.shuts_out(request.agent):
            return None
        return PROTECTED, words(PROTECTED, owner=held.owner, since=held.since_on, free=held.free_on)

    def _free_again(
        self, request: ContactRequest, purpose: Purpose, known: _Known, person: int
    ) -> datetime | None:
        """The first instant after the protection at which nothing else stands against it."""
        free_on = known.protections[person, self._today(request.at)].free_on
        if free_on is None:
            return None
        at = day_start(free_on, ZoneInfo(self._crm.settings.time_zone))
        return _free_at(evolve(request, at=at), purpose, known, person)

    # --- slots --------------------------------------------------------------------------------

    def _place(self, decided: Sequence[ContactDecision], known: _Known, state: str, tx: Tx) -> None:
        """Puts the slots of contacts at their instants, in a state."""
        if not decided:
            return
        slots = [d.request.slot for d in decided]
        owners = self._slot_owners([slot or "" for slot in slots], tx)
        self._crm.store.records.put(
            SLOT, source=SOURCE, refs=[str(slot) for slot in slots],
            owners=[owners[str(slot)] for slot in slots], tx=tx,
            values={
                "state": [state] * len(slots), "at": [d.request.at for d in decided],
                "day": [local_day(d.request.at, known.zones[d.customer_id]) for d in decided],
            },
        )  # fmt: skip

    def _slot_owners(self, slots: Sequence[str], tx: Tx) -> dict[str, int]:
        rows = self._crm.store.records.read(
            SLOT, ("ref", "owner_id"), where={"source": SOURCE}, among={"ref": slots}, tx=tx
        )
        owners: dict[str, int] = dict(rows)
        for missing in sorted(set(slots) - owners.keys()):
            raise NotFound("reserved contact", missing)
        return owners

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
        owners = self._slot_owners(slots, tx)
        self._crm.store.records.put(
            SLOT, source=SOURCE, refs=list(owners), owners=list(owners.values()),
            values={"state": [state] * len(owners)}, tx=tx,
        )  # fmt: skip
        return None


def count_blocked(decisions: Iterable[ContactDecision]) -> dict[str, int]:
    """How many contacts each reason has stopped, the most frequent first."""
    found = Counter(d.code for d in decisions if not d.allowed)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _counted(request: ContactRequest, known: _Known, person: int) -> Sequence[int]:
    """The days of the contacts that count beside this one."""
    days = known.days.get(person, ())
    own = known.taken.get(request.slot or "")
    if own is None:
        return days
    place = bisect_left(days, own)
    return [*days[:place], *days[place + 1 :]]


def _blocks(request: ContactRequest, known: _Known, person: int) -> list[ContactBlock]:
    """What blocks the customer, or somebody else whom the contact would reach at the address."""
    reached = (person, *sorted(known.at_address(person, request.channel)))
    return [block for one in reached for block in known.blocks.get(one, ())]


def _refusal(
    request: ContactRequest, purpose: Purpose, known: _Known, person: int
) -> tuple[str, tuple[str, str]] | None:
    """The code and the words of what stands against it beside the customer's own word, or None."""
    zone, at = known.zones[person], request.at
    for block in _blocks(request, known, person):
        if _stops(block, purpose) and _holds(block, at):
            return block.code, (block.words, block.words_zh or block.words)
    if purpose.caps:
        days = _counted(request, known, person)
        cap = reached_cap(days, local_day(at, zone).toordinal(), purpose.caps)
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
) -> tuple[str, tuple[str, str]] | None:
    """The code and words of what the customer, or another at the address, said against it."""
    if purpose.needs == "nothing":
        return None
    by_then = max(known.now, request.at)

    def state_of(who: int) -> str:
        said = [e for e in known.said.get(who, ()) if e.at <= by_then]
        return standing(said, request.channel, request.purpose, known.joined_at)

    named = {"purpose": purpose.name, "channel": request.channel}
    own = state_of(person)
    if own in REFUSED:
        return own, words(own, **named)
    others = {state_of(other) for other in known.at_address(person, request.channel)}
    for code in REFUSED:
        if code in others:
            return code, words(f"{code}_shared", **named)
    if purpose.needs == "consent" and own != GIVEN:
        return "no_consent", words("no_consent", **named)
    return None


def _free_at(
    request: ContactRequest, purpose: Purpose, known: _Known, person: int
) -> datetime | None:
    """The first instant from the one asked for at which nothing known stands against it."""
    zone, at = known.zones[person], request.at
    blocks = [b for b in _blocks(request, known, person) if _stops(b, purpose)]
    days = _counted(request, known, person)
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
    if block.code == DO_NOT_CONTACT and not block.purposes:
        return purpose.needs != "nothing"  # as far as the ledger's own "do not contact" goes
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
