"""Import profiles that ship with the plugin, one TOML file each."""

from __future__ import annotations

import tomllib

from crmkit import resource_text
from crmkit.declarations import ImportProfile

NAMES = (
    "german-credit",
    "bank-marketing",
    # The Berka files, in the order in which they have to be imported.
    "berka-districts",
    "berka-clients",
    "berka-dispositions",
    "berka-accounts",
    "berka-loans",
    "berka-cards",
    "berka-orders",
    "berka-transactions",
)


def profiles() -> list[ImportProfile]:
    """Every shipped profile, with the title that its file states."""
    out = []
    for name in NAMES:
        text = resource_text(__package__, f"{name}.toml")
        out.append(ImportProfile(name=name, text=text, title=tomllib.loads(text)["title"]))
    return out
