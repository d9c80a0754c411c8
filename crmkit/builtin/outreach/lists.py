"""Lists: made through the contact policy in one write, worked row by row, and measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crmkit.entities import NewInteraction, Record
from crmkit.errors import NotFound, UsageError

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
from .uplift import difference

if TYPE_CHECKING:
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm

# Rows that are written together.
BATCH = 10_000
# Refusals that another channel of the same customer may not meet.
OF_CHANNEL = ("withdrawn", "no_consent")


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
