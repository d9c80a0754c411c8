"""Features: what is known of a guest or a booking as of an instant, one SQL statement a set."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import FeatureSet, Scope

from ..data import RESERVATION
from . import booking


def feature_sets() -> list[FeatureSet]:
    """Every feature set with its SQL."""
    return [
        FeatureSet(
            name="hotel.booking",
            sql=resource_text(__package__, "booking.sql"),
            features=booking.BOOKING,
            subject=RESERVATION,
            scope=Scope.SUBJECT,
        ),
    ]
