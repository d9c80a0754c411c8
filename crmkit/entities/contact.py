"""A contact that somebody wants to make, and what the contact policy says of it (S5)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import field, frozen
from attrs.validators import in_

from ..errors import NotPermitted
from .interaction import CHANNELS

if TYPE_CHECKING:
    from ..store.store import Tx


def _texts(values: Iterable[str]) -> tuple[str, ...]:
    # `converter=tuple` would leave mypy without the type of the items.
    return tuple(values)


@frozen(kw_only=True)
class ContactRequest:
    """A contact that is wanted.

    Args:
        channel: one of CHANNELS.
        purpose: ``marketing``, ``service``, ``notice`` or another that the workspace keeps.
        at: aware instant at which the customer is to be reached.
        agent: who would make the contact, so that the renewals of somebody else's customer are
            protected; None where nobody is named.
        slot: the place that the contact has taken already, which does not count against it.
    """

    customer_id: int
    channel: str = field(validator=in_(CHANNELS))
    purpose: str
    at: datetime
    agent: str | None = None
    slot: str | None = None


@frozen(kw_only=True)
class ContactDecision:
    """Whether a contact may be made, and if not why, and when it may be.

    Attributes:
        request: what was asked.
        customer_id: who would be reached: the customer asked for, or the one it was merged into.
        code: ``allowed``, or the first reason against it: ``do_not_contact``, ``withdrawn``,
            ``no_consent``, ``protected`` (the renewals are another agent's), the code of a block as
            ``bereavement``, ``cap_7`` (the cap over 7 days) or ``quiet_hours``.
        words, words_zh: the reason as a sentence; empty where it is allowed.
        free_at: the first instant from ``request.at`` on at which nothing that is known now stands
            against it; None if only a new consent or the end of a block can change it.
        slot: the place that was taken in the customer's calendar; None unless one was reserved.
    """

    request: ContactRequest
    customer_id: int
    code: str = "allowed"
    words: str = ""
    words_zh: str = ""
    free_at: datetime | None = None
    slot: str | None = None

    @property
    def allowed(self) -> bool:
        """Whether the contact may be made at the instant asked for."""
        return self.code == "allowed"

    def check(self) -> None:
        """Refuses the contact unless it may be made.

        Raises:
            NotPermitted: with the reason and the first instant at which it may be made.
        """
        if self.allowed:
            return
        asked = self.request
        raise NotPermitted(
            f"no contact by {asked.channel} for {asked.purpose}: {self.words}.",
            code="E_RENEWAL" if self.code == "protected" else "E_CONTACT_REFUSED",
            hint=f"It may be made from {self.free_at:%Y-%m-%dT%H:%M:%SZ}." if self.free_at else "",
        )


@frozen(kw_only=True)
class ContactBatch:
    """Customers that somebody wants to contact, for the hook ``block_contacts``.

    Args:
        customers: ids, each once; customers that were merged stand beside the one that stays.
        since, until: the earliest and the latest instant asked for.
        tx: the open write, to be passed on when the store is read, or None.
    """

    customers: tuple[int, ...]
    since: datetime
    until: datetime
    tx: Tx | None = field(default=None, eq=False, repr=False)


@frozen(kw_only=True)
class ContactBlock:
    """Why a customer must not be contacted for a time.

    Args:
        code: a word in lower case that counts are kept by, as ``severe_case``.
        words, words_zh: the reason as a sentence, without personal data.
        since: aware instant from which it holds; None is always.
        until: aware instant at which it ends, exclusive; None is not known.
        purposes: the purposes that it stops; empty is every purpose that can be blocked.
    """

    customer_id: int
    code: str
    words: str
    words_zh: str = ""
    since: datetime | None = None
    until: datetime | None = None
    purposes: tuple[str, ...] = field(default=(), converter=_texts)
