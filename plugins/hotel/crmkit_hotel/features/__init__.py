"""Features: what is known of a guest or a booking as of an instant, one SQL statement a set."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import CUSTOMER, FeatureSet

from ..data import RESERVATION
from . import booking, guest

SETS = (
    ("booking", RESERVATION, booking.BOOKING),
    ("preparing", RESERVATION, guest.PREPARING),
    ("guest", CUSTOMER, guest.GUEST),
)


def feature_sets() -> list[FeatureSet]:
    """Every feature set with its SQL."""
    return [
        FeatureSet(
            name=f"hotel.{name}",
            sql=resource_text(__package__, f"{name}.sql"),
            features=features,
            subject=subject,
        )
        for name, subject, features in SETS
    ]
