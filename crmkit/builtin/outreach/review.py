"""Rows still to do, judged again: what was allowed when a list was made may be refused since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crmkit.entities import ContactDecision, ContactRequest

from .data import BLOCKED, LIST, ROW, SOURCE, TODO

if TYPE_CHECKING:
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm

# What a row needs to be judged.
NEEDED = ("ref", "list", "owner_id", "state", "channel", "at", "slot")
# The customer's own word: a list is made of those who allowed it, so it was withdrawn since.
WITHDRAWN, TAKEN_BACK = "withdrawn", ("withdrawn", "do_not_contact")
PROTECTED = "protected"
WITHIN_DAYS = 1

Row = Mapping[str, Any]


class Review:
    """Asks the contact policy about rows of lists at the time at which they are read or worked."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    def decide(
        self, rows: Sequence[Row], *, agent: str | None = None, at: datetime | None = None,
        tx: Tx | None = None,
    ) -> list[ContactDecision]:  # fmt: skip
        """The policy's decision for each row: now, or when it is planned for if that is later.

        Args:
            rows: with the columns NEEDED, still to do.
            agent: who would make the contacts; None does not ask whose renewals are protected.
            at: the instant that is taken for now; None is now.
        """
        requests = self.requests(rows, agent=agent, at=at, tx=tx)
        decided: list[ContactDecision] = self._crm.service("contact.policy").ask(requests, tx=tx)
        return decided

    def requests(
        self, rows: Sequence[Row], *, agent: str | None = None, at: datetime | None = None,
        tx: Tx | None = None,
    ) -> list[ContactRequest]:  # fmt: skip
        """What :meth:`decide` asks."""
        now, lists = at or self._crm.clock(), self._lists(rows, tx)
        return [
            ContactRequest(
                customer_id=row["owner_id"], channel=row["channel"],
                purpose=lists[row["list"]][0], at=max(row["at"], now), agent=agent,
                slot=row["slot"],
            )
            for row in rows
        ]  # fmt: skip

    def shown(self, rows: Sequence[Row], *, tx: Tx | None = None) -> list[dict[str, Any]]:
        """The rows as they stand now; nothing is written.

        Args:
            rows: with the columns NEEDED; those that are not to do stay as they are.
        """
        todo = [row for row in rows if row["state"] == TODO]
        changes = {
            row["ref"]: change for row, change in zip(todo, self.changes(todo, tx=tx), strict=True)
        }
        return [{**row, **changes.get(row["ref"], {})} for row in rows]

    def changes(self, rows: Sequence[Row], *, tx: Tx | None = None) -> list[dict[str, Any]]:
        """What each row becomes: nothing where it is allowed, planned for later, or blocked.

        A row that is free again within the days of its list is planned for that instant, as when the
        list is made; others are blocked with the reason.
        """
        lists = self._lists(rows, tx)
        return [
            self._change(decision, lists[row["list"]][1])
            for row, decision in zip(rows, self.decide(rows, tx=tx), strict=True)
        ]

    def write(self, refs: Iterable[str], tx: Tx) -> list[dict[str, Any]]:
        """Turns those of the rows that may not be contacted now, under the customers' locks.

        Returns:
            The rows that were turned, as they are now.
        """
        records, policy = self._crm.store.records, self._crm.service("contact.policy")
        among = {"ref": list(refs)}
        found = records.read(ROW, ("owner_id",), where={"source": SOURCE}, among=among, tx=tx)
        policy.lock({owner for (owner,) in found}, tx)
        # After the wait, in which somebody may have worked them.
        where = {"source": SOURCE, "state": TODO}
        rows = [
            dict(zip(NEEDED, row, strict=True))
            for row in records.read(ROW, NEEDED, where=where, among=among, tx=tx)
        ]
        changed = [
            {**row, **change}
            for row, change in zip(rows, self.changes(rows, tx=tx), strict=True)
            if change
        ]
        blocked = [row for row in changed if row["state"] == BLOCKED]
        later = [row for row in changed if row["state"] == TODO]
        self._put(blocked, ("state", "code", "words", "words_zh", "free_at"), tx)
        policy.release([row["slot"] for row in blocked], tx=tx)
        self._put(later, ("at",), tx)
        policy.move(self.requests(later, tx=tx), tx=tx)
        return changed

    def _put(self, rows: Sequence[Row], names: Sequence[str], tx: Tx) -> None:
        if rows:
            self._crm.store.records.put(
                ROW, source=SOURCE, refs=[row["ref"] for row in rows],
                owners=[row["owner_id"] for row in rows],
                values={name: [row[name] for row in rows] for name in names}, tx=tx,
            )  # fmt: skip

    def _change(self, decision: ContactDecision, within_days: int) -> dict[str, Any]:
        if decision.allowed:
            return {}
        latest = decision.request.at + timedelta(days=within_days)
        if decision.free_at is not None and decision.free_at <= latest:
            return {"at": decision.free_at}
        return {
            "state": BLOCKED, "code": WITHDRAWN if decision.code in TAKEN_BACK else decision.code,
            "words": decision.words, "words_zh": decision.words_zh, "free_at": decision.free_at,
        }  # fmt: skip

    def _lists(self, rows: Sequence[Row], tx: Tx | None) -> dict[str, tuple[str, int]]:
        """Purpose and days within which a row may be put off, by list."""
        found = self._crm.store.records.read(
            LIST, ("ref", "purpose", "within_days"), among={"ref": [r["list"] for r in rows]}, tx=tx
        )
        return {
            name: (purpose, WITHIN_DAYS if days is None else days) for name, purpose, days in found
        }
