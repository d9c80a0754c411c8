"""Lists: made through the contact policy in one write, worked row by row, and measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from crmkit.entities import ContactRequest, Money, NewInteraction, Record
from crmkit.entities.interaction import CHANNELS
from crmkit.errors import NotFound, UsageError

from .candidates import Candidate, one_each
from .channels import ranked_channels
from .control import control_group
from .data import (
    ACCEPTED,
    ANSWERED,
    BLOCKED,
    CONTACT,
    CONTROL,
    DONE,
    LIST,
    NOT_TRIED,
    ROW,
    SOURCE,
    TODO,
)  # fmt: skip
from .uplift import difference

if TYPE_CHECKING:
    from crmkit.entities import ContactDecision
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm

# Rows that are written together.
BATCH = 10_000
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


class Lists:
    """The service ``outreach.lists``."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    def make(self, plan: Plan, candidates: Sequence[Candidate], *, tx: Tx | None = None) -> Record:
        """Makes a list: asks the policy for each candidate, draws the control group, takes places.

        Everything is one transaction under the customers' locks. Who may not be contacted is kept as
        a blocked row with the reason. The control group is drawn from those who may be contacted,
        so that it differs from the others by chance only; it takes no place.

        Raises:
            UsageError: if the list exists, or a number is out of its range.
            NotFound: for an unknown channel, purpose or kind of success.
        """
        if tx is None:
            with self._crm.store.begin("list make") as own:
                return self.make(plan, candidates, tx=own)
        self._check(plan, tx)
        survivors = self._crm.store.customers.survivors(
            {c.customer_id for c in candidates}, tx=tx
        )  # fmt: skip
        # All at once and in order: two lists over the same customers then wait and never block.
        tx.lock_customers({*survivors, *survivors.values()})
        survivors = self._crm.store.customers.survivors(survivors, tx=tx)
        self._check_name(plan.name, tx)  # somebody may have made it while this write waited
        chosen = one_each(candidates, survivors)
        counts: Counter[str] = Counter()
        eligible: list[_Row] = []
        for start in range(0, len(chosen), BATCH):
            judged = self._judge(plan, chosen[start : start + BATCH], tx)
            blocked = [row for row in judged if row.state == BLOCKED]
            eligible += [row for row in judged if row.state == TODO]
            counts[BLOCKED] += len(blocked)
            self._write(plan, blocked, tx)
        control = control_group(
            ((r.candidate.customer_id, r.candidate.stratum) for r in eligible),
            plan.control_share, plan.seed,
        )  # fmt: skip
        for start in range(0, len(eligible), BATCH):
            rows = self._take(plan, eligible[start : start + BATCH], control, tx)
            counts.update(row.state for row in rows)
            self._write(plan, rows, tx)
        values = {
            "title": plan.title or plan.name, "purpose": plan.purpose, "offer": plan.offer,
            "price": plan.price, "made_from": plan.made_from, "success": plan.success,
            "seed": plan.seed, "control_share": plan.control_share, "made_at": tx.at,
            "candidates": len(chosen), "treated": counts[TODO], "control": counts[CONTROL],
            "blocked": counts[BLOCKED],
        }  # fmt: skip
        return self._crm.store.records.set(LIST, source=SOURCE, ref=plan.name, values=values, tx=tx)

    def blocked(self, name: str, *, tx: Tx | None = None) -> dict[str, int]:
        """How many rows of a list each reason has blocked, the most frequent first."""
        self._crm.store.records.find(LIST, name, tx=tx)
        found = self._crm.store.records.read(
            ROW, ("code",), where={"list": name, "state": BLOCKED}, tx=tx
        )  # fmt: skip
        counts = Counter(code for (code,) in found)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def done(
        self, name: str, customer_id: int, outcome: str, *, note: str | None = None,
        tx: Tx | None = None,
    ) -> Record:  # fmt: skip
        """Files the outcome of a row: on the list, on the timeline and with the contact policy.

        ``not_tried`` gives the place back and logs nothing: nobody was contacted.

        Raises:
            NotFound: if the customer is not on the list.
            UsageError: if the row is not one to contact, or is done already.
        """
        if tx is None:
            with self._crm.store.begin("list done") as own:
                return self.done(name, customer_id, outcome, note=note, tx=own)
        tx.lock_customers([customer_id])
        ref = self._row_ref(name, customer_id, tx)
        row = self._crm.store.records.find(ROW, f"{SOURCE}:{ref}", tx=tx)
        values = row.values
        if values["state"] != TODO:
            raise UsageError(f"this row of {name} is {values['state']}, not to be contacted.")
        policy = self._crm.service("contact.policy")
        if outcome == NOT_TRIED:
            policy.release([values["slot"]], tx=tx)
        else:
            policy.made([values["slot"]], tx=tx)
            payload = {
                "list": name, "outcome": outcome, "offer": values["offer"], "note": note,
                "purpose": self._crm.store.records.find(LIST, name, tx=tx).values["purpose"],
            }  # fmt: skip
            self._crm.store.interactions.log(
                NewInteraction(
                    kind=CONTACT, occurred_at=tx.at, customer_id=customer_id, direction="out",
                    channel=values["channel"],
                    payload={k: v for k, v in payload.items() if v is not None},
                ),
                tx=tx,
            )  # fmt: skip
        filed = {"state": DONE, "outcome": outcome, "done_at": tx.at, "done_by": tx.actor}
        return self._crm.store.records.set(ROW, source=SOURCE, ref=ref, values=filed, tx=tx)

    def results(self, name: str, days: int = 30) -> list[dict[str, Any]]:
        """What a list has brought: both groups, and the difference with its 95 % interval.

        Success is an interaction of the list's kind within ``days`` after the list was made, for
        both groups alike and whether or not the customer was reached: those who could be reached
        differ from those who could not.

        Returns:
            Rows ``treated``, ``control`` and, where both have customers, ``uplift``: group,
            customers, answered, accepted, successes, rate (of the uplift the difference), low, high.
        """
        made = self._crm.store.records.find(LIST, name).values
        rows = self._crm.store.records.read(
            ROW, ("owner_id", "state", "outcome"), where={"list": name}
        )  # fmt: skip
        groups = {
            "treated": [(i, o) for i, state, o in rows if state in (TODO, DONE)],
            "control": [(i, o) for i, state, o in rows if state == CONTROL],
        }
        won = self._successful((i for i, _, _ in rows), made, days)
        out: list[dict[str, Any]] = []
        for group, found in groups.items():
            successes = None if won is None else sum(i in won for i, _ in found)
            out.append({
                "group": group, "customers": len(found),
                "answered": sum(o in ANSWERED for _, o in found),
                "accepted": sum(o == ACCEPTED for _, o in found), "successes": successes,
                "rate": successes / len(found) if found and successes is not None else None,
            })  # fmt: skip
        treated, control = ((row["successes"], row["customers"]) for row in out)
        if won is not None and treated[1] and control[1]:
            rate, low, high = difference(treated, control)
            out.append({"group": "uplift", "rate": rate, "low": low, "high": high})
        return out

    # --- making -------------------------------------------------------------------------------

    def _check(self, plan: Plan, tx: Tx) -> None:
        self._check_name(plan.name, tx)
        if not 0 <= plan.control_share <= 0.9:
            raise UsageError(f"a control group of {plan.control_share} is not from 0 to 0.9.")
        if not plan.channels:
            raise UsageError("a list needs a channel.")
        for channel in plan.channels:
            if channel not in CHANNELS:
                raise NotFound("channel", channel, CHANNELS)
        kinds = self._crm.catalog.interaction_kinds
        if plan.success is not None and plan.success not in kinds:
            raise NotFound("interaction kind", plan.success, kinds)
        if plan.price is not None and plan.offer is None:
            raise UsageError("a price needs an offer.")

    def _check_name(self, name: str, tx: Tx) -> None:
        if self._crm.store.records.read(LIST, ("id",), where={"ref": name}, tx=tx):
            raise UsageError(f"there is a list {name} already.", hint="Give another name.")

    def _judge(self, plan: Plan, candidates: Sequence[Candidate], tx: Tx) -> list[_Row]:
        """A row for each candidate: to do with its channel and time, or blocked with the reason."""
        people = [c.customer_id for c in candidates]
        members = self._crm.store.customers.members(people, tx=tx)
        channels = ranked_channels(self._crm, members, plan.channels, tx.at, tx)
        prices = self._other_prices(plan, members, tx)
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
        for turn in range(len(plan.channels)):
            asked = [c for c in left if turn < len(channels[c.customer_id])]
            decided = self._ask(plan, [(c, channels[c.customer_id][turn]) for c in asked], tx)
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

    def _ask(
        self, plan: Plan, asked: Sequence[tuple[Candidate, str]], tx: Tx
    ) -> list[ContactDecision]:
        """The policy's decisions; who is free soon is asked for that instant."""
        policy = self._crm.service("contact.policy")
        requests = [
            ContactRequest(
                customer_id=c.customer_id, channel=channel, purpose=plan.purpose, at=plan.at
            )
            for c, channel in asked
        ]
        decided: list[ContactDecision] = policy.ask(requests, tx=tx)
        latest = plan.at + timedelta(days=plan.within_days)
        soon = [
            i for i, d in enumerate(decided)
            if not d.allowed and d.free_at is not None and d.free_at <= latest
        ]  # fmt: skip
        again = [evolve(decided[i].request, at=decided[i].free_at or plan.at) for i in soon]
        for i, decision in zip(soon, policy.ask(again, tx=tx), strict=True):
            decided[i] = decision
        return decided

    def _other_prices(
        self, plan: Plan, members: dict[int, int], tx: Tx
    ) -> dict[int, tuple[str, str]]:
        """Customers to whom an open row of another list offers the same at another price."""
        if plan.offer is None:
            return {}
        found = self._crm.store.records.read(
            ROW, ("owner_id", "list", "price"), where={"offer": plan.offer, "state": TODO},
            among={"owner_id": members}, tx=tx,
        )  # fmt: skip
        return {
            members[owner]: (
                f"the list {name} offers {plan.offer} at {price or 'no stated price'}",
                f"名单{name}以{price or '未标价'}提供{plan.offer}",
            )
            for owner, name, price in found
            if price != plan.price
        }

    def _take(self, plan: Plan, rows: Sequence[_Row], control: set[int], tx: Tx) -> list[_Row]:
        """The rows with their places; those of the control group take none."""
        treated = [row for row in rows if row.candidate.customer_id not in control]
        requests = [
            ContactRequest(
                customer_id=row.candidate.customer_id, channel=str(row.channel),
                purpose=plan.purpose, at=row.at or plan.at,
            )
            for row in treated
        ]  # fmt: skip
        decided = self._crm.service("contact.policy").reserve(
            requests, taken_by=f"list {plan.name}", tx=tx
        )
        out = [
            evolve(_judged(row.candidate, decision), slot=decision.slot)
            for row, decision in zip(treated, decided, strict=True)
        ]
        return out + [
            evolve(row, state=CONTROL) for row in rows if row.candidate.customer_id in control
        ]

    def _write(self, plan: Plan, rows: Sequence[_Row], tx: Tx) -> None:
        if not rows:
            return
        own = ("state", "channel", "at", "code", "words", "words_zh", "free_at", "slot")
        values: dict[str, Sequence[Any]] = {n: [getattr(r, n) for r in rows] for n in own}
        values |= {
            "list": [plan.name] * len(rows),
            "why": [r.candidate.why[:500] for r in rows],
            "drawn_from": [r.candidate.source for r in rows],
            "value": [r.candidate.value for r in rows],
            "stratum": [r.candidate.stratum or None for r in rows],
            "offer": [plan.offer] * len(rows),
            "price": [plan.price] * len(rows),
        }
        people = [r.candidate.customer_id for r in rows]
        self._crm.store.records.put(
            ROW, source=SOURCE, refs=[f"{plan.name}:{i}" for i in people], owners=people,
            values=values, tx=tx,
        )  # fmt: skip

    # --- reading ------------------------------------------------------------------------------

    def _row_ref(self, name: str, customer_id: int, tx: Tx) -> str:
        """The row of a customer, also of one that was merged into it since."""
        self._crm.store.records.find(LIST, name, tx=tx)
        members = self._crm.store.customers.members([customer_id], tx=tx)
        rows = self._crm.store.records.read(
            ROW, ("ref",), where={"list": name}, among={"owner_id": members}, sort=["-state"], tx=tx
        )
        if not rows:
            raise NotFound(f"customer on the list {name}", str(customer_id))
        return str(rows[0][0])

    def _successful(
        self, people: Iterable[int], made: Mapping[str, Any], days: int
    ) -> set[int] | None:
        """Those who have done what counts as success in time; None if the list names nothing."""
        if made["success"] is None:
            return None
        store = self._crm.store
        wanted = set(people)
        survivors = store.customers.survivors(wanted)
        members = store.customers.members(set(survivors.values()))
        found = store.interactions.read(
            ("customer_id",), customers=members, kinds=[made["success"]], since=made["made_at"],
            until=made["made_at"] + timedelta(days=days),
        )  # fmt: skip
        won = {members[i] for (i,) in found}
        return {i for i in wanted if survivors[i] in won}


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
