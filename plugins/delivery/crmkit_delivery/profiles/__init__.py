"""Import profiles that ship with the plugin, one TOML file each."""

from __future__ import annotations

import tomllib

from crmkit import resource_text
from crmkit.declarations import ImportProfile

from ..tables import table_text

NAMES = (
    "olist-customers",
    "olist-sellers",
    "olist-products",
    "olist-orders",
    "olist-items",
    "olist-reviews",
    "delivery-network",
    "delivery-couriers",
    "delivery-shippers",
    "delivery-waybills",
    "delivery-scans",
    "delivery-incidents",
    "delivery-invoices",
    "delivery-claims",
    "delivery-events",
    "delivery-subscriptions",
    "delivery-rounds",
    "delivery-drops",
    "delivery-bills",
    "delivery-courier-days",
    "epcis-scans",
)


def profiles() -> list[ImportProfile]:
    """Every shipped profile with the title that its file states, and the tables that it looks up."""
    out = []
    for name in NAMES:
        text = resource_text(__package__, f"{name}.toml")
        read = tomllib.loads(text)
        tables = {
            found["file"]: table_text(found["file"].removesuffix(".csv"))
            for found in read.get("lookups", {}).values()
        }
        out.append(ImportProfile(name=name, text=text, title=read["title"], tables=tables))
    return out
