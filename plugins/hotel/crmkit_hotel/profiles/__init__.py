"""Import profiles: one TOML file each."""

from __future__ import annotations

import tomllib

from crmkit import resource_text
from crmkit.declarations import ImportProfile

NAMES = (
    "hotel-bookings", "hotel-properties", "hotel-supply", "hotel-guests", "hotel-reservations",
    "hotel-requests", "hotel-touchpoints", "hotel-preparations", "opera-profiles", "opera-reservations",
    "opera-preferences",
)  # fmt: skip


def profiles() -> list[ImportProfile]:
    """Every shipped profile, with the title that its file states."""
    out = []
    for name in NAMES:
        text = resource_text(__package__, f"{name}.toml")
        read = tomllib.loads(text)
        tables = {
            found["file"]: resource_text(__package__, found["file"])
            for found in read.get("lookups", {}).values()
        }
        out.append(ImportProfile(name=name, text=text, title=read["title"], tables=tables))
    return out
