"""The consent ledger: what customers said, and what holds for them at an instant.

Every entry is a new record and none is ever changed. What holds follows from all that was said up to
the instant asked about:

- An entry counts for a channel and a purpose if it names them, or ``any``.
- A withdrawal holds until a later consent that is at least as particular lifts it: a consent by
  e-mail does not lift "no calls", and a general one does not lift "no e-mail".
- Said at the same instant, the withdrawal holds.
- Of customers that were merged, each side's withdrawals hold until the one customer that they are
  now says otherwise: a consent of the other side lifts them only if it was given after the merge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import frozen

from crmkit.entities.interaction import CHANNELS
from crmkit.errors import NotFound, UsageError

from .data import CONSENT, SOURCE
from .states import ANY, DO_NOT_CONTACT, GIVEN, UNKNOWN, WITHDRAWN

if TYPE_CHECKING:
    from crmkit.store.store import Tx
    from crmkit.workspace import Crm

_FIRST = datetime(1, 1, 1, tzinfo=UTC)


@frozen(kw_only=True)
class Entry:
    """One thing that a customer said.

    Attributes:
        customer_id: the very customer that it was filed for, also if it was merged since.
        given: True a consent, False its withdrawal.
        at: when it was said; wording: version of the text shown; obtained_from: where.
    """

    customer_id: int
    channel: str
    purpose: str
    given: bool
    at: datetime
    wording: str | None = None
    obtained_from: str | None = None

    def covers(self, channel: str, purpose: str) -> bool:
        """Whether it speaks of this channel and purpose."""
        return self.channel in (channel, ANY) and self.purpose in (purpose, ANY)

    def lifts(self, withdrawal: Entry, joined_at: Mapping[int, datetime]) -> bool:
        """Whether this consent ends a withdrawal; see the module."""
        if self.at <= withdrawal.at:
            return False
        if self.channel == ANY != withdrawal.channel or self.purpose == ANY != withdrawal.purpose:
            return False
        if self.customer_id == withdrawal.customer_id:
            return True
        met = max(joined_at.get(e.customer_id, _FIRST) for e in (self, withdrawal))
        return self.at > met


def standing(
    entries: Iterable[Entry], channel: str, purpose: str, joined_at: Mapping[int, datetime]
) -> str:
    """What holds for a channel and a purpose: given, withdrawn, do_not_contact or unknown."""
    said = [e for e in entries if e.covers(channel, purpose)]
    given = [e for e in said if e.given]
    held = [e for e in said if not e.given and not any(g.lifts(e, joined_at) for g in given)]
    if any(e.channel == e.purpose == ANY for e in held):
        return DO_NOT_CONTACT
    return WITHDRAWN if held else GIVEN if given else UNKNOWN


class Consents:
    """The service ``contact.consents``: files consents and says what holds."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm

    def file(self, entries: Sequence[Entry], *, tx: Tx | None = None) -> None:
        """Adds entries to the ledger, all or none.

        Raises:
            NotFound: for an unknown customer or channel.
            UsageError: if an entry says when it will have been said.
        """
        if tx is None:
            with self._crm.store.begin("consent file") as own:
                return self.file(entries, tx=own)
        for entry in entries:
            if entry.channel not in (ANY, *CHANNELS):
                raise NotFound("channel", entry.channel, (ANY, *CHANNELS))
            if entry.at > tx.at:
                raise UsageError(f"{entry.at.isoformat()} is still to come.")
        values: dict[str, Sequence[Any]] = {
            "channel": [e.channel for e in entries], "purpose": [e.purpose for e in entries],
            "state": [GIVEN if e.given else WITHDRAWN for e in entries],
            "at": [e.at for e in entries], "wording": [e.wording for e in entries],
            "obtained_from": [e.obtained_from for e in entries],
        }  # fmt: skip
        self._crm.store.records.put(
            CONSENT, source=SOURCE, refs=[str(i) for i in tx.take_ids(len(entries))],
            owners=[e.customer_id for e in entries], values=values, tx=tx,
        )  # fmt: skip
        return None

    def entries(
        self, customers: Iterable[int], *, at: datetime | None = None, tx: Tx | None = None
    ) -> dict[int, list[Entry]]:
        """What was said, in the order of time, by the very customer that it was filed for.

        Args:
            customers: ids; those merged into them have to be named too.
            at: only what had been said by then; None is everything.
        """
        names = ("owner_id", "channel", "purpose", "state", "at", "wording", "obtained_from")
        out: defaultdict[int, list[Entry]] = defaultdict(list)
        for (
            owner,
            channel,
            purpose,
            state,
            said_at,
            wording,
            source,
        ) in self._crm.store.records.read(
            CONSENT, names, among={"owner_id": customers}, sort=["at"], tx=tx
        ):
            if at is None or said_at <= at:
                out[owner].append(
                    Entry(
                        customer_id=owner, channel=channel, purpose=purpose, given=state == GIVEN,
                        at=said_at, wording=wording, obtained_from=source,
                    )
                )  # fmt: skip
        return out

    def of_customer(self, customer_id: int, *, at: datetime | None = None) -> list[Entry]:
        """What a customer and those merged into it have said, oldest first."""
        members = self._crm.store.customers.members([customer_id])
        found = self.entries(members, at=at)
        return sorted((e for said in found.values() for e in said), key=lambda e: e.at)

    def state(
        self, customer_id: int, channel: str, purpose: str, *, at: datetime | None = None
    ) -> str:
        """What holds at an instant; None is now."""
        said = self.of_customer(customer_id, at=at or self._crm.clock())
        joined = self._crm.store.merges.joined_at({e.customer_id for e in said})
        return standing(said, channel, purpose, joined)
