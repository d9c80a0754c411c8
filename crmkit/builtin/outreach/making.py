"""Making a list: every candidate is asked of the contact policy, under the customers' locks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from crmkit.entities import ContactRequest, Money, Record
from crmkit.entities.address import SHARED_BY_CHANNEL
from crmkit.entities.interaction import CHANNELS
from crmkit.errors import NotFound, UsageError

from .candidates import Candidate, one_each
from .channels import ranked_channels
from .control import ControlGroup
from .data import BLOCKED, CONTROL, DONE, LIST, ROW, SOURCE, TODO

if TYPE_CHECKING:
    from crmkit.entities import ContactDecision
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm

# Customers of one write: other writers wait about a second for it.
BATCH = 2_000
# Refusals that another channel of the same customer may not meet.
OF_CHANNEL = ("withdrawn", "no_consent")


@frozen(kw_only=True)
class Plan:
    """What a list is for.

    Args:
        purpose: as the contact policy knows it. channels: allowed, the preferred first.
        at: when the customers are to be contacted.
        within_days: somebody who is free only later, but so soon, is planned for then.
        offer, price: what is offered, and for how much.
        control_share: share of those who may be contacted that is left alone.
        seed: decides who; success: kind of interaction that counts as success.
    """

    name: str
    made_from: str
    purpose: str = "marketing"
    channels: tuple[str, ...]
    at: datetime
    within_days: int = 1
    offer: str | None = None
    price: Money | None = None
    control_share: float = 0.0
    seed: int = 0
    success: str | None = None
    title: str = ""


@frozen(kw_only=True)
class _Row:
    """A row on its way into the list."""

    candidate: Candidate
    state: str = TODO
    channel: str | None = None
    at: datetime | None = None
    code: str | None = None
    words: str | None = None
    words_zh: str | None = None
    free_at: datetime | None = None
    slot: str | None = None


class Making:
    """One list on its way."""

    def __init__(self, crm: Crm, plan: Plan) -> None:
        self._crm, self._plan = crm, plan
        self._policy = crm.service("contact.policy")
        self._control = ControlGroup(plan.control_share, plan.seed)

    def run(self, candidates: Sequence[Candidate], *, tx: Tx | None = None) -> Record:
        """Makes the list: asks the policy for each candidate, draws the control group, takes places.

        Each batch of customers is one write under their locks, so that others can write in between;
        inside ``tx``, and in a dry run, everything is one write. Who may not be contacted is kept as
        a blocked row with the reason. The control group is drawn from those who may be contacted,
        so that it differs from the others by chance only; it takes no place.

        A list whose making was cut short goes on where it was when it is made again from the same.

        Returns:
            The list, with how many rows are in which state.

        Raises:
            UsageError: if the list exists, or a number is out of its range.
            NotFound: for an unknown channel, purpose or kind of success.
        """
        self.check()
        chosen = self._chosen(candidates, tx)
        if tx is None and (len(chosen) <= BATCH or self._crm.store.is_rehearsing):
            with self._crm.store.begin("list make") as own:
                return self._at_once(chosen, own)
        if tx is not None:
            return self._at_once(chosen, tx)
        with self._crm.store.begin("list make") as own:
            self._begin(own)
        for start in range(0, len(chosen), BATCH):
            with self._crm.store.begin("list make") as own:
                self._fill(chosen[start : start + BATCH], own)
        with self._crm.store.begin("list make") as own:
            return self._end(own)

    def _at_once(self, chosen: Sequence[Candidate], tx: Tx) -> Record:
        # All at once and in order: two lists over the same customers then wait and never block.
        self._policy.lock({c.customer_id for c in chosen}, tx)
        self._begin(tx)  # after the wait, in which somebody may have made it
        self._fill(chosen, tx)
        return self._end(tx)

    def _chosen(self, candidates: Sequence[Candidate], tx: Tx | None) -> Sequence[Candidate]:
        """One candidate for each customer that there is now."""
        people = {c.customer_id for c in candidates}
        return one_each(candidates, self._crm.store.customers.survivors(people, tx=tx))

    def _begin(self, tx: Tx) -> None:
        """Files the list, whose counts are missing until it is whole."""
        plan = self._plan
        if self._is_begun(tx):
            return
        values = {
            "title": plan.title or plan.name, "purpose": plan.purpose, "offer": plan.offer,
            "price": plan.price, "made_from": plan.made_from, "success": plan.success,
            "within_days": plan.within_days, "seed": plan.seed, "control_share": plan.control_share, "made_at": tx.at,
        }  # fmt: skip
        self._crm.store.records.set(LIST, source=SOURCE, ref=plan.name, values=values, tx=tx)

    def _is_begun(self, tx: Tx | None = None) -> bool:
        """Whether a making of this very list was cut short.

        Raises:
            UsageError: if there is another list of that name.
        """
        plan = self._plan
        names = ("candidates", "made_from", "purpose", "seed")
        found = self._crm.store.records.read(LIST, names, where={"ref": plan.name}, tx=tx)
        if found and found[0] != (None, plan.made_from, plan.purpose, plan.seed):
            raise UsageError(f"there is a list {plan.name} already.", hint="Give another name.")
        return bool(found)

    def _fill(self, chosen: Sequence[Candidate], tx: Tx) -> None:
        """Rows for some customers, who are locked until the write ends."""
        store = self._crm.store
        people = {c.customer_id for c in chosen}
        self._policy.lock(people, tx)
        survivors = store.customers.survivors(people, tx=tx)
        members = store.customers.members(set(survivors.values()), tx=tx)
        # Somebody may be there under another id, merged meanwhile, or from a making cut short.
        there = store.records.read(
            ROW, ("owner_id",), where={"list": self._plan.name}, among={"owner_id": members}, tx=tx
        )  # fmt: skip
        done = {members[owner] for (owner,) in there}
        wanted = [c for c in one_each(chosen, survivors) if c.customer_id not in done]
        judged = self._once_each(self._judge(wanted, tx), tx)
        eligible = [row for row in judged if row.state == TODO]
        control = self._control.draw(
            (r.candidate.customer_id, r.candidate.stratum) for r in eligible
        )
        self._write([row for row in judged if row.state == BLOCKED], tx)
        self._write(self._take(eligible, control, tx), tx)

    def _end(self, tx: Tx) -> Record:
        """Counts the rows, which makes the list whole."""
        rows = self._crm.store.records.read(ROW, ("state",), where={"list": self._plan.name}, tx=tx)
        counts = Counter(state for (state,) in rows)
        values = {
            "candidates": len(rows), "treated": counts[TODO] + counts[DONE],
            "control": counts[CONTROL], "blocked": counts[BLOCKED],
        }  # fmt: skip
        return self._crm.store.records.set(
            LIST, source=SOURCE, ref=self._plan.name, values=values, tx=tx
        )

    def check(self) -> None:
        """Refuses a plan that cannot be carried out, before candidates are looked for.

        Raises:
            UsageError: if a number is out of its range or the list exists otherwise made.
            NotFound: for an unknown channel or kind of success.
        """
        if not 0 <= self._plan.control_share <= 0.9:
            raise UsageError(f"a control group of {self._plan.control_share} is not from 0 to 0.9.")
        if not self._plan.channels:
            raise UsageError("a list needs a channel.")
        for channel in self._plan.channels:
            if channel not in CHANNELS:
                raise NotFound("channel", channel, CHANNELS)
        kinds = self._crm.catalog.interaction_kinds
        if self._plan.success is not None and self._plan.success not in kinds:
            raise NotFound("interaction kind", self._plan.success, kinds)
        if self._plan.price is not None and self._plan.offer is None:
            raise UsageError("a price needs an offer.")
        self._is_begun()

    def _judge(self, candidates: Sequence[Candidate], tx: Tx) -> list[_Row]:
        """A row for each candidate: to do with its channel and time, or blocked with the reason."""
        people = [c.customer_id for c in candidates]
        members = self._crm.store.customers.members(people, tx=tx)
        channels = ranked_channels(self._crm, members, self._plan.channels, tx.at, tx)
        prices = self._other_prices(members, tx)
        rows: dict[int, _Row] = {}
        left: list[Candidate] = []
        for candidate in candidates:
            person = candidate.customer_id
            if person in prices:
                rows[person] = _blocked(candidate, "other_price", *prices[person])
            elif not channels[person]:
                rows[person] = _blocked(
                    candidate, "unreachable", "no channel of the list reaches the customer",
                    "名单的渠道均无法联系到客户",
                )  # fmt: skip
            else:
                left.append(candidate)
        for turn in range(len(self._plan.channels)):
            asked = [c for c in left if turn < len(channels[c.customer_id])]
            decided = self._ask([(c, channels[c.customer_id][turn]) for c in asked], tx)
            left = []
            for candidate, decision in zip(asked, decided, strict=True):
                row = _judged(candidate, decision)
                # The first refusal is shown: it is that of the channel that suits best.
                if row.state == TODO:
                    rows[candidate.customer_id] = row
                else:
                    rows.setdefault(candidate.customer_id, row)
                    if decision.code in OF_CHANNEL:
                        left.append(candidate)
        return [rows[person] for person in people]

    def _ask(self, asked: Sequence[tuple[Candidate, str]], tx: Tx) -> list[ContactDecision]:
        """The policy's decisions; who is free soon is asked for that instant."""
        requests = [
            ContactRequest(
                customer_id=c.customer_id, channel=channel, purpose=self._plan.purpose,
                at=self._plan.at, agent=tx.actor,
            )
            for c, channel in asked
        ]  # fmt: skip
        decided: list[ContactDecision] = self._policy.ask(requests, tx=tx)
        latest = self._plan.at + timedelta(days=self._plan.within_days)
        soon = [
            i for i, d in enumerate(decided)
            if not d.allowed and d.free_at is not None and d.free_at <= latest
        ]  # fmt: skip
        again = [evolve(decided[i].request, at=decided[i].free_at or self._plan.at) for i in soon]
        for i, decision in zip(soon, self._policy.ask(again, tx=tx), strict=True):
            decided[i] = decision
        return decided

    def _once_each(self, rows: Sequence[_Row], tx: Tx) -> list[_Row]:
        """The rows with those blocked whose customer another row of the list reaches already.

        Two customers with one phone number or e-mail address are contacted there once: the first
        that may be contacted, in the order of the candidates.
        """
        customers = self._crm.store.customers
        people = {r.candidate.customer_id for r in rows if r.state == TODO}
        members = customers.members(people, tx=tx)
        found = customers.sharing(members, tx=tx)
        survivors = customers.survivors({other for _, _, other in found}, tx=tx)
        sharing: defaultdict[int, set[tuple[str, int]]] = defaultdict(set)
        for member, kind, other in found:
            sharing[members[member]].add((kind, survivors[other]))
        reached = self._reached({other for shared in sharing.values() for _, other in shared}, tx)
        out = []
        for row in rows:
            person, kind = row.candidate.customer_id, SHARED_BY_CHANNEL.get(row.channel or "", "")
            if row.state == TODO and any(
                shared in (kind, reached[other])
                for shared, other in sharing[person]
                if other in reached and other != person
            ):
                row = _blocked(
                    row.candidate, "same_address",
                    "another customer of the list is contacted at the same address",
                    "名单中已有同一联系地址的客户",
                )  # fmt: skip
            elif row.state == TODO:
                reached[person] = kind
            out.append(row)
        return out

    def _reached(self, people: set[int], tx: Tx) -> dict[int, str]:
        """Of these customers those on the list, with the kind of address of their row's channel."""
        members = self._crm.store.customers.members(people, tx=tx)
        found = self._crm.store.records.read(
            ROW, ("owner_id", "channel"), where={"list": self._plan.name},
            among={"owner_id": members, "state": (TODO, DONE, CONTROL)}, tx=tx,
        )  # fmt: skip
        return {
            members[owner]: SHARED_BY_CHANNEL.get(channel or "", "") for owner, channel in found
        }

    def _other_prices(self, members: dict[int, int], tx: Tx) -> dict[int, tuple[str, str]]:
        """Customers to whom an open row of another list offers the same at another price."""
        if self._plan.offer is None:
            return {}
        found = self._crm.store.records.read(
            ROW, ("owner_id", "list", "price"), where={"offer": self._plan.offer, "state": TODO},
            among={"owner_id": members}, tx=tx,
        )  # fmt: skip
        return {
            members[owner]: (
                f"the list {name} offers {self._plan.offer} at {price or 'no stated price'}",
                f"名单{name}以{price or '未标价'}提供{self._plan.offer}",
            )
            for owner, name, price in found
            if price != self._plan.price
        }

    def _take(self, rows: Sequence[_Row], control: set[int], tx: Tx) -> list[_Row]:
        """The rows with their places; those of the control group take none."""
        treated = [row for row in rows if row.candidate.customer_id not in control]
        requests = [
            ContactRequest(
                customer_id=row.candidate.customer_id, channel=str(row.channel),
                purpose=self._plan.purpose, at=row.at or self._plan.at, agent=tx.actor,
            )
            for row in treated
        ]  # fmt: skip
        decided = self._policy.reserve(requests, taken_by=f"list {self._plan.name}", tx=tx)
        out = [
            evolve(_judged(row.candidate, decision), slot=decision.slot)
            for row, decision in zip(treated, decided, strict=True)
        ]
        return out + [
            evolve(row, state=CONTROL) for row in rows if row.candidate.customer_id in control
        ]

    def _write(self, rows: Sequence[_Row], tx: Tx) -> None:
        if not rows:
            return
        own = ("state", "channel", "at", "code", "words", "words_zh", "free_at", "slot")
        values: dict[str, Sequence[Any]] = {n: [getattr(r, n) for r in rows] for n in own}
        values |= {
            "list": [self._plan.name] * len(rows),
            "why": [r.candidate.why[:500] for r in rows],
            "drawn_from": [r.candidate.source for r in rows],
            "value": [r.candidate.value for r in rows],
            "stratum": [r.candidate.stratum or None for r in rows],
            "offer": [self._plan.offer] * len(rows),
            "price": [self._plan.price] * len(rows),
        }
        people = [r.candidate.customer_id for r in rows]
        self._crm.store.records.put(
            ROW, source=SOURCE, refs=[f"{self._plan.name}:{i}" for i in people], owners=people,
            values=values, tx=tx,
        )  # fmt: skip


def _blocked(candidate: Candidate, code: str, words: str, words_zh: str) -> _Row:
    return _Row(candidate=candidate, state=BLOCKED, code=code, words=words, words_zh=words_zh)


def _judged(candidate: Candidate, decision: ContactDecision) -> _Row:
    row = _Row(candidate=candidate, channel=decision.request.channel, at=decision.request.at)
    if decision.allowed:
        return row
    return evolve(
        row, state=BLOCKED, code=decision.code, words=decision.words, words_zh=decision.words_zh,
        free_at=decision.free_at,
    )  # fmt: skip
