"""Columns to the core customer's own fields: names, contact points, place and key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from attrs import frozen

from .columns import Column
from .headers import words_of

_PLACES = ("street_number", "street", "street_2", "city", "state", "postcode", "country")
# Keys may lack a few cells: those rows go to the rejects file with E_KEY.
KEY_FILLED = 0.99
_WEAK_KEY, _JOINED = 0.6, 0.9
_CUSTOMER_WORDS = ("customer", "client", "cust", "user", "member", "客户", "会员", "用户")
_KEY_ENDINGS = ("id", "key", "code", "no", "number", "ref", "编号", "号")


@frozen
class Fed:
    """A target field with what feeds it, from which columns, and how surely.

    ``decimals`` is the most that a number of the field has, None if there is no bound.
    """

    target: str
    spec: Any
    columns: tuple[str, ...]
    confidence: float
    decimals: int | None = None


def of_role(columns: Iterable[Column], role: str) -> Column | None:
    """The column that most surely has a role; of equals the first."""
    return max((c for c in columns if c.role == role), key=lambda c: c.confidence, default=None)


def unique_key(columns: Sequence[Column]) -> tuple[Column, float] | None:
    """The column that names each row's customer, and how surely; None if no column does."""
    unique = [c for c in columns if c.shape.unique and c.shape.filled >= KEY_FILLED]
    best = of_role(unique, "key")
    if best:
        return best, best.confidence
    for column in unique:
        words = words_of(column.name)
        if column.role == "event_key" or (words and words[-1].endswith(_KEY_ENDINGS)):
            return column, _WEAK_KEY
    return None


def repeated_key(columns: Sequence[Column]) -> Column | None:
    """The customer's key in a file whose rows are events: it may stand on many rows."""
    keys = [c for c in columns if c.role == "key" and c.shape.filled >= KEY_FILLED]
    named = [c for c in keys if set(words_of(c.name)) & set(_CUSTOMER_WORDS)]
    named += [c for c in keys if c.name.startswith(_CUSTOMER_WORDS) and c not in named]
    return next(iter(named or keys), None)


def core_fields(columns: Sequence[Column]) -> list[Fed]:
    """What the columns feed of a customer, its key left out."""
    found = [*_named(columns), *_contacts(columns), *_placed(columns)]
    for target, role in (("locale", "locale"), ("owner", "owner"), ("team", "team")):
        column = of_role(columns, role)
        if column:
            found.append(_fed(target, [column]))
    return found


def _fed(target: str, parts: Sequence[Column], sep: str = " ", factor: float = 1.0) -> Fed:
    names = tuple(c.name for c in parts)
    null = sorted({word for c in parts for word in c.shape.null})
    spec: Any = names[0] if len(names) == 1 else {"join": list(names)}
    if len(names) > 1 and sep != " ":
        spec["sep"] = sep
    if null:
        spec = {"column": spec} if isinstance(spec, str) else spec
        spec["null"] = ["", *null]
    return Fed(target, spec, names, round(min(c.confidence for c in parts) * factor, 2))


def _named(columns: Sequence[Column]) -> list[Fed]:
    whole, firm = of_role(columns, "name"), of_role(columns, "organisation")
    if whole:
        return [_fed("name", [whole])]
    roles = ("given_name", "middle_name", "family_name")
    parts = [c for role in roles if (c := of_role(columns, role))]
    if any(c.role != "middle_name" for c in parts):
        if any(not c.name.isascii() for c in parts):
            # Chinese names: the family's first, and no blank between.
            return [_fed("name", parts[::-1], sep="", factor=_JOINED)]
        return [_fed("name", parts, factor=_JOINED)]
    if firm:
        return [_fed("name", [firm]), Fed("kind", {"value": "organisation"}, (), firm.confidence)]
    return []


def _contacts(columns: Sequence[Column]) -> list[Fed]:
    found: list[Fed] = []
    for label in ("", "mobile", "work", "home"):
        column = of_role(columns, f"phone_{label}" if label else "phone")
        if column:
            # The first phone needs no label, whatever its header calls it.
            found.append(_fed(f"phone.{label}" if label and found else "phone", [column]))
    for kind in ("email", "web", "social"):
        column = of_role(columns, kind)
        if column:
            found.append(_fed(kind, [column]))
    return found


def _placed(columns: Sequence[Column]) -> list[Fed]:
    places = {role: c for role in _PLACES if (c := of_role(columns, role))}
    found = []
    if "street" in places or len(places.keys() & {"city", "postcode", "state"}) > 1:
        parts = list(places.values())
        cjk = all(not c.name.isascii() for c in parts)
        found.append(_fed("address", parts, sep="" if cjk else " ", factor=_JOINED))
    region = places.get("state") or places.get("country") or places.get("city")
    if region:
        found.append(_fed("region", [region], factor=1.0 if region.role == "state" else 0.7))
    return found
