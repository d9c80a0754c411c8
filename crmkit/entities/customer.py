"""The customer: one record shared by all departments (C1)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from attrs import field, frozen
from attrs.validators import in_

from .fields import FieldSet

CUSTOMER_KINDS = ("person", "organisation")
CONTACT_KINDS = ("phone", "email", "address", "web", "social")


def _text(longest: int, form: str = "shown_text", pii: str = "none") -> dict[str, Any]:
    return {"type": "string", "format": form, "maxLength": longest, "pii": pii}


# What a customer and its contact points may be, at every door. The lengths are ours: beyond them a
# cell holds something else than its column says. RFC 5321 bounds an e-mail address.
CUSTOMER_FIELDS = FieldSet(
    {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": list(CUSTOMER_KINDS)},
            "name": _text(500, pii="direct"),
            "locale": _text(35, "language_tag"),
            "time_zone": _text(60, "time_zone"),
            "region": _text(200),
            "owner": _text(200),
            "team": _text(200),
        },
    }
)
CONTACT_FIELDS = FieldSet(
    {
        "type": "object",
        "properties": {
            "phone": _text(60, "phone_number", "direct"),
            "email": _text(254, "email_address", "direct"),
            "address": _text(2000, pii="direct"),
            "web": _text(2000, "web_address", "direct"),
            "social": _text(500, "social_handle", "direct"),
        },
    }
)
# A key of another system, and what it calls itself.
KEY_FIELDS = FieldSet(
    {
        "type": "object",
        "properties": {
            "source": _text(200),
            "ref": _text(500),
            "label": {"type": "string", "maxLength": 100},
        },
    }
)


@frozen
class CustomerRef:
    """A business key: what system ``source`` calls this customer."""

    source: str
    ref: str

    def __str__(self) -> str:
        return f"{self.source}:{self.ref}"


def _stripped(value: str) -> str:
    return value.strip()


@frozen
class ContactPoint:
    """A way to reach a customer: ``kind`` is one of CONTACT_KINDS, ``label`` is free text.

    Blanks around the value are none of its own.
    """

    kind: str = field(validator=in_(CONTACT_KINDS))
    value: str = field(converter=_stripped)
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
