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
