"""The interaction: one thing that happened between a customer and the business (C2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen
from attrs.validators import in_, optional

from .money import Money

CHANNELS = (
    "phone", "web", "email", "sms", "fax", "letter", "app", "visit", "counter", "ivr", "social",
    "system",
)  # fmt: skip
DIRECTIONS = ("in", "out", "none")
# The source of what people log in crmkit itself.
OWN_SOURCE = "crmkit"


@frozen(kw_only=True)
class Interaction:
    """An append-only fact. A correction is a new revision that supersedes the earlier ones.

    ``occurred_at`` is when it was true, ``recorded_at`` when we knew; both UTC. ``source``, ``ref``
    and ``revision`` are the idempotency key. ``customer_id`` is None only for anonymous kinds.
    ``subject_type`` and ``subject_id`` name the record that it is about, if any (D8).
    """

    id: int
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    source: str
    ref: str
    revision: int = 1
    customer_id: int | None = None
    channel: str | None = field(default=None, validator=optional(in_(CHANNELS)))
    direction: str = field(default="none", validator=in_(DIRECTIONS))
    actor: str | None = None
    amount: Money | None = None
    subject_type: str | None = None
    subject_id: int | None = None
    payload: Mapping[str, Any] = field(factory=dict, hash=False)


@frozen(kw_only=True)
class NewInteraction:
    """An interaction that is to be logged.

    Args:
        kind: ``telecom.bill``.
        occurred_at: aware instant in which it was true.
        customer_id: None only for anonymous kinds.
        source, ref: its key in the system it comes from; without a ref it is always a new one.
        payload: domain values by field; money as :class:`Money` or decimal text.
        subject_id: the record of the kind's subject type that it is about.
    """

    kind: str
    occurred_at: datetime
    customer_id: int | None = None
    source: str = OWN_SOURCE
    ref: str | None = None
    channel: str | None = None
    direction: str = "none"
    actor: str | None = None
    amount: Money | None = None
    subject_id: int | None = None
    payload: Mapping[str, Any] = field(factory=dict, hash=False)
