"""What a plugin keeps: fields of customers, record types, interaction kinds, and how files become them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from attrs import field, frozen
from attrs.validators import in_

from ..entities.fields import FieldSet
from .names import CUSTOMER


@frozen
class CustomerFields:
    """Domain fields that a plugin adds to every customer: table ``<plugin>_customer``."""

    schema: Mapping[str, Any] = field(repr=False, hash=False)

    @cached_property
    def fields(self) -> FieldSet:
        """The parsed fields."""
        return FieldSet(self.schema)


# What kind of value a match key is: it decides how values are brought into one form and compared.
MATCH_KINDS = (
    "given_name", "family_name", "name", "date", "identifier", "code", "phone", "email", "address",
    "place",
)  # fmt: skip


@frozen(kw_only=True)
class MatchKey:
    """A value by which two customers may be found to be one.

    Args:
        name: ``telecom.msisdn``.
        field: where the value is: ``customer.name``; ``contact.phone`` or another kind of contact
            point; a customer field ``<plugin>.<field>``; or a field of a record type that customers
            own, ``<plugin>.<type>.<field>``, of which the first record counts.
        kind: one of MATCH_KINDS. An ``identifier`` is nearly unique (passport, loyalty number), a
            ``code`` is shared by many (postal code).
        title: names the value in the evidence: ``same <title>``.
    """

    name: str
    kind: str = field(validator=in_(MATCH_KINDS))
    field: str
    title: str
    title_zh: str = ""


@frozen(kw_only=True)
class EarlierConsent:
    """What one field that is no longer declared said of contacts to one customer.

    Attributes:
        field: its public name, ``core.do_not_contact``.
        stricter: the value that refuses: False of a consent, True of "do not contact".
        spans: (value, since, until), oldest first and without gaps; the instants are aware. A value
            of None is "not known"; ``until`` is None in the last span, which holds now.
    """

    field: str
    stricter: bool
    spans: tuple[tuple[bool | None, datetime, datetime | None], ...]

    @property
    def now(self) -> bool | None:
        """The value that holds at the upgrade."""
        return self.spans[-1][0]


@frozen(kw_only=True)
class EarlierConsents:
    """What the fields that are no longer declared said of contacts to one customer.

    Attributes:
        said: one for each field that ever had a value.
        at: the instant of the upgrade.
        first: whether the tables of the plugin that takes them over are new. Where they are not,
            its own records have decided about contacts beside these fields.
    """

    said: tuple[EarlierConsent, ...]
    at: datetime
    first: bool


@frozen(kw_only=True)
class RecordType:
    """A plugin's own entity: a real table with typed columns, a key, an owner and kept history.

    Args:
        name: ``telecom.subscription``.
        schema: JSON Schema of the fields.
        owner: ``customer``, a record type of the same plugin, or None for reference data (D8).
        lifecycle: name of the lifecycle that its rows go through, or None.
        append_only: whether a row, once filed, is never changed: the lines of a ledger, consents.
        filed_by: the command that files its rows, as ``decision take``, where nothing else may: then
            ``crmkit record set`` and imports refuse them. Empty leaves every door open.
        takes_over: what rows to file for a customer whose consent fields (``stricter`` in their
            schema) are no longer declared, as values by field; None files none. Called by
            ``crmkit db upgrade``, so that a refusal outlives the field that held it.
        revenue: the money fields that a row brings, added up, as ``("revenue_room", "revenue_spa")``.
        revenue_on: the date field that says when it brings them.
    """

    name: str
    schema: Mapping[str, Any] = field(repr=False, hash=False)
    owner: str | None = CUSTOMER
    lifecycle: str | None = None
    append_only: bool = False
    filed_by: str = ""
    revenue: tuple[str, ...] = ()
    revenue_on: str = ""
    title: str = ""
    title_zh: str = ""
    takes_over: Callable[[EarlierConsents], Sequence[Mapping[str, Any]]] | None = field(
        default=None, repr=False, hash=False
    )

    @cached_property
    def fields(self) -> FieldSet:
        """The parsed fields."""
        return FieldSet(self.schema)


@frozen(kw_only=True)
class InteractionKind:
    """A kind of interaction with the schema of its payload.

    Args:
        name: ``telecom.bill``.
        schema: JSON Schema of the payload; its fields become typed columns in the warehouse.
        subject: record type that it is about, or None.
        anonymous: whether an interaction of this kind may have no customer (baskets).
        revenue: what it brings: ``("amount",)``, or money fields of the payload, added up. None goes by
            the last part of the name: the amount of an order, a sale, a purchase, a bill or an invoice
            is revenue, that of a refund is taken from it, and other kinds bring nothing.
    """

    name: str
    schema: Mapping[str, Any] = field(repr=False, hash=False)
    subject: str | None = None
    anonymous: bool = False
    revenue: tuple[str, ...] | None = None
    title: str = ""
    title_zh: str = ""

    @cached_property
    def fields(self) -> FieldSet:
        """The parsed payload fields."""
        return FieldSet(self.schema)


@frozen(kw_only=True)
class ImportProfile:
    """An import profile that ships with a plugin: ``text`` is TOML (design D10).

    Args:
        tables: the CSV texts in which it looks values up, by the file names that it gives them.
    """

    name: str
    text: str = field(repr=False)
    title: str = ""
    tables: Mapping[str, str] = field(factory=dict, repr=False, hash=False)


@frozen(kw_only=True)
class Migration:
    """A change that the difference of declarations cannot express (a removal, a narrowing).

    Args:
        id: owned id, as ``telecom.0002-split-plan``; run once, in order of id.
        statements: SQL by dialect (``sqlite``, ``postgresql``); a dialect left out has none.
        loss: ``none``, ``lossy`` or ``destructive``: what cannot be got back afterwards.
        covers: the columns that the statements remove or narrow, as ``table.column``.
    """

    id: str
    statements: Mapping[str, Sequence[str]] = field(hash=False)
    loss: str = field(default="none", validator=in_(("none", "lossy", "destructive")))
    covers: tuple[str, ...] = ()
