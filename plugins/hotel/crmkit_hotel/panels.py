"""What whoever has a guest on the line sees of the house: the next stay, and what the guest likes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from crmkit.columns import day, number, text
from crmkit.declarations import Panel

from .data import PREFERENCE, RESERVATION
from .preference.catalogue import catalogue

if TYPE_CHECKING:
    from crmkit.workspace import Crm

MOST = 6
BOOKED = ("property", "status", "arrival_on", "departure_on")
LIKED = ("code", "value", "status", "confidence")


def panels() -> list[Panel]:
    """Bookings that are open, and preferences that are prepared or asked again."""
    return [
        Panel(
            name="hotel.bookings", title="Bookings", title_zh="预订", order=20, rows=_bookings,
            columns=(
                text("property", "Property", "酒店"), text("status", "Status", "状态"),
                day("arrival_on", "Arrival", "到店日"), day("departure_on", "Departure", "离店日"),
            ),
        ),
        Panel(
            name="hotel.preferences", title="Likes", title_zh="偏好", order=30, rows=_likes,
            columns=(
                text("code", "Code", "代码"), text("value", "Value", "取值"),
                text("status", "Status", "状态"), number("confidence", "Confidence", "置信度"),
            ),
        ),
    ]  # fmt: skip


def _bookings(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    rows = crm.store.records.read(
        RESERVATION, ("owner_id", *BOOKED), among={"owner_id": customers}, sort=("-arrival_on",)
    )
    for row in [r for r in rows if r[2] in ("option", "confirmed", "waitlisted", "in_house")][
        :MOST
    ]:
        yield dict(zip(("customer_id", *BOOKED), row, strict=True))


def _likes(crm: Crm, customers: Sequence[int]) -> Iterator[dict[str, Any]]:
    rows = crm.store.records.read(
        PREFERENCE, ("owner_id", *LIKED), among={"owner_id": customers}, sort=("-confidence",)
    )
    for row in rows:
        code = catalogue().get(row[1])
        # What is sensitive is for the department that acts on it, not for every desk.
        if row[3] in ("declared", "learnt", "ask") and code is not None and not code.sensitive:
            yield dict(zip(("customer_id", *LIKED), row, strict=True))
