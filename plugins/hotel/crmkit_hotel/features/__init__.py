"""Features: what is known of a guest or a booking as of an instant, one SQL statement a set."""

from __future__ import annotations

from crmkit import resource_text
from crmkit.declarations import CUSTOMER, FeatureSet

from ..data import RESERVATION
from ..visits import with_visits
from . import booking, guest

BRIEF = "Hotel brief, "
SETS = (
    ("booking", RESERVATION, booking.BOOKING, f"{BRIEF}sections 6 and 7, fields 17 to 32."),
    (
        "preparing",
        RESERVATION,
        guest.PREPARING,
        f"{BRIEF}section 7, rules H-R2, H-R5, H-R6, H-R15.",
    ),
    ("guest", CUSTOMER, guest.GUEST, f"{BRIEF}section 7, fields 1 to 16 and rules H-R1 to H-R16."),
)


def feature_sets() -> list[FeatureSet]:
    """Every feature set with its SQL."""
    return [
        FeatureSet(
            name=f"hotel.{name}",
            sql=with_visits(resource_text(__package__, f"{name}.sql")),
            features=features,
            subject=subject,
            source=source,
            owner="guest relations",
        )
        for name, subject, features, source in SETS
    ]
