"""The customer: one record shared by all departments (C1)."""

from __future__ import annotations

from datetime import date, datetime

from attrs import field, frozen
from attrs.validators import in_

CUSTOMER_KINDS = ("person", "organisation")
CONTACT_KINDS = ("phone", "email", "address", "web", "social")


@frozen
class CustomerRef:
    """A business key: what system ``source`` calls this customer."""

    source: str
    ref: str

    def __str__(self) -> str:
        return f"{self.source}:{self.ref}"


@frozen
class ContactPoint:
    """A way to reach a customer: ``kind`` is one of CONTACT_KINDS, ``label`` is free text."""

    kind: str = field(validator=in_(CONTACT_KINDS))
    value: str
    label: str = ""


@frozen(kw_only=True)
class Customer:
    """A person or an organisation, as of its current version.

    ``id`` is crmkit's own (64-bit, time-ordered, D2); ``refs`` are the keys of other systems.
    Instants are UTC. ``version`` counts from 1 and rises with every change (optimistic lock).
    ``merged_into`` is the id of the customer that this one was merged into, else None.
    """

    id: int
    kind: str = field(default="person", validator=in_(CUSTOMER_KINDS))
    name: str | None = None
    refs: tuple[CustomerRef, ...] = ()
    contact_points: tuple[ContactPoint, ...] = ()
    locale: str | None = None
    time_zone: str | None = None
    region: str | None = None
    owner: str | None = None
    team: str | None = None
    created_at: datetime
    updated_at: datetime
    version: int = 1
    merged_into: int | None = None


@frozen(kw_only=True)
class Relation:
    """``customer_id`` is ``role`` of ``related_id`` from ``valid_from`` until ``valid_to`` (C11).

    Dates are inclusive and exclusive; None means open on that side.
    """

    id: int
    customer_id: int
    related_id: int
    role: str
    valid_from: date | None = None
    valid_to: date | None = None
