"""Lists: made through the contact policy in one write, worked row by row, and measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import frozen

from crmkit.entities import ContactRequest, NewInteraction, Record
from crmkit.errors import NotFound, NotPermitted, UsageError

from .candidates import Candidate
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
from .making import Making, Plan
from .review import NEEDED, PROTECTED, Review
from .uplift import difference

if TYPE_CHECKING:
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm

# Rows that are asked together until one may be worked.
AT_ONCE = 1_000


@frozen(kw_only=True)
class Following:
    """What is to be worked next on a list.

    Attributes:
        ref: the key of the row; None if none is due.
        turned: rows that were blocked on the way, with their reason.
        passed_over: due rows whose renewals are another agent's.
        later: when the next row is due that is not yet and may then be contacted.
    """

    ref: str | None
    turned: Sequence[Mapping[str, Any]]
    passed_over: int
    later: datetime | None


@frozen
class _First:
    """The first row that may be contacted, and what was met before it."""

    row: Mapping[str, Any] | None
    refused: Sequence[str]
    passed_over: int


class Lists:
    """The service ``outreach.lists``."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    def make(self, plan: Plan, candidates: Sequence[Candidate], *, tx: Tx | None = None) -> Record:
        """Makes a list; see :meth:`crmkit.builtin.outreach.making.Making.run`."""
        return Making(self._crm, plan).run(candidates, tx=tx)

    def check(self, plan: Plan) -> None:
        """Refuses a plan; see :meth:`crmkit.builtin.outreach.making.Making.check`."""
        Making(self._crm, plan).check()

    def blocked(self, name: str, *, tx: Tx | None = None) -> dict[str, int]:
        """How many rows of a list each reason has blocked, the most frequent first."""
        found = self.rows(name, ("code",), state=BLOCKED, tx=tx)
        counts = Counter(row["code"] for row in found)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def rows(
        self, name: str, names: Sequence[str], *, state: str | None = None,
        sort: Sequence[str] = (), limit: int | None = None, tx: Tx | None = None,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """The rows of a list as they stand now: those to do are asked of the policy anew.

        Args:
            names: columns of ``outreach.row``. state: only these rows. limit: at most so many.

        Raises:
            NotFound: if there is no such list.
        """
        self._crm.store.records.find(LIST, name, tx=tx)
        where: dict[str, Any] = {"list": name}
        if state in (TODO, DONE, CONTROL):
            where["state"] = state
        # What is to do may turn out to be blocked, so what is read is more than what is wanted.
        most = limit if state in (None, DONE, CONTROL) else None
        read = list(dict.fromkeys((*names, *NEEDED)))
        found = self._crm.store.records.read(ROW, read, where=where, sort=sort, limit=most, tx=tx)
        rows: list[dict[str, Any]] = []
        for start in range(0, len(found), AT_ONCE):
            batch = [dict(zip(read, row, strict=True)) for row in found[start : start + AT_ONCE]]
            shown = Review(self._crm).shown(batch, tx=tx)
            rows += [row for row in shown if state in (None, row["state"])]
            if limit is not None and len(rows) >= limit:
                return rows[:limit]
        return rows

    def following(self, name: str, *, agent: str) -> Following:
        """The row of a list that an agent works next: due, of the highest value, and allowed now.

        Where none is due, rows planned for later are judged at their own time, up to the first that
        is allowed. Rows before it that may no longer be contacted are turned, each with its reason;
        those whose renewals are another agent's are passed over.

        Raises:
            NotFound: if there is no such list.
        """
        store, review = self._crm.store, Review(self._crm)
        store.records.find(LIST, name)
        found = store.records.read(
            ROW, NEEDED, where={"list": name, "state": TODO}, sort=["-value", "at"]
        )
        now = self._crm.clock()
        rows = [dict(zip(NEEDED, row, strict=True)) for row in found]
        due = self._first(review, [row for row in rows if row["at"] <= now], agent)
        refused = due.refused
        later: list[datetime] = []
        if due.row is None:
            planned = sorted((row for row in rows if row["at"] > now), key=lambda row: row["at"])
            coming = self._first(review, planned, agent)
            refused = [*refused, *coming.refused]
            later += [coming.row["at"]] if coming.row else []
        turned: list[dict[str, Any]] = []
        if refused:
            with store.begin("list next") as tx:
                turned = review.write(refused, tx)
        later += [row["at"] for row in turned if row["state"] == TODO]
        return Following(
            ref=None if due.row is None else due.row["ref"],
            turned=[row for row in turned if row["state"] == BLOCKED],
            passed_over=due.passed_over, later=min(later, default=None),
        )  # fmt: skip

    def _first(self, review: Review, rows: Sequence[Mapping[str, Any]], agent: str) -> _First:
        """The first of the rows that this agent may contact, each at its own time."""
        refused: list[str] = []
        passed_over = 0
        for start in range(0, len(rows), AT_ONCE):
            batch = rows[start : start + AT_ONCE]
            for row, decision in zip(batch, review.decide(batch, agent=agent), strict=True):
                if decision.allowed:
                    return _First(row, refused, passed_over)
                if decision.code == PROTECTED:
                    passed_over += 1
                else:
                    refused.append(row["ref"])
        return _First(None, refused, passed_over)

    def done(
        self, name: str, customer_id: int, outcome: str, *, note: str | None = None,
        at: datetime | None = None, tx: Tx | None = None,
    ) -> Record:  # fmt: skip
        """Files the outcome of a row: on the list, on the timeline and with the contact policy.

        The policy is asked again, at the instant of the contact and in the same write.
        ``not_tried`` gives the place back and logs nothing: nobody was contacted.

        Args:
            at: when the contact was made; None is now.

        Raises:
            NotFound: if the customer is not on the list.
            NotPermitted: if the customer may not be contacted, or not by this agent.
            UsageError: if the row is not one to contact, or is done already, or the instant is
                before the list was made or still to come.
        """
        if tx is None:
            with self._crm.store.begin("list done") as own:
                return self.done(name, customer_id, outcome, note=note, at=at, tx=own)
        policy = self._crm.service("contact.policy")
        policy.lock([customer_id], tx)
        ref = self._row_ref(name, customer_id, tx)
        row = self._crm.store.records.find(ROW, f"{SOURCE}:{ref}", tx=tx)
        made = self._crm.store.records.find(LIST, name, tx=tx).values
        values, when = row.values, at or tx.at
        # Made before it was blocked, it can still be filed, and is judged as of then.
        earlier = at is not None and values["slot"] is not None
        if values["state"] == BLOCKED and not earlier:
            raise NotPermitted(
                f"this row of {name} is blocked: {values['words'] or values['code']}.",
                code="E_CONTACT_REFUSED",
            )
        if values["state"] not in (TODO, BLOCKED):
            raise UsageError(f"this row of {name} is {values['state']}, not to be contacted.")
        if not made["made_at"] <= when <= tx.at:
            raise UsageError(
                f"a contact of {name} is made from {made['made_at']:%Y-%m-%dT%H:%M:%SZ} to now, "
                f"not at {when:%Y-%m-%dT%H:%M:%SZ}."
            )
        if outcome == NOT_TRIED:
            policy.release([values["slot"]], tx=tx)
        else:
            request = ContactRequest(
                customer_id=customer_id, channel=values["channel"], purpose=made["purpose"],
                at=when, agent=tx.actor, slot=values["slot"],
            )  # fmt: skip
            (decision,) = policy.confirm([request], tx=tx)
            decision.check()
            payload = {
                "list": name, "outcome": outcome, "offer": values["offer"], "note": note,
                "purpose": made["purpose"],
            }  # fmt: skip
            self._crm.store.interactions.log(
                NewInteraction(
                    kind=CONTACT, occurred_at=when, customer_id=customer_id, direction="out",
                    channel=values["channel"],
                    payload={k: v for k, v in payload.items() if v is not None},
                ),
                tx=tx,
            )  # fmt: skip
        filed = {"state": DONE, "outcome": outcome, "done_at": when, "done_by": tx.actor}
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
            ROW, ("owner_id", "state", "outcome", "slot"), where={"list": name}
        )  # fmt: skip
        # Who was to be contacted when the list was made has a slot, also if blocked since: leaving
        # those out who withdrew would leave out of one group alone those who are lost.
        groups = {
            "treated": [(i, o) for i, _, o, slot in rows if slot is not None],
            "control": [(i, o) for i, state, o, _ in rows if state == CONTROL],
        }
        won = self._successful((i for i, _, _, _ in rows), made, days)
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
